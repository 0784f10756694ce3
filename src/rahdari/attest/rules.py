"""When an attestation counts, what it is worth, and how a file of members is read. Pure: no database, clock, network.

No rule here or above takes a registration away: an attestation that is revoked after it counted is a question for a
person.
"""

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from rahdari.people import identifiers, names
from rahdari.tables.csv_tables import CsvRow, FileTrouble, read_table

MOST_FILE_BYTES = 2_000_000
LONGEST_NAME = 200
COLUMNS = ("member_number", "name", "identifier", "valid_from", "valid_until")
NEEDED = ("member_number", "name", "identifier", "valid_until")
# Of a list of members whose attestations are taken back.
NEEDED_TO_REVOKE = ("member_number",)
FILES_KEPT = dt.timedelta(days=7)
# What an association was shown of an applicant goes so long after its answer.
KEPT_AFTER_ANSWER = dt.timedelta(days=30)
UNDONE_WITHIN = dt.timedelta(hours=24)
_EMAIL = re.compile(r"[^@\s\"'<>,;]{1,64}@[a-z0-9-]+(\.[a-z0-9-]+)+")


class AttestationState(StrEnum):
    LIVE = "live"
    NOT_YET = "not_yet"
    EXPIRED = "expired"
    REVOKED = "revoked"


class Answer(StrEnum):
    """What an association answers."""

    ATTESTED = "attested"
    NOT_MEMBER = "not_member"


class ReviewKind(StrEnum):
    REVOKED = "revoked"
    DISPUTED = "disputed"


class Reply(StrEnum):
    """What the association says to a dispute."""

    KEEPS = "keeps"
    YIELDS = "yields"


class ReviewOutcome(StrEnum):
    """What an officer decides: the registration stays; another proof is asked for; the member was right."""

    STANDS = "stands"
    ANOTHER_PROOF = "another_proof"
    MEMBER_RIGHT = "member_right"


# What an officer may decide of which matter. "Stands": the registration, or the attestation that is disputed.
OUTCOMES: Mapping[ReviewKind, tuple[ReviewOutcome, ...]] = {
    ReviewKind.REVOKED: (ReviewOutcome.STANDS, ReviewOutcome.ANOTHER_PROOF, ReviewOutcome.MEMBER_RIGHT),
    ReviewKind.DISPUTED: (ReviewOutcome.STANDS, ReviewOutcome.MEMBER_RIGHT),
}


def state_of(*, valid_from: dt.date, valid_until: dt.date, revoked: bool, today: dt.date) -> AttestationState:
    """The state of an attestation on the day `today`; `valid_until` is its last valid day."""
    if revoked:
        return AttestationState.REVOKED
    if today < valid_from:
        return AttestationState.NOT_YET
    return AttestationState.LIVE if today <= valid_until else AttestationState.EXPIRED


# -- whether it is the applicant's, and what it is worth -------------------------------------------------------------


class Fit(StrEnum):
    """Whether an attestation is the applicant's."""

    FITS = "fits"
    ANOTHER_NAME = "another_name"
    NOT_LIVE = "not_live"
    NO_WEIGHT = "no_weight"


class Tie(StrEnum):
    """What shows that an applicant is the one attested: a number that is only typed shows nothing."""

    ADDRESS = "address"  # it was attested of the address with which they sign in
    REPRESENTS = "represents"  # it was shown that they may apply with the company's number
    ASSOCIATION = "association"  # the association was asked about this application, and saw who applies
    NUMBER = "number"  # the contact on a list of members showed that the member number is theirs
    BEFORE = "before"  # it was shown for an earlier application of the same holder


@dataclass(frozen=True)
class Candidate:
    """An attestation that carries a number or address of the applicant's. `name`: what comparing the names says."""

    id: str
    state: AttestationState
    name: str
    weight: str | None

    @property
    def fit(self) -> Fit:
        if self.weight is None:
            return Fit.NO_WEIGHT
        if self.name == "different":
            return Fit.ANOTHER_NAME
        return Fit.FITS if self.state is AttestationState.LIVE else Fit.NOT_LIVE


_WORTH = {"alone": 0, "provisional": 1, "supporting": 2}


def best(candidates: Iterable[Candidate]) -> Candidate | None:
    """The one that fits and is worth most; None when none fits."""
    fitting = [each for each in candidates if each.fit is Fit.FITS]
    return min(fitting, key=lambda each: (_WORTH[each.weight or "supporting"], each.id), default=None)


