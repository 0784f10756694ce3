"""`rahdari agent preflight`: what a planned change would cut of the entries that are held here. Asks nobody."""

import argparse
import gc
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rahdari.address import format_block
from rahdari.feed import ROLES
from rahdari.preflight import MOST_BYTES, Answer, Change, PlanError, State, Syntax, answer, read
from rahdari.preflight.words import as_json, error_in_words, trouble_in_words

from ..applying import kept_since
from ..configuration import load
from ..faults import Exit
from ..folder import read_state
from ..published import Published
from ..rules import is_stale
from ..state import Position
from ..status import edition_in_words, grace_of
from .acts import Acts, NotUnderstood, act, now

# Lines that were not understood are shown to a person up to this many; JSON has up to `MOST_NAMED`.
SHOWN = 20
_NAMES = {4: "IPv4", 6: "IPv6"}


def add(acts: Acts) -> None:
    preflight = act(acts, "preflight", "say what a planned change would cut of what is held here", look_ahead)
    preflight.add_argument("file", help="prefixes, CSV, RPSL, or a device's rules (- reads stdin)")
    preflight.add_argument("--syntax", choices=[str(each) for each in Syntax], help="instead of guessing it")
    preflight.add_argument("--json", action="store_true", help="print a JSON object")


@contextmanager
def uncollected() -> Iterator[None]:
    """What is read lives until the answer: looking for garbage meanwhile finds none, and takes a tenth of the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@uncollected()
def look_ahead(arguments: argparse.Namespace) -> int:
    try:
        change = read(_content(arguments.file), Syntax(arguments.syntax) if arguments.syntax else None)
        configuration, at = load(arguments.config), now()
        with read_state(configuration.state) as state:
            positions = state.positions()
            if not positions:
                raise NotUnderstood("Nothing has been verified yet.", "Run: rahdari agent sync")
            after = kept_since(positions, now=at, grace=grace_of(configuration, state))
            found = answer(change, Published(state, kept_after=after))
    except PlanError as error:
        raise NotUnderstood(*error_in_words(error)) from None
    stale = any(is_stale(now=at, fresh_until=held.fresh_until) for held in positions.values())
    if arguments.json:
        print(json.dumps(_as_json(found, positions, stale=stale), indent=1))
    else:
        print("\n".join(_in_words(found, positions, stale=stale)))
    return exit_of(found)


def exit_of(found: Answer) -> Exit:
    """Whoever looks for one code alone shall not miss what was not read."""
    untouched = found.untouched == found.entries and not found.denies_by_default
    return Exit.OK if untouched else Exit.CUTS


def _content(file: str) -> bytes:
    """One byte more than may be read, so that more is seen."""
    try:
        if file == "-":
            return sys.stdin.buffer.read(MOST_BYTES + 1)
        with Path(file).open("rb") as opened:
            return opened.read(MOST_BYTES + 1)
    except OSError as error:
        raise NotUnderstood(f"{file} cannot be read ({error.strerror}).", "Give a file, or - for stdin.") from None


def _as_json(found: Answer, positions: dict[str, Position], *, stale: bool) -> dict[str, Any]:
    shown = positions.get(ROLES[0])
    return {
        "session": shown.session if shown else None,
        "sequence": shown.sequence if shown else None,
        "sequences": {role: held.sequence for role, held in positions.items()},
        "stale": stale,
        **as_json(found),
    }


def _in_words(found: Answer, positions: dict[str, Position], *, stale: bool) -> list[str]:
    edition = edition_in_words(positions)
    change = found.change
    said = [f"Read as {change.syntax}: {_count(change.lines, 'line')}, {_count(change.rules, 'rule')}."]
    said += _default_in_words(found)
    if found.cut or found.affected:
        said.append(
            f"Of {_count(found.entries, 'entry')} in {edition}, {found.cut} would be cut and {found.affected} affected:"
        )
        for entry, verdict in found.found:
            port = "" if entry.port is None else f" {entry.port}"
            does = "CUT" if verdict.state is State.CUT else f"affected ({', '.join(sorted(verdict.actions))})"
            lines = ", ".join(map(str, verdict.lines[:5])) + (", ..." if len(verdict.lines) > 5 else "")
            said.append(f"  {format_block(entry.prefix)} {entry.protocol}{port}: {does} by line {lines}")
        if (more := found.cut + found.affected - len(found.found)) > 0:
            said.append(f"  and {more} more.")
    elif not change.unread_count:
        said.append(f"Of the entries in {edition} none is named.")
    if change.unread_count:
        said.append(
            f"Not judged because of {_count(change.unread_count, 'line')}: which "
            f"{'others are' if found.cut or found.affected else f'entries in {edition} are'} not touched."
        )
    else:
        said.append(f"Not touched: {found.untouched}.")
    said.append("This says nothing of anybody else whom the change cuts.")
    said += _unread_in_words(change)
    if stale:
        said.append("The feed is stale: a newer edition may say otherwise.")
    return said


def _protocols(some: Sequence[str]) -> str:
    return ", ".join("other protocols" if each == "other" else each.upper() for each in some)


def _default_in_words(found: Answer) -> list[str]:
    if not found.denies_by_default:
        return []
    shares = [
        f"{share.touched:.4%} of {_NAMES[version]} ({share.everything:.4%} wholly)"
        for version, share in found.shares.items()
    ]
    what = "" if found.denies_all_of_others or not found.by_default else f" {_protocols(found.by_default)}"
    return [f"THIS DENIES{what} BY DEFAULT. Of all addresses it cuts off {' and '.join(shares)}."]


def _unread_in_words(change: Change) -> list[str]:
    said = []
    if change.of_the_machine:
        said.append(
            f"{_count(change.of_the_machine, 'rule')} hold for the machine's own addresses alone, and were not judged."
        )
    if not change.unread_count:
        return [*said, "Every line was understood."]
    said.append(f"{_count(change.unread_count, 'line')} not understood, and not judged:")
    for each in change.unread[:SHOWN]:
        what, mend = trouble_in_words(each)
        said += [f"  line {each.line}: {each.text}", f"    {what[:1].upper()}{what[1:]}. {mend}."]
    if (more := change.unread_count - SHOWN) > 0:
        said.append(f"  and {more} more; --json names up to 200.")
    return said


def _count(number: int, word: str) -> str:
    if number == 1:
        return f"1 {word}"
    return f"{number} {word[:-1]}ies" if word.endswith("y") else f"{number} {word}s"
