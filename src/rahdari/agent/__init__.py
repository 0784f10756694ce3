"""The operator's side: follow the feed, verify each byte of it, and put it where the network reads it.

Invariants: nothing is accepted that was not signed for a pinned root, in order, and within its term; entries, position
and digest change together or not at all; what was verified last stays enforced whatever happens; a device sees one
whole set or another, never half of one. Without Django: of ours only `address`, `proof` and `probe` are imported.
"""
