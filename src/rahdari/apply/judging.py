"""What is said of each row of a file of addresses: by the same form and the same rules as one address, in its words."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.core.exceptions import ValidationError

from rahdari.address import directory, format_block, is_single
from rahdari.people import queries as people
from rahdari.people.models import Organisation, User
from rahdari.people.names import NameField
from rahdari.people.names import tidy as tidy_name
from rahdari.people.rules import MOST_BRANCHES, Act
from rahdari.policy import Policy

from . import form_errors, queries, summary
from .address_form import AddressForm
from .bulk import FILES_KEPT, NewEndpoint, table_of
from .models import AddressFile, Application
from .rows import CHANGES, COLUMNS, NAMES_OF_PROTOCOLS, OPERATOR, SUBSCRIBER, WRONG, AddressRow, Table, tidy, write
from .rules import AddressTrouble, Trouble

# So many files somebody sends in so many seconds: judging a thousand rows takes a second of a processor.
FILES, PER_SECONDS = 30, 600
# The columns in which the form finds its errors.
_COLUMN_OF = {"block": "address", "kind": "protocol", "stays": CHANGES}


@dataclass(frozen=True)
class Fault:
    """What is wrong in a cell: the column, what stands there, a sentence, and what was probably meant."""

    column: str
    value: str
    words: str
    suggestion: str = ""
    # A port that stood behind the address, for its own column.
    port: int | None = None


@dataclass(frozen=True)
class Judged:
    row: AddressRow
    faults: tuple[Fault, ...] = ()
    notes: tuple[str, ...] = ()
    wanted: NewEndpoint | None = None

    @property
    def is_good(self) -> bool:
        return self.wanted is not None and not self.faults

    @property
    def mended(self) -> AddressRow | None:
        """The row with what was probably meant, where that is known of everything that is wrong."""
        if not self.faults or not all(fault.suggestion for fault in self.faults):
            return None
        cells = {fault.column: fault.suggestion for fault in self.faults}
        ports = [fault.port for fault in self.faults if fault.port is not None]
        if ports and not self.row.cell("port"):
            cells["port"] = str(ports[0])
        return self.row.with_cells(**cells)

    @property
    def address(self) -> str:
        return format_block(self.wanted.block) if self.wanted is not None else self.row.cell("address")

    @property
    def line(self) -> summary.SummaryLine:
        """What runs there, as the list of addresses has it."""
        if self.wanted is None:
            return summary.SummaryLine(
                " ".join(filter(None, (self.row.cell("protocol"), self.row.cell("port")))), "ltr"
            )
        return summary.line_of(self.wanted.as_address().parts, self.wanted.runs)


@dataclass
class Branches:
    """Of an organisation: the names that are there or to be added, and how many more may be."""

    names: set[str]
    may_add: bool
    room: int


def most_rows(application: Application, policy: Policy) -> int:
    """How many rows a file takes: as many as the application takes addresses; 0 where no file is taken."""
    holder = queries.service_of(application, policy).holder
    return policy.limits.most_endpoints(holder) if holder == "organisation" and not application.is_mobile else 0


def _branches_for(by: User, organisation: Organisation) -> Branches:
    names = {branch.name.casefold() for branch in people.branches_of(organisation)}
    return Branches(names, adds_branches(by, organisation), MOST_BRANCHES - len(names))


def adds_branches(by: User, organisation: Organisation | None) -> bool:
    """Whether a file of this person's may add branches: whoever may do so one by one."""
    return organisation is not None and people.may(by, Act.BRANCHES, organisation=organisation)


def judge(application: Application, table: Table, policy: Policy, *, by: User) -> list[Judged]:
    """Each row: good, with notes perhaps; or wrong, and why. A row is held against the good ones before it, too; a
    branch that is not there yet is added for who may add one.
    """
    asks = queries.service_of(application, policy).asks_operator
    read = [_read(row, policy, asks_subscriber=asks) for row in table.rows]
    wanted = [each.wanted for each in read if each.wanted is not None]
    beside = [row.as_address() for row in queries.rows_of(application)]
    found = iter(queries.assess_endpoints(application, [each.as_address() for each in wanted], policy, beside=beside))
    branches = _branches_for(by, application.organisation) if application.organisation is not None else None
    judged: list[Judged] = []
    lines: dict[str, int] = {}
    for each in read:
        if each.wanted is None:
            judged.append(each)
            continue
        trouble = next(found)
        if trouble is not None:
            judged.append(Judged(each.row, (_fault(each, trouble, lines),)))
            continue
        lines.setdefault(str(each.wanted.as_address()), each.row.line)
        found_good = _with_branch(each.row, each.wanted, branches)
        judged.append(replace(found_good, notes=(*each.notes, *found_good.notes)))
    return judged


def judge_file(application: Application, file: AddressFile, policy: Policy, *, by: User) -> tuple[Table, list[Judged]]:
    """The rows that wait in the file, and what is said of each."""
    table = table_of(file)
    return table, judge(application, table, policy, by=by)


def kept_until(file: AddressFile) -> dt.datetime:
    return file.uploaded_at + FILES_KEPT


