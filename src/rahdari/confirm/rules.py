"""What an answer means, how a name is masked, how a file of answers is read. Pure: no database, clock or network.

An operator's "no" is a fact for a person to weigh; nothing here says what becomes of an application.
"""

import datetime as dt
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from rahdari.tables.csv_tables import CsvRow as CsvRow
from rahdari.tables.csv_tables import FileTrouble as FileTrouble
from rahdari.tables.csv_tables import read_table
from rahdari.tables.csv_tables import write_table as write_table

NUMBER = re.compile(r"Q-[A-HJ-NP-Z2-9]{4}-[A-HJ-NP-Z2-9]{4}")
# What an operator may want to correct it can correct this long; then what we sent it is deleted.
KEPT_AFTER_ANSWER = dt.timedelta(days=30)
FILES_KEPT = dt.timedelta(days=7)
MOST_ROWS = 5_000
MOST_FILE_BYTES = 1_000_000


class QuestionKind(StrEnum):
    """What is asked about: an address of a subscriber, or the name on a mobile number. An operator is never asked what
    runs over a line, how much, or whereto: another kind needs a decision (ADR 0022)."""

    SUBSCRIBER = "subscriber"
    MOBILE = "mobile"


class OperatorAnswer(StrEnum):
    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


# Why not: the number in a file, and the word in the API. Of each kind of question, in the order of the page.
REASONS: dict[QuestionKind, tuple[str, ...]] = {
    QuestionKind.SUBSCRIBER: ("another_subscriber", "not_our_address", "unknown_subscriber", "line_closed"),
    QuestionKind.MOBILE: ("another_subscriber", "not_our_number", "line_closed"),
}
# This says that we asked the wrong network, and nothing about the applicant.
BLAMES_NOBODY = frozenset({"not_our_address", "not_our_number"})
# By what an operator knows a mobile line from its yes on: its own word for it, which says nothing to anybody else.
REFERENCE = re.compile(r"[0-9A-Za-z][0-9A-Za-z._~-]{7,63}")
_A_MOBILE_NUMBER = re.compile(r"(?<![0-9])(?:0{0,2}92|0)?3[0-9]{9}(?![0-9])")


class AnswerTrouble(StrEnum):
    """Why an answer cannot be taken as it is."""

    UNKNOWN_ANSWER = "unknown_answer"
    NO_REASON = "no_reason"
    UNKNOWN_REASON = "unknown_reason"
    REASON_WITHOUT_NO = "reason_without_no"
    UNKNOWN_CHECK = "unknown_check"
    CLOSED = "closed"
    TWICE = "twice"
    NO_REFERENCE = "no_reference"
    REFERENCE_UNUSABLE = "reference_unusable"
    REFERENCE_SAYS_THE_NUMBER = "reference_says_the_number"
    REFERENCE_NOT_WANTED = "reference_not_wanted"
    OWN = "own"


@dataclass(frozen=True)
class Given:
    """An answer that can be taken. `reference` is the operator's own word for a mobile line, with its yes."""

    answer: OperatorAnswer
    reason: str = ""
    reference: str = ""


def reason_of(kind: QuestionKind, text: str) -> str | None:
    """The reason that a number or a word stands for; None when it stands for none."""
    reasons = REASONS[kind]
    bare = text.strip().lower()
    if bare.isascii() and bare.isdigit() and 1 <= int(bare) <= len(reasons):
        return reasons[int(bare) - 1]
    return bare if bare in reasons else None


def read_reference(text: str, *, number: str = "") -> str | AnswerTrouble:
    """A reference that can be kept: opaque, so no mobile number, and not with the one asked about in it."""
    bare = text.strip()
    if not bare:
        return AnswerTrouble.NO_REFERENCE
    if not REFERENCE.fullmatch(bare):
        return AnswerTrouble.REFERENCE_UNUSABLE
    digits = re.sub(r"[^0-9]", "", bare)
    if _A_MOBILE_NUMBER.search(bare) or (number and number[-10:] in digits):
        return AnswerTrouble.REFERENCE_SAYS_THE_NUMBER
    return bare


