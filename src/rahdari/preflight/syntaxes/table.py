"""CSV: a row of names, then rows. A column that is not known by name is let be; that of the blocks must be there.

Either one column of blocks, which is what to look for at both ends, or one for the source and one for the destination,
as firewalls export their rules.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from rahdari.address import plain_text

from .. import names
from ..change import EVERY_PROTOCOL, Action, NotUnderstood, Rule, Syntax, Trouble
from ..draft import Draft, both_ends
from ..space import ANYWHERE, PORTS, Spans, union
from . import lines as plain

NAMES = {
    "block": "address addresses block blocks prefix prefixes network networks ip ip_address cidr subnet route",
    "source": "source src source_address src_address source_ip src_ip from",
    "destination": "destination dst dest destination_address dst_address destination_ip dst_ip dest_ip to",
    "protocol": "protocol proto service ip_protocol",
    "port": "port ports service_port",
    "source_port": "source_port source_ports src_port sport",
    "destination_port": "destination_port destination_ports dst_port dest_port dport",
    "action": "action verdict decision what change policy",
}
# Says nothing of what passes; a permit with anything else beside it spares a part alone.
_BESIDE = frozenset(
    "comment comments description name remark remarks note notes id no nr number seq sequence line rule title owner "
    "author requester ticket reference ref date created changed hits count hitcount log logging as asn origin".split()
)
_KNOWN = {name: field for field, of in NAMES.items() for name in of.split()}
DELIMITERS = ",;\t|"


def header(line: str) -> tuple[str, dict[str, int]]:
    """The delimiter, and the place of each column that is known."""
    delimiter = max(DELIMITERS, key=line.count)
    try:
        cells = next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        # Longer than a cell may be.
        cells = []
    fields: dict[str, int] = {}
    for at, cell in enumerate(cells):
        known = _KNOWN.get("_".join(cell.lower().lstrip("\ufeff").replace("-", " ").split()))
        if known is not None:
            fields.setdefault(known, at)
    return delimiter, fields


def _more(line: str, delimiter: str) -> list[int]:
    """The places of columns that are known neither as what is matched nor as what stands beside it."""
    try:
        names_there = next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []
    said = ["_".join(cell.lower().lstrip("\ufeff").replace("-", " ").split()) for cell in names_there]
    return [at for at, name in enumerate(said) if name and name not in _KNOWN and name not in _BESIDE]


def read(lines: Sequence[str]) -> Draft:
    draft = Draft(Syntax.CSV, lines)
    of = draft.list_of("rows", 1)
    begins = next((at for at, line in enumerate(lines) if line.strip() and not line.lstrip().startswith("#")), 0)
    delimiter, fields = header(lines[begins])
    more = _more(lines[begins], delimiter)
    if not fields.keys() & {"block", "source", "destination"}:
        draft.refuse(begins + 1, NotUnderstood(Trouble.COLUMNS, lines[begins].strip()))
        return draft
    reader = csv.reader(lines[begins + 1 :], delimiter=delimiter)
    for row in _rows(reader, draft, begins + 1):
        number = begins + 1 + reader.line_num
        if not any(cell.strip() for cell in row) or row[0].lstrip().startswith("#"):
            continue
        cells = {name: plain_text(row[at]) for name, at in fields.items() if at < len(row)}
        partly = any(at < len(row) and row[at].strip() for at in more)
        try:
            rules = _rules(cells, number)
            if partly:
                rules = [replace(rule, conditional=rule.action is Action.PERMIT) for rule in rules]
            draft.add(of, rules)
        except NotUnderstood as error:
            draft.refuse(number, error)
    return draft


def _rows(reader: Any, draft: Draft, before: int) -> Iterator[list[str]]:
    """One that is no row of CSV is named, and the others go on."""
    while True:
        try:
            yield next(reader)
        except StopIteration:
            return
        except csv.Error:
            draft.refuse(min(before + max(reader.line_num, 1), len(draft.lines)), NotUnderstood(Trouble.OPEN, '"'))


def _rules(cells: Mapping[str, str], line: int) -> list[Rule]:
    said = cells.get("action", "").lower()
    action = plain.WORDS.get(said, None if said else Action.DENY)
    if action is None:
        raise NotUnderstood(Trouble.WORD, said)
    if cells.get("block"):
        of = plain.block_of(cells["block"])
        parts = plain.parts_of(f"{cells.get('protocol', '')} {cells.get('port', '')}".replace(",", " ").split())
        return [
            rule
            for protocols, conditional, ports in parts
            for rule in both_ends(action, line, of, protocols=protocols, ports=ports, conditional=conditional)
        ]
    if not (cells.get("source") or cells.get("destination")):
        raise NotUnderstood(Trouble.NO_ADDRESS, "")
    source, destination = (plain.block_of(cells.get(end) or "any") for end in ("source", "destination"))
    given = names.families(source if source != ANYWHERE else destination)
    protocols, conditional = names.protocols(cells["protocol"]) if cells.get("protocol") else (EVERY_PROTOCOL, False)
    ports = [_ports(cells.get(name, "")) for name in ("source_port", "destination_port")]
    if not cells.get("destination_port") and cells.get("port"):
        ports[1] = _ports(cells["port"])
    if ports != [PORTS, PORTS]:
        protocols &= names.BOTH_WITH_PORTS
    return [Rule(action, line, source & given, destination & given, protocols, ports[0], ports[1], conditional)]


def _ports(text: str) -> Spans:
    if text.lower() in {"", "any", "*", "all"}:
        return PORTS
    return union(names.ports(each) for each in text.replace(",", " ").split())
