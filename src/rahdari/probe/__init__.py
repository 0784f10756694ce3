"""How an endpoint answers: one attempt each, with its evidence as plain data.

Invariants: a probe connects to the address it was given and to nothing else (no name is looked up, no redirect is
followed); only to addresses that are global or in a range allowed by setting; it reads a bounded number of bytes and
ends by its deadline, whatever the other side does. Nothing here knows Django.
"""

from .http import HttpAnswer, HttpOutcome, fetch_token

__all__ = ["HttpAnswer", "HttpOutcome", "fetch_token"]
