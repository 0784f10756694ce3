"""Who outside the house has to answer before an application can be decided: since when, until when, and what then."""

import datetime as dt
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from rahdari.address import format_block
from rahdari.apply.models import Application
from rahdari.attest import queries as attestations
from rahdari.confirm.models import Question
from rahdari.decide import queries as decide
from rahdari.share import queries as sharing
from rahdari.verify.models import Check, Outcome
from rahdari.verify.saying import fill
from rahdari.vouch import queries as vouching
from rahdari.web import values

from .lines import operator_name
from .stages import Said

# In the order in which a heading names one of several.
OUTSIDE = ("represents", "attestation", "employer", "operator", "mobile_line", "not_registered")


@dataclass(frozen=True)
class Awaited:
    """One answer from outside. `provisional_from`: from when the application is decided without it, for now."""

    check: Check
    who: SafeString
    asked_at: dt.datetime | None
    due_at: dt.datetime | None
    provisional_from: dt.datetime | None

    @property
    def kind(self) -> str:
        return self.check.kind

    @property
    def asked(self) -> SafeString:
        """Who was asked, and when."""
        if self.asked_at is None:
            return fill(_("%(who)s: we are about to ask."), who=self.who)
        return fill(_("%(who)s: asked, %(when)s."), who=self.who, when=values.when(self.asked_at))


@dataclass(frozen=True)
class AnswerClock:
    """The clock of the answer that takes longest, as the page shows it."""

    due_at: dt.datetime
    big: str
    share: float
    is_late: bool


def is_outside(check: Check) -> bool:
    """Whether a check waits for somebody who is neither the applicant nor one of us."""
    if check.outcome != Outcome.WAITING or check.facts.get("stands_for_now"):
        return False
    if check.kind == "represents":
        return bool(check.facts.get("asked"))
    return check.kind in OUTSIDE and (check.kind != "not_registered" or bool(check.facts.get("asked_to_share")))


def awaited_of(application: Application, check: Check, asked: Mapping[str, Question]) -> Awaited:
    who, asked_at, due_at = _whom(application, check, asked)
    return Awaited(check, who, asked_at, due_at, decide.provisional_from(application, check))


def _whom(
    application: Application, check: Check, asked: Mapping[str, Question]
) -> tuple[SafeString, dt.datetime | None, dt.datetime | None]:
    match check.kind:
        case "employer":
            client = vouching.question_of(f"check:{check.pk}")
            if client is None:
                return values.name(_("Your client or employer")), None, None
            return values.ltr(client.address or client.domain), client.asked_at, client.ends_at
        case "attestation":
            request = attestations.request_about(f"check:{check.pk}")
            attesting = decide.policy_of(application).attesting
            found = attesting.association(application.association) if attesting else None
            title = found.title.in_language(get_language()) if found else application.association
            return values.name(title), *((request.asked_at, request.due_at) if request else (None, None))
        case "represents":
            asked_at, until = (dt.datetime.fromisoformat(check.facts[key]) for key in ("asked_at", "until"))
            return values.name(_("The organisation registered under the number")), asked_at, until
        case "not_registered":
            block = ipaddress.ip_network(check.facts["block"])
            put = sharing.request_of(holder=application.holder_ref, block=block)
            who = fill(_("The registered holder of %(address)s"), address=values.ltr(format_block(block)))
            return who, *((put.asked_at, put.due_at) if put else (None, None))
        case _:
            open_ones = [
                each for target, each in asked.items() if check.kind == "mobile_line" or target == check.target
            ]
            first = min(open_ones, key=lambda each: each.due_at, default=None)
            if first is None:
                return values.name(_("Your operator")), None, None
            return values.name(operator_name(first.operator)), first.asked_at, first.due_at


def clock_of(awaited: list[Awaited], now: dt.datetime) -> AnswerClock | None:
    """Of several of one kind, the one that takes longest; none while nobody was asked."""
    timed = [(each.due_at, each.asked_at) for each in awaited if each.due_at is not None and each.asked_at is not None]
    if not timed:
        return None
    due_at, asked_at = max(timed)
    used = (now - asked_at) / max(due_at - asked_at, dt.timedelta(seconds=1))
    return AnswerClock(due_at, values.span_words(due_at - now), min(used, 1.0), due_at <= now)


def what_then(awaited: list[Awaited], now: dt.datetime) -> str:
    """What follows when nobody answers."""
    moments = [each.provisional_from for each in awaited]
    if moments and all(moment is not None for moment in moments):
        latest = max(moment for moment in moments if moment is not None)
        if latest > now:
            return _(
                "If no answer arrives by %(when)s and everything else has passed, you are registered "
                "provisionally: on the same lists, until the answer or another proof arrives."
            ) % {"when": values.when(latest)}
    return _("If no answer comes in time, your application is not refused: an officer looks at it.")


def said_of_others(kind: str) -> Said:
    """Instead of `checking`, while somebody outside has to answer."""
    heading, short = {
        "attestation": (_("Waiting for your association to answer"), _("Waiting for your association")),
        "employer": (_("Waiting for your client to confirm"), _("Waiting for your client")),
        "represents": (
            _("Waiting for the organisation registered under the number"),
            _("Waiting for the organisation registered under the number"),
        ),
        "not_registered": (
            _("Waiting for the other holder of the address to agree"),
            _("Waiting for the other holder"),
        ),
    }.get(kind, (_("Waiting for your operator to answer"), _("Waiting for your operator")))
    return Said(
        heading,
        _("You need not do anything: we continue as soon as the answer arrives. We change nothing in your connection."),
        short,
        "wait",
    )
