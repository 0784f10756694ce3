"""`rahdari feed ...` and `rahdari operator ...`: one module for each group of words."""

from typing import Any

from . import canaries, custody, gate, operators, restoring, status
from .operators import asn

__all__ = ["add_parser", "asn"]


def add_parser(subparsers: Any) -> None:
    """Both words share this face; only the one that was called is looked up."""
    besides = "Besides: `rahdari feed mirror --help` (the feed in an S3-compatible store)."
    feed = subparsers.add_parser("feed", help="the feed's keys and state", epilog=besides)
    acts = feed.add_subparsers(dest="act", required=True)
    custody.add_words(acts)
    status.add_words(acts)
    gate.add_words(acts)
    restoring.add_words(acts)
    canaries.add_words(acts)
    operator = subparsers.add_parser("operator", help="operators who follow the feed")
    operators.add_words(operator.add_subparsers(dest="act", required=True))