# -- identifiers ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Identifier:
    """By what a member is known again: a card number, a company number or an email address, in one form."""

    kind: str  # card | company | email
    value: str


def read_identifier(text: str) -> Identifier | None:
    """What was meant, by its shape; None when it is none of the three."""
    bare = text.strip()
    if "@" in bare:
        plain = bare.lower()
        return Identifier("email", plain) if _EMAIL.fullmatch(plain) else None
    try:
        return Identifier("card", identifiers.parse_cnic(bare).digits)
    except identifiers.IdentifierError:
        pass
    try:
        return Identifier("company", identifiers.parse_company_number(bare))
    except identifiers.IdentifierError:
        return None


def member_key(number: str) -> str:
    """The one form in which member numbers are compared: case, spaces and marks do not matter."""
    return re.sub(r"[\s\-/._]", "", identifiers.parse_association_number(number)).casefold()


# -- rows ----------------------------------------------------------------------------------------------------------


# A letter that is read as a figure, beside a figure: SAMPLE-O031 would bring another member's row up to date.
LOOK_ALIKE = re.compile(r"[0-9][OoIl]|(?<![^\W\d_])[OoIl][0-9]")


class RowTrouble(StrEnum):
    """Why a row cannot be taken as it is."""

    NO_NUMBER = "no_number"
    NUMBER_SHAPE = "number_shape"
    LETTER_FOR_FIGURE = "letter_for_figure"
    NO_NAME = "no_name"
    NAME_TOO_LONG = "name_too_long"
    NAME_LEADS_AWAY = "name_leads_away"
    NO_IDENTIFIER = "no_identifier"
    IDENTIFIER_SHAPE = "identifier_shape"
    NO_END = "no_end"
    DAY_SHAPE = "day_shape"
    ENDED = "ended"
    TOO_FAR = "too_far"
    ENDS_BEFORE_IT_BEGINS = "ends_before_it_begins"
    TWICE = "twice"
    NUMBER_TWICE = "number_twice"
    NUMBER_TAKEN = "number_taken"
    NOT_ATTESTED = "not_attested"


@dataclass(frozen=True)
class Member:
    """A member as a row or a form gives them."""

    number: str
    name: str
    identifier: Identifier
    valid_from: dt.date
    valid_until: dt.date


@dataclass(frozen=True)
class Bounds:
    """Today, and the last day that the policy lets an attestation hold for."""

    today: dt.date
    latest: dt.date


def last_day(today: dt.date, months: int) -> dt.date:
    """The day so many months from today; the last of its month where it has no such day."""
    year, month = divmod(today.month - 1 + months, 12)
    year, month = today.year + year, month + 1
    for day in (today.day, 30, 29, 28):
        try:
            return dt.date(year, month, day)
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")


def read_day(text: str) -> dt.date | None:
    """A day as 2026-12-31 or 31-12-2026, also with / or . between."""
    plain = identifiers.with_plain_digits(text).strip().replace("/", "-").replace(".", "-")
    for form in ("%Y-%m-%d", "%d-%m-%Y"):
        try:
            return dt.datetime.strptime(plain, form).date()  # noqa: DTZ007
        except ValueError:
            continue
    return None


def read_member(
    *, number: str, name: str, identifier: str, valid_from: str, valid_until: str, bounds: Bounds
) -> Member | RowTrouble:
    """A member, or the first thing that is wrong."""
    try:
        plain_number = identifiers.parse_association_number(number)
        if not any(sign.isalnum() for sign in plain_number):
            return RowTrouble.NUMBER_SHAPE
        if LOOK_ALIKE.search(number):
            return RowTrouble.LETTER_FOR_FIGURE
    except identifiers.IdentifierError as error:
        return RowTrouble.NO_NUMBER if error.reason == "empty" else RowTrouble.NUMBER_SHAPE
    plain_name = " ".join(name.split())
    if not any(sign.isalpha() for sign in plain_name):
        return RowTrouble.NO_NAME
    if len(plain_name) > LONGEST_NAME:
        return RowTrouble.NAME_TOO_LONG
    if names.leads_away(plain_name, of_firm=True):
        return RowTrouble.NAME_LEADS_AWAY
    if not identifier.strip():
        return RowTrouble.NO_IDENTIFIER
    known_by = read_identifier(identifier)
    if known_by is None:
        return RowTrouble.IDENTIFIER_SHAPE
    days = _days(valid_from, valid_until, bounds)
    if isinstance(days, RowTrouble):
        return days
    return Member(plain_number, plain_name, known_by, *days)


