"""Answers from memory whether an address is registered, to operators alone, kept in step with the editions.

Invariants: nobody is told anything without an operator's credential, and an operator is told of the entries of its own
sessions alone, whatever else is held here; what is asked is not written down; an answer is taken from one edition, all
of which had the SHA-256 and the digest that the metadata promise. It holds no keys and writes nothing.
"""
