"""The sorts of evidence: what a kind of evidence of work wants of whoever applies (`wants` in the policy file).

A sort is declared here once; its page stands in `apply.step_forms.PAGES`. What is neither a file nor described there is
a text of the applicant's own.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EvidenceSort:
    key: str
    # A file; else a text.
    is_file: bool = False
    # The text is the address of somebody who is asked, and whose answer in the place of papers is a check of this kind.
    # Only its domain is kept.
    asks: str = ""
    # The text is the applicant's own words: officers read them as such.
    own_words: bool = False
    # It has conditions, which the policy names.
    declares: bool = False


SORTS = {
    each.key: each
    for each in (
        EvidenceSort("document", is_file=True),
        EvidenceSort("text", own_words=True),
        EvidenceSort("address", asks="employer"),
        EvidenceSort("declaration", own_words=True, declares=True),
    )
}
# Checks that somebody answers who is written to.
BY_LETTER = frozenset(each.asks for each in SORTS.values() if each.asks)