def _days(valid_from: str, valid_until: str, bounds: Bounds) -> tuple[dt.date, dt.date] | RowTrouble:
    if not valid_until.strip():
        return RowTrouble.NO_END
    start = read_day(valid_from) if valid_from.strip() else bounds.today
    end = read_day(valid_until)
    if start is None or end is None:
        return RowTrouble.DAY_SHAPE
    if end < bounds.today:
        return RowTrouble.ENDED
    if end > bounds.latest:
        return RowTrouble.TOO_FAR
    return (start, end) if start <= end else RowTrouble.ENDS_BEFORE_IT_BEGINS


class Effect(StrEnum):
    """What a good row does."""

    NEW = "new"
    RENEWED = "renewed"
    SAME = "same"


@dataclass(frozen=True)
class Held:
    """What the association has already of a member with this identifier, under this claim."""

    number_key: str
    name: str
    valid_until: dt.date


@dataclass(frozen=True)
class Judged:
    """A row with the member it names and its effect, or with what is wrong."""

    row: CsvRow
    member: Member | None = None
    effect: Effect | None = None
    trouble: RowTrouble | None = None
    # Of one that stands twice: the line of another row with the same.
    other: int | None = None


def read_file(content: bytes, *, most_rows: int) -> tuple[CsvRow, ...] | FileTrouble:
    return read_table(content, needed=NEEDED, most_rows=most_rows, most_bytes=MOST_FILE_BYTES)


def read_rows(rows: Sequence[CsvRow], bounds: Bounds) -> list[Judged]:
    """Each row by itself, and against the others: who stands twice is a mistake in both rows."""
    read = [
        (
            row,
            read_member(
                number=row.cell("member_number"),
                name=row.cell("name"),
                identifier=row.cell("identifier").removeprefix("'"),
                valid_from=row.cell("valid_from"),
                valid_until=row.cell("valid_until"),
                bounds=bounds,
            ),
        )
        for row in rows
    ]
    lines: dict[object, list[int]] = {}
    for row, found in read:
        if isinstance(found, Member):
            for same in (found.identifier, member_key(found.number)):
                lines.setdefault(same, []).append(row.line)
    judged = []
    for row, found in read:
        if isinstance(found, RowTrouble):
            judged.append(Judged(row, trouble=found))
            continue
        by_identifier, by_number = lines[found.identifier], lines[member_key(found.number)]
        if len(by_identifier) > 1:
            judged.append(Judged(row, trouble=RowTrouble.TWICE, other=_another(by_identifier, row.line)))
        elif len(by_number) > 1:
            judged.append(Judged(row, trouble=RowTrouble.NUMBER_TWICE, other=_another(by_number, row.line)))
        else:
            judged.append(Judged(row, member=found))
    return judged


def _another(lines: Sequence[int], line: int) -> int:
    return next(each for each in lines if each != line)


def read_numbers(rows: Sequence[CsvRow]) -> list[tuple[CsvRow, str | RowTrouble]]:
    """Member numbers of a list, each once, or what is wrong with a row."""
    read: list[tuple[CsvRow, str | RowTrouble]] = []
    for row in rows:
        try:
            read.append((row, identifiers.parse_association_number(row.cell("member_number"))))
        except identifiers.IdentifierError as error:
            read.append((row, RowTrouble.NO_NUMBER if error.reason == "empty" else RowTrouble.NUMBER_SHAPE))
    times = Counter(member_key(found) for _row, found in read if not isinstance(found, RowTrouble))
    return [
        (row, RowTrouble.NUMBER_TWICE if not isinstance(found, RowTrouble) and times[member_key(found)] > 1 else found)
        for row, found in read
    ]


def effect_of(member: Member, *, held: Held | None, number_is_anothers: bool) -> Effect | RowTrouble:
    """What attesting this member comes to, beside what is there. The same again changes nothing."""
    if number_is_anothers:
        return RowTrouble.NUMBER_TAKEN
    if held is None:
        return Effect.NEW
    same = (held.number_key, held.name, held.valid_until) == (
        member_key(member.number),
        member.name,
        member.valid_until,
    )
    return Effect.SAME if same else Effect.RENEWED
