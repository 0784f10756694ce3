"""Associations: who was asked, and under what a look at their answers stands on record."""

from collections.abc import Mapping, Set

from django.db.models import QuerySet
from django.utils.translation import get_language

from rahdari.apply.models import Application
from rahdari.attest import queries as attestations
from rahdari.attest.models import AttestationUse
from rahdari.checks.models import Check
from rahdari.confirm.models import SubscriberQuestion
from rahdari.decide import case_clock
from rahdari.web import values

from .awaiting import Asked


def _association(application: Application, check: Check, _asked: Mapping[str, SubscriberQuestion]) -> Asked:
    request = attestations.ASSOCIATION.about(f"check:{check.pk}")
    attesting = case_clock.policy_of(application).attesting
    found = attesting.association(application.association) if attesting else None
    title = found.title.in_language(get_language()) if found else application.association
    return values.name(title), *((request.asked_at, request.due_at) if request else (None, None))


def looked_at_under(applications: Set[str]) -> QuerySet[AttestationUse, str]:
    return attestations.subjects_used_for(applications)


WHOM = {"attestation": _association}
