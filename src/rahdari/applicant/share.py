"""An address that somebody else has on the register already: whoever has proved control of it may ask to share it.

Nobody learns that an address is registered before they have proved control of it; and then never by whom.
"""

import contextlib
import datetime as dt
from collections.abc import Iterable, Set
from dataclasses import dataclass

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy

from rahdari.apply import subjects
from rahdari.apply.models import Application, Endpoint
from rahdari.control import queries as proofs
from rahdari.inquiry.kinds import NoLongerOpen
from rahdari.people.names import NameField
from rahdari.people.quoting import leads_nowhere
from rahdari.policy import Sharing
from rahdari.register import queries as register
from rahdari.share import actions, queries, rules
from rahdari.share.models import SharingRequest

from .refusals import refusal

request_of = queries.request_of

refusal(
    "too_soon",
    gettext_lazy("They said no, or did not answer. You may ask them again later; or ask your operator for an address."),
    actions.TooSoon,
)
refusal(
    "cannot_be_shared",
    gettext_lazy("It cannot be shared: it belongs to a range of theirs, or it changes from time to time."),
    actions.CannotBeShared,
)


class NameForm(forms.Form):
    """The name that those who are asked read."""

    use_required_attribute = False
    name = NameField(
        label=gettext_lazy("The name that they will see"),
        help_text=gettext_lazy("This tells them who asks: your name, your company, or your desk in a shared office."),
        max_length=rules.LONGEST_NAME,
        validators=[leads_nowhere],
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={
            "required": gettext_lazy("Write the name that they will see"),
            "max_length": gettext_lazy("Use 80 characters at most"),
        },
    )


def is_held(application: Application, endpoint: Endpoint) -> bool:
    """Whether there is something to ask: control is proved, and another holder has the address."""
    return proofs.is_proved(endpoint.subject, endpoint.network) and bool(to_share(application, [endpoint]))


def to_share(application: Application, proved: Iterable[Endpoint]) -> list[Endpoint]:
    """Of the addresses of which control is proved, those for which there is something to ask, or to wait for."""
    return [
        endpoint
        for endpoint in proved
        if not endpoint.is_dynamic and register.is_in_the_way(block=endpoint.network, holder=application.holder_ref)
    ]


@dataclass(frozen=True)
class SharingStatus:
    """What there is to ask about an address, and what became of it: `unproved`, `nobody` has it, somebody `has_it`; or
    the state of the last request. While control is not proved it says the same of every address.
    """

    state: str
    last: SharingRequest | None = None
    terms: Sharing | None = None
    again_at: dt.datetime | None = None
    may_ask: bool = False


UNPROVED, NOBODY, HAS_IT = "unproved", "nobody", "has_it"
STATES = (UNPROVED, NOBODY, HAS_IT, *rules.STATES)


def status_of(application: Application, endpoint: Endpoint, now: dt.datetime) -> SharingStatus:
    """How far the sharing of an address has come. It is `UNPROVED` until control is proved, whoever has it."""
    holder, block = application.holder_ref, endpoint.network
    last = queries.request_of(holder=holder, block=block)
    if last is not None and last.state == rules.AGREED:
        if register.sharer_of(block=block, holder=holder) is not None:
            return SharingStatus(rules.AGREED, last, queries.terms())
        last = None  # the part has ended since
    if endpoint.is_dynamic or not proofs.is_proved(endpoint.subject, block):
        return SharingStatus(UNPROVED)
    if not is_held(application, endpoint):
        return SharingStatus(NOBODY)
    terms, again_at = queries.terms(), None
    if last is not None and terms is not None:
        again_at = rules.asks_again_at(state=last.state, ended_at=last.ended_at, again_after=terms.again_after)
        again_at = again_at if again_at is not None and now < again_at else None
    waits = last is not None and last.is_waiting
    may_ask = terms is not None and not waits and again_at is None and register.may_be_shared(block=block)
    return SharingStatus(last.state if last is not None else HAS_IT, last, terms, again_at, may_ask)


def withdraw_request(application: Application, endpoint: Endpoint, *, actor: str, now: dt.datetime) -> None:
    """Nobody is asked any more, whatever else became of the address or of its proof meanwhile."""
    last = queries.request_of(holder=application.holder_ref, block=endpoint.network)
    if last is not None:
        with contextlib.suppress(NoLongerOpen):
            queries.CO_HOLDER.withdraw(last, actor=actor, now=now)


def ask(
    application: Application, endpoint: Endpoint, name: str, terms: Sharing, *, actor: str, now: dt.datetime
) -> None:
    """Ask whoever has the address. Raises share.actions.NoName, CannotBeShared, TooSoon."""
    actions.ask(
        subject=endpoint.subject,
        block=endpoint.network,
        holder=application.holder_ref,
        name=name,
        asked_by=actor,
        terms=terms,
        now=now,
    )


def looked_at_under(applications: Set[str]) -> QuerySet[SharingRequest, str]:
    """Under which a look at what was asked for the addresses of these applications stands on record."""
    return queries.CO_HOLDER.subjects(subjects.subjects_of_endpoints(applications))