def read_answer(
    kind: QuestionKind, *, word: str, reason: str = "", reference: str = "", number: str = ""
) -> Given | AnswerTrouble:
    """What an operator means, or why we do not know. `number` is what was asked about, of a mobile line."""
    word = word.strip().lower()
    if word not in set(OperatorAnswer):
        return AnswerTrouble.UNKNOWN_ANSWER
    meant = OperatorAnswer(word)
    if reference.strip() and (kind is not QuestionKind.MOBILE or meant is not OperatorAnswer.YES):
        return AnswerTrouble.REFERENCE_NOT_WANTED
    if meant is not OperatorAnswer.NO and reason.strip():
        return AnswerTrouble.REASON_WITHOUT_NO
    if meant is OperatorAnswer.YES and kind is QuestionKind.MOBILE:
        opaque = read_reference(reference, number=number)
        return opaque if isinstance(opaque, AnswerTrouble) else Given(meant, reference=opaque)
    if meant is not OperatorAnswer.NO:
        return Given(meant)
    if not reason.strip():
        return AnswerTrouble.NO_REASON
    found = reason_of(kind, reason)
    return Given(meant, found) if found else AnswerTrouble.UNKNOWN_REASON


# -- what an operator sees -----------------------------------------------------------------------------------------


def mask_word(word: str) -> str:
    """First and last letter; a number stays as it is."""
    if word.isdigit() or not word:
        return word
    # A letter and the marks on it are one to the reader.
    letters: list[str] = []
    for sign in word:
        if letters and unicodedata.combining(sign):
            letters[-1] += sign
        else:
            letters.append(sign)
    if len(letters) == 1:
        return word
    if len(letters) == 2:
        return letters[0] + "*"
    return letters[0] + "*" * (len(letters) - 2) + letters[-1]


def mask_name(name: str) -> str:
    """`Sample Freelancer 14` as `S****e F********r 14`."""
    return " ".join(mask_word(word) for word in name.split())


# -- files of answers ----------------------------------------------------------------------------------------------

COLUMNS = ("check", "answer_until", "subscriber", "address", "name_masked", "answer", "reason", "reference")
NEEDED = ("check", "answer")


@dataclass(frozen=True)
class Asked:
    """What a row is held against."""

    kind: QuestionKind
    closed: bool = False
    number: str = ""
    own: bool = False


@dataclass(frozen=True)
class Judged:
    """A row with its answer, with what is wrong, or with neither: then it is left open."""

    row: CsvRow
    number: str
    given: Given | None = None
    trouble: AnswerTrouble | None = None


def read_file(content: bytes) -> tuple[CsvRow, ...] | FileTrouble:
    """The rows of a file of answers."""
    return read_table(content, needed=NEEDED, most_rows=MOST_ROWS, most_bytes=MOST_FILE_BYTES)


def judge(rows: Iterable[CsvRow], asked: Mapping[str, Asked]) -> list[Judged]:
    """Each row against the question it names. A number that comes twice is a mistake in both rows."""
    listed = list(rows)
    numbers = [row.cell("check").upper() for row in listed]
    times = Counter(number for row, number in zip(listed, numbers, strict=True) if row.cell("answer"))
    return [
        _judged(row, number, asked.get(number), times[number] > 1) for row, number in zip(listed, numbers, strict=True)
    ]


def _judged(row: CsvRow, number: str, asked: Asked | None, twice: bool) -> Judged:
    if not row.cell("answer") and not row.cell("reason") and not row.cell("reference"):
        return Judged(row, number)
    if asked is None:
        return Judged(row, number, trouble=AnswerTrouble.UNKNOWN_CHECK)
    if asked.closed:
        return Judged(row, number, trouble=AnswerTrouble.CLOSED)
    if asked.own:
        return Judged(row, number, trouble=AnswerTrouble.OWN)
    if twice:
        return Judged(row, number, trouble=AnswerTrouble.TWICE)
    found = read_answer(
        asked.kind,
        word=row.cell("answer"),
        reason=row.cell("reason"),
        reference=row.cell("reference"),
        number=asked.number,
    )
    return Judged(row, number, trouble=found) if isinstance(found, AnswerTrouble) else Judged(row, number, given=found)
