"""Who outside the house has to answer before an application can be decided: since when, until when, and what then."""

import datetime as dt
import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from rahdari import optional
from rahdari.address import format_block
from rahdari.apply.models import Application
from rahdari.checks import contacts
from rahdari.checks.kinds import KINDS
from rahdari.checks.models import Check
from rahdari.confirm.models import SubscriberQuestion
from rahdari.control.sentences import fill
from rahdari.decide import queries as decide
from rahdari.policy.checks import About
from rahdari.vouch.parties import BY_CHECK
from rahdari.vouch.queries import REFERENCE
from rahdari.web import values

from .lines import operator_name
from .stages import StageText


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
    def title(self) -> str:
        """In the place of the check's own, where there is one."""
        others = KINDS[self.kind].others
        return str(others.title) if others is not None else ""

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


type Asked = tuple[SafeString, dt.datetime | None, dt.datetime | None]


def awaited_of(application: Application, check: Check, asked: Mapping[str, SubscriberQuestion]) -> Awaited:
    who, asked_at, due_at = (_WHOM | optional.joined_tables(__package__, "WHOM"))[check.kind](application, check, asked)
    return Awaited(check, who, asked_at, due_at, decide.provisional_from(application, check))


def _client(application: Application, check: Check, _asked: Mapping[str, SubscriberQuestion]) -> Asked:
    client = REFERENCE.about(f"check:{check.pk}")
    if client is None:
        return values.name(BY_CHECK[check.kind].whom), None, None
    return values.ltr(client.address or client.domain), client.asked_at, client.due_at


def _company(application: Application, check: Check, _asked: Mapping[str, SubscriberQuestion]) -> Asked:
    asked_at, until = (dt.datetime.fromisoformat(check.facts[key]) for key in ("asked_at", "until"))
    number = application.number_for(check.facts.get("roster", "")) or ""
    to = next((each.masked for each in contacts.contacts_of(check, number=number)), "")
    return fill(_("The contact on the list %(contact)s"), contact=values.ltr(to)), asked_at, until


def _holder_of_the_address(application: Application, check: Check, _asked: Mapping[str, SubscriberQuestion]) -> Asked:
    block = ipaddress.ip_network(check.facts["block"])
    put = optional.ask(__package__, "request_of", holder=application.holder_ref, block=block)
    who = fill(_("The registered holder of %(address)s"), address=values.ltr(format_block(block)))
    return who, *((put.asked_at, put.due_at) if put else (None, None))


def _operator(application: Application, check: Check, asked: Mapping[str, SubscriberQuestion]) -> Asked:
    about_number = KINDS[check.kind].about is About.NUMBER
    open_ones = [each for target, each in asked.items() if about_number or target == check.target]
    first = min(open_ones, key=lambda each: each.due_at, default=None)
    if first is None:
        return values.name(_("Your operator")), None, None
    return values.name(operator_name(first.operator)), first.asked_at, first.due_at


# Of each kind that somebody outside answers: who was asked, when, and until when they answer.
_WHOM: dict[str, Callable[[Application, Check, Mapping[str, SubscriberQuestion]], Asked]] = {
    **dict.fromkeys(BY_CHECK, _client),
    "represents": _company,
    "not_registered": _holder_of_the_address,
    "operator": _operator,
    "mobile_line": _operator,
}


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
    if awaited and all(each.check.facts.get("told_at") for each in awaited):
        return _(
            "They can say no. If no answer comes in time, your application continues. With a yes, or a code "
            "that they give you, it continues at once. If another organisation is registered under the number, an "
            "officer looks first, unless it agrees."
        )
    moments = [each.provisional_from for each in awaited]
    if moments and all(moment is not None for moment in moments):
        latest = max(moment for moment in moments if moment is not None)
        if latest > now:
            return _(
                "If no answer arrives by %(when)s and everything else has passed, you are registered "
                "provisionally: on the same lists, until the answer or another proof arrives."
            ) % {"when": values.when(latest)}
    return _("If no answer comes in time, your application is not refused: an officer looks at it.")


def others_text(kind: str) -> StageText:
    """Instead of `checking`, while somebody outside has to answer."""
    others = KINDS[kind].others
    assert others is not None  # noqa: S101 - `is_outside` has seen to it
    return StageText(
        str(others.heading),
        _("You need not do anything: we continue as soon as the answer arrives. We change nothing in your connection."),
        str(others.short),
        "wait",
    )
