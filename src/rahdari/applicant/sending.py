"""Sending an application: what is known is taken, the other proofs are left open, and it goes."""

import datetime as dt

from django.utils.translation import gettext as _

from rahdari.address import Address
from rahdari.apply import sending as apply_sending
from rahdari.apply.models import Application
from rahdari.control import rules
from rahdari.control.models import Method
from rahdari.policy import Policy, Service

from .known_proofs import take_known_proofs
from .lines import is_ready
from .proofs import counts, left_to_prove, open_method, proofs_of, prove_as_before, prove_by_visit


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
) -> Application:
    """Send it as it was seen. A proof may come after sending: a control check that nothing is pending for would fail.
    What a renewal can be shown in the same way as before, we look for by ourselves; what covers `seen_from`, the
    address from which it is sent, is proved by that. Raises as `apply.sending.submit_application` does.
    """
    if application.is_mobile and not is_ready(application):
        raise apply_sending.StepsMissing([])
    take_known_proofs(application=application, actor=actor, now=now)
    unproved = [each.endpoint for each in proofs_of(application) if not each.is_proved]
    for row in unproved:
        prove_as_before(row, policy, actor=actor, now=now)
        open_method(row, policy, Method.LINK, actor=actor, now=now)
    for row in unproved:
        if seen_from is None or row.is_dynamic or not rules.covers(row.network, seen_from):
            continue
        if counts(policy, row, Method.LINK, now):
            prove_by_visit(row, policy, seen_from, actor=actor, now=now)
    return apply_sending.submit_application(
        application=application,
        policy=policy,
        actor=actor,
        now=now,
        seen_version=seen_version,
        to_prove=left_to_prove(proofs_of(application)),
    )
