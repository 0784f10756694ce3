"""How each registered address was shown, what was asked for since, and showing it again.

Whatever comes of it, nothing is removed.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.safestring import SafeString

from rahdari.address import format_block
from rahdari.apply import queries as apply
from rahdari.checks import queries as checks
from rahdari.control import method_words, reproofs
from rahdari.control import queries as proofs
from rahdari.control.models import Challenge, Method, Reproof, Status
from rahdari.register import queries as register
from rahdari.register.models import Entry


@dataclass(frozen=True)
class Proved:
    """How an address was shown, and what was asked for since. `proof` is None where something else stood for it."""

    entry: Entry
    address: str
    proof: Challenge | None
    text: SafeString | None
    last: Reproof | None
    # It stands provisionally, and is still to be shown.
    is_awaited: bool = False

    @property
    def under_way(self) -> Reproof | None:
        """It is asked for again, and not shown yet."""
        return self.last if self.last is not None and self.last.state == Reproof.State.OPEN else None

    @property
    def state(self) -> str:
        return self.last.state if self.last is not None else ""


def about(entry: Entry) -> str:
    return f"entry:{entry.pk}"


def proofs_of(entries: Iterable[Entry]) -> list[Proved]:
    listed = list(register.endpoints_among(entry for entry in entries if entry.ended_at is None))
    again = proofs.reproofs_of([about(entry) for entry in listed])
    awaited = checks.awaiting_control(entry.subject for entry in listed)
    return [
        _proved(entry, again.get(about(entry), []), is_awaited=entry.subject in awaited)
        for entry in sorted(listed, key=by_address)
    ]


def by_address(entry: Entry) -> tuple[int, int, int]:
    return (entry.block.version, int(entry.block.network_address), entry.block.prefixlen)


def _proved(entry: Entry, again: list[Reproof], *, is_awaited: bool) -> Proved:
    proof = proofs.proof_of(entry.subject, entry.block)
    last = again[0] if again else None
    if last is not None and last.state == Reproof.State.SHOWN:
        proof = proofs.proof_of(last.subject, entry.block) or proof
    said = method_words.proved_by(proof) if proof is not None else None
    return Proved(entry, format_block(entry.block), proof, said, last, is_awaited)


def begin(row: Entry, actor: str, now: dt.datetime) -> None:
    """Ask for the proof again because its holder wants to show it; nothing where none is known."""
    rules = apply.policy_in_force().proof
    proof = proofs.proof_of(row.subject, row.block)
    if proof is not None:
        reproofs.begin_reproof(
            about=about(row),
            occasion=f"asked:{now:%Y-%m-%dT%H:%M:%S}",
            proof=proof,
            windows=rules.windows,
            between=rules.between_windows,
            now=now,
            actor=actor,
        )


def pending_method(reproof: Reproof, method: str) -> Challenge | None:
    """This way of showing it, while it waits."""
    found = proofs.latest_challenge(subject=reproof.subject, block=reproof.proof.network, method=method)
    return found if found is not None and found.status == Status.PENDING else None


def previous_method(reproof: Reproof) -> Challenge | None:
    """The way of the first time, where we look by ourselves."""
    method = reproof.proof.method
    return pending_method(reproof, method) if method != Method.LINK else None
