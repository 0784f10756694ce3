"""Sending an application: what is known is taken, the other proofs are left open, and it goes."""

import datetime as dt
from collections.abc import Callable, Sequence

from django.utils.translation import gettext as _

from rahdari.address import Address
from rahdari.apply import sending as apply_sending
from rahdari.apply.models import Application, Endpoint
from rahdari.control import challenges, rules
from rahdari.control.models import Challenge, Method
from rahdari.policy import Policy, Service

from .known_proofs import take_known_proofs
from .lines import is_ready
from .proofs import Proof, counts, left_to_prove, open_method, prove_as_before


def declared_for(application: Application, service: Service) -> str:
    """What whoever sends it declares."""
    if service.holder == "organisation":
        return _("These answers are true, and I may apply for %(name)s.") % {
            "name": f"\u2068{application.holder_name}\u2069"
        }
    if not service.asks_name:
        return _("These answers are true, and I may use these addresses.")
    return _("These answers are true, and I apply for myself.")


def send(
    application: Application,
    policy: Policy,
    *,
    actor: str,
    now: dt.datetime,
    seen_version: int | None,
    seen_from: Address | None = None,
    endpoints: Sequence[Endpoint] | None = None,
    besides: Callable[[], object] | None = None,
) -> Application:
    """Send it as it was seen. A proof may come after sending: a control check that nothing is pending for would fail.
    What a renewal can be shown in the same way as before, we look for by ourselves; what covers `seen_from`, the
    address from which it is sent, is proved by that. Whoever has its `endpoints` gives them along. Raises as
    `apply.sending.submit_application` does.
    """
    if application.is_mobile and not is_ready(application):
        raise apply_sending.StepsMissing([])
    left = []
    for row, link in take_known_proofs(application=application, actor=actor, now=now, rows=endpoints).items():
        prove_as_before(row, policy, actor=actor, now=now)
        opened = link or open_method(row, policy, Method.LINK, actor=actor, now=now)
        there = seen_from if not row.is_dynamic and counts(policy, row, Method.LINK, now) else None
        if not _is_proved_from(opened, there, now):
            left.append(Proof(row, None))
    return apply_sending.submit_application(
        application=application,
        policy=policy,
        actor=actor,
        now=now,
        seen_version=seen_version,
        to_prove=left_to_prove(left),
        besides=besides,
    )


def _is_proved_from(link: Challenge, seen_from: Address | None, now: dt.datetime) -> bool:
    if seen_from is None or not rules.covers(link.network, seen_from):
        return False
    return challenges.visit(link, address=seen_from, now=now).result in {"proved", "proved_before"}
