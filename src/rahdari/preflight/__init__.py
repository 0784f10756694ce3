"""What a planned change would cut: read from what operators write for their devices, held against the entries.

Pure: nothing is fetched, kept, signed or logged. The README says which syntaxes are read, and what is not looked at.
"""

from .answering import MOST_ENTRIES, Answer, Edition, Found, Held, Share, answer
from .carried import as_data, change_of, error_of, given_of
from .change import (
    Action,
    Busy,
    Change,
    JumpsInCircle,
    NoText,
    NothingInIt,
    OtherFormat,
    PlanError,
    Syntax,
    SyntaxUnknown,
    TooLarge,
    TooManyLines,
    TooManyRules,
    TooMuch,
    Trouble,
    Unread,
)
from .judging import State, Verdict
from .reading import MOST_BYTES, MOST_LINES, read
from .sorts import EVERY_SORT, NO_PORT, Sorts, condition
from .space import Span, Spans, blocks_of, holds, span_of

__all__ = [
    "EVERY_SORT", "MOST_BYTES", "MOST_ENTRIES", "MOST_LINES", "NO_PORT", "Action", "Answer", "Busy", "Change",
    "Edition", "Found", "Held", "JumpsInCircle", "NoText", "NothingInIt", "OtherFormat", "PlanError", "Share",
    "Sorts", "Span", "Spans", "State", "Syntax", "SyntaxUnknown", "TooLarge", "TooManyLines", "TooManyRules",
    "TooMuch", "Trouble", "Unread", "Verdict", "answer", "as_data", "blocks_of", "change_of", "condition", "error_of",
    "given_of", "holds", "read", "span_of",
]  # fmt: skip