def _with_branch(row: AddressRow, wanted: NewEndpoint, branches: Branches | None) -> Judged:
    """The row with its branch: one that is there, or that is added with the address."""
    name, notes = wanted.branch, _notes(row, wanted)
    if name and branches is None:
        label = ", ".join(filter(None, (name, wanted.label)))[:160]
        return Judged(row, (), (*notes, form_errors.no_organisation_yet()), replace(wanted, branch="", label=label))
    if name and branches is not None and name.casefold() not in branches.names:
        if not branches.may_add:
            return Judged(row, (Fault("branch", row.cell("branch"), form_errors.no_such_branch()),))
        try:
            NameField().clean(name)
        except ValidationError as error:
            return Judged(row, (Fault("branch", row.cell("branch"), error.messages[0]),))
        if branches.room <= 0:
            return Judged(row, (Fault("branch", row.cell("branch"), form_errors.branches_full(MOST_BRANCHES)),))
        branches.names.add(name.casefold())
        branches.room -= 1
        notes = (*notes, form_errors.new_branch(name))
    return Judged(row, (), notes, wanted)


def _read(row: AddressRow, policy: Policy, *, asks_subscriber: bool) -> Judged:
    """The row by itself, through the form of one address."""
    form = AddressForm(row.given(), limits=policy.limits, asks_subscriber=asks_subscriber, from_a_table=True)
    if form.is_valid():
        data = form.cleaned_data
        return Judged(
            row,
            notes=tuple(filter(None, [form.told_of_whole])),
            wanted=NewEndpoint(
                block=data["block"],
                runs=data["runs"],
                parts=data["parts"],
                remote=data["remote"],
                kind=data["stays"],
                label=data["label"],
                subscriber=data.get("subscriber", ""),
                branch=tidy_name(row.cell("branch"))[:100],
            ),
        )
    faults = []
    for name, errors in form.errors.items():
        column = _COLUMN_OF.get(name, name)
        words = " ".join(str(error) for error in errors)
        if column == "protocol":  # of a list of choices, which a file has none of
            words = form_errors.no_such_protocol(NAMES_OF_PROTOCOLS)
        meant = (form.suggestion or "", form.port_found) if name == "block" else ("", None)
        faults.append(Fault(column, row.cell(column), words, *meant))
    return Judged(row, tuple(faults))


def _fault(each: Judged, trouble: Trouble, lines: dict[str, int]) -> Fault:
    earlier = lines.get(str(trouble.other)) if trouble.kind is AddressTrouble.DUPLICATE else None
    if earlier is not None:
        words = form_errors.repeated(earlier)
    elif trouble.kind is AddressTrouble.DUPLICATE and each.wanted and trouble.other == each.wanted.as_address():
        words = form_errors.added_before()
    else:
        words = form_errors.trouble(trouble)
    return Fault("address", each.row.cell("address"), words)


def _notes(row: AddressRow, wanted: NewEndpoint) -> tuple[str, ...]:
    """What is good to know of a row that is accepted."""
    notes = []
    origin = directory.current().origin(wanted.block)
    named = tidy(row.cell(OPERATOR))
    if origin is None:
        notes.append(form_errors.network_unknown())
    elif named and not _is_operator(named, origin.organisation, origin.asn):
        notes.append(form_errors.another_operator(origin.organisation))
    if not is_single(wanted.block) and wanted.block.version == 4:
        notes.append(form_errors.range_of(wanted.block.num_addresses))
    return tuple(notes)


def _is_operator(named: str, organisation: str, asn: int) -> bool:
    plain, known = named.casefold(), organisation.casefold()
    return plain in known or known in plain or plain.removeprefix("as").strip() == str(asn)


# -- files to take home --------------------------------------------------------------------------------------------


def corrected(judged: Sequence[Judged], table: Table) -> str:
    """All rows as they came, with our corrections, and a last column that says what is wrong with the others."""
    heading = [*table.columns]
    for row in judged:
        heading += [column for column in row.row.cells if column not in heading]
    found = ([*_cells(each, heading), _wrong(each)] for each in judged)
    return write([*heading, WRONG], found, separator=table.separator)


def as_text(wrong: Sequence[Judged], columns: Sequence[str]) -> str:
    """The rows to correct, as they stand, for a text field."""
    if not wrong:
        return ""
    heading = [*columns]
    for each in wrong:
        heading += [column for column in each.row.cells if column not in heading]
    rows = ([each.row.cell(column) for column in heading] for each in wrong)
    return write(heading, rows, mark=False).replace("\r\n", "\n")


def _cells(each: Judged, columns: Sequence[str]) -> list[str]:
    row = each.mended or each.row
    return [tidy(row.cell(column)) for column in columns]


def _wrong(each: Judged) -> str:
    said = []
    for fault in each.faults:
        before = f"{fault.value}: " if fault.value else ""
        said.append(f"{fault.column}: {before}{fault.words}")
    # Marks of direction are for pages: in a cell they are not seen, and are copied along.
    return " ".join(said).translate(dict.fromkeys((0x2066, 0x2068, 0x2069)))


def sample(*, asks_subscriber: bool) -> str:
    """A file to fill in, with rows of addresses that are kept for examples."""
    more = [SUBSCRIBER] if asks_subscriber else []
    rows = [
        ["203.0.113.24", "wireguard", "", "", "Door of the staff", "Head office"],
        ["203.0.113.32/28", "openvpn", "1194, 1200-1203", "", "", "Data centre"],
        ["2001:db8:70::10", "ikev2", "", "198.51.100.7", "", "Branch North"],
    ]
    return write([*COLUMNS, *more], ([*row, *(["1234567"] * len(more))] for row in rows))
