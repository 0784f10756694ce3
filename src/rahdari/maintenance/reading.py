"""Notices that an operator's own program sends in the format of the field become a draft, or move the work of the same
maintenance id. Each event of a file is taken or refused by itself.

Invariant: what is read is held to the same rules as what is typed; a SEQUENCE that was read once changes nothing again.
"""

import datetime as dt
import re
from dataclasses import dataclass
from enum import StrEnum

from django.db import transaction
from django.utils.translation import gettext as _

from rahdari.errors import RahdariError
from rahdari.journal import actions as journal
from rahdari.people.quoting import LeadsAway
from rahdari.publish.models import Operator
from rahdari.web import values

from . import actions, maintnote, queries, words
from .maintnote import Sent, Trouble
from .models import Work
from .rules import Plan, Reason, State, Status

URDU = re.compile("[\u0600-\u06ff]")


class Did(StrEnum):
    DRAFTED = "drafted"
    EDITED = "edited"
    DISCARDED = "discarded"
    CHANGED = "changed"
    CANCELLED = "cancelled"
    STARTED = "started"
    PROLONGED = "prolonged"
    COMPLETED = "completed"
    KNOWN = "known"  # this SEQUENCE, or a later one, was read before; or it says of work that runs what is known
    REFUSED = "refused"


@dataclass(frozen=True)
class Outcome:
    """What became of one event. `text` says why it was refused, and how to mend it."""

    event: int
    did: Did
    own_id: str = ""
    reference: str = ""
    text: str = ""


class FileNotTaken(RahdariError):
    """Nothing of the file can be read. `.trouble`"""

    says = "{trouble}"
    trouble: Trouble


class AccountNotYours(RahdariError):
    """The notice is for another account. `.given`, `.wanted`"""

    says = "{given}"
    given: str
    wanted: str


class NotAnnounced(RahdariError):
    """It says that work has begun, is over or off, of which nothing was announced. `.status`"""

    says = "{status}"
    status: Status


REFUSALS = (
    AccountNotYours,
    NotAnnounced,
    actions.NotPossibleNow,
    actions.WindowNotTaken,
    actions.SaysNotWhy,
    actions.NothingAffected,
    actions.TooManyOpen,
    actions.EntryNotYours,
    actions.NetworkNotYours,
    LeadsAway,
)


def read_in(*, operator: Operator, content: bytes, by: str, now: dt.datetime) -> list[Outcome]:
    """Take the notices of a file. Raises FileNotTaken."""
    found = maintnote.read(content)
    if isinstance(found, Trouble):
        raise FileNotTaken(found)
    outcomes = []
    for number, each in enumerate(found, 1):
        if isinstance(each, Trouble):
            outcomes.append(Outcome(number, Did.REFUSED, text=words.file_trouble(each)))
            continue
        try:
            with transaction.atomic():
                did, work = _take(operator, each, by, now)
        except REFUSALS as error:
            outcomes.append(Outcome(number, Did.REFUSED, each.own_id, text=_why(error)))
        else:
            outcomes.append(Outcome(number, did, each.own_id, work.reference if work is not None else ""))
    taken = sum(each.did not in {Did.REFUSED, Did.KNOWN} for each in outcomes)
    who, detail = f"operator:{operator.slug}", {"by": by, "events": len(outcomes), "taken": taken}
    journal.record(act="maintenance.read_in", actor=who, subject=who, now=now, detail=detail)
    return outcomes


def accounts_of(operator: Operator) -> list[str]:
    """What an operator may write as X-MAINTNOTE-ACCOUNT: its short name, or one of its networks."""
    return [operator.slug, *(f"AS{asn}" for asn in operator.asns)]


def _why(error: Exception) -> str:
    match error:
        case AccountNotYours():
            told = {"given": values.plain_ltr(error.given[:60]), "wanted": values.plain_ltr(error.wanted)}
            return (
                _(
                    "The account %(given)s is not yours. If your program did not make this notice, write to us: see "
                    "“Help and contact”. If it did, write X-MAINTNOTE-ACCOUNT:%(wanted)s"
                )
                % told
            )
        case NotAnnounced():
            told = {"status": values.plain_ltr(error.status)}
            said = _(
                "The status is %(status)s, and nothing was announced under this maintenance id. Announce it first."
            )
            more = _("Holders report an interruption that was not announced, and you answer under “Disruptions”.")
            return f"{said % told} {more}"
        case _:
            return words.refused(error)


def _take(operator: Operator, sent: Sent, by: str, now: dt.datetime) -> tuple[Did, Work | None]:
    accounts = accounts_of(operator)
    if sent.account.upper() not in {each.upper() for each in accounts}:
        raise AccountNotYours(sent.account, accounts[0])
    work = queries.work_by_own_id(operator, sent.own_id)
    known = queries.last_sequence(operator, sent.own_id)
    if known is not None and sent.sequence <= known:
        return Did.KNOWN, work
    if work is None:
        if sent.status not in {Status.TENTATIVE, Status.CONFIRMED}:
            raise NotAnnounced(sent.status)
        plan = _plan(sent, None)
        facts = {"own_id": sent.own_id, "own_sequence": sent.sequence}
        return Did.DRAFTED, actions.draft(operator=operator, plan=plan, by=by, now=now, **facts)  # type: ignore[arg-type]
    # A draft that is deleted by it is known with it.
    Work.objects.filter(pk=work.pk).update(own_sequence=sent.sequence)
    return _move(work, sent, by, now), work


def _move(work: Work, sent: Sent, by: str, now: dt.datetime) -> Did:
    match work.state, sent.status:
        case State.DRAFT, Status.TENTATIVE | Status.CONFIRMED:
            actions.edit(work=work, plan=_plan(sent, work), by=by, now=now)
            return Did.EDITED
        case State.DRAFT, Status.CANCELLED:
            actions.discard(work=work, by=by, now=now)
            return Did.DISCARDED
        case State.DRAFT, _:
            raise NotAnnounced(sent.status)
        case _, Status.TENTATIVE | Status.CONFIRMED:
            actions.change(work=work, plan=_plan(sent, work), by=by, now=now)
            return Did.CHANGED
        case _, Status.CANCELLED:
            actions.cancel(work=work, by=by, now=now)
            return Did.CANCELLED
        case State.STARTED, Status.IN_PROCESS if sent.ends_at == work.expected_end_at:
            return Did.KNOWN
        case State.STARTED, Status.IN_PROCESS:
            actions.prolong(work=work, expected_end_at=sent.ends_at, by=by, now=now)
            return Did.PROLONGED
        case _, Status.IN_PROCESS:
            actions.start(work=work, by=by, now=now)
            return Did.STARTED
        case _:
            actions.complete(work=work, by=by, now=now)
            return Did.COMPLETED


def _plan(sent: Sent, before: Work | None) -> Plan:
    """What the notice says; why there is work, where that is known, as it was said here."""
    text = sent.summary[:500]
    is_urdu = bool(URDU.search(text))
    return Plan(
        components=sent.components,
        reason=Reason(before.reason) if before is not None else Reason.OTHER,
        text_en=text if not is_urdu else before.text_en if before is not None else "",
        text_ur=text if is_urdu else before.text_ur if before is not None else "",
        starts_at=sent.starts_at,
        ends_at=sent.ends_at,
        minutes=before.minutes if before is not None else None,
        is_tentative=sent.status is Status.TENTATIVE,
    )
