"""Attestations that were revoked after they counted, or that a member disputes: an officer decides.

Nothing here ends a registration. Each look at a matter is on record.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from rahdari import policy as policies
from rahdari.apply import subjects
from rahdari.apply.models import Application
from rahdari.attest import disputing
from rahdari.attest import queries as attestations
from rahdari.attest.models import AttestationReview
from rahdari.attest.rules import OUTCOMES, Reply, ReviewKind, ReviewOutcome
from rahdari.calendar import queries as calendars
from rahdari.journal import actions as journal
from rahdari.people.access import actor_of, officer_required, person
from rahdari.people.models import Role

SHOWN = 200


class DecideForm(forms.Form):
    use_required_attribute = False
    outcome = forms.ChoiceField(
        label=gettext_lazy("Decision"),
        widget=forms.RadioSelect,
        error_messages={
            "required": gettext_lazy("Choose a decision"),
            "invalid_choice": gettext_lazy("Choose a decision"),
        },
    )
    text = forms.CharField(
        label=gettext_lazy("Why, in your own words"),
        help_text=gettext_lazy("The member reads it."),
        max_length=1500,
        widget=forms.Textarea(attrs={"class": "input", "rows": 3}),
        error_messages={
            "required": gettext_lazy("Enter why, in one sentence."),
            "max_length": gettext_lazy("This is too long: use at most %(limit_value)s characters"),
        },
    )

    def __init__(self, *args: Any, matter: AttestationReview, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["outcome"]
        field.choices = [
            (outcome.value, _words_of(outcome, ReviewKind(matter.kind)))
            for outcome in OUTCOMES[ReviewKind(matter.kind)]
            if outcome is not ReviewOutcome.ANOTHER_PROOF or matter.subject
        ]


def _words_of(outcome: ReviewOutcome, kind: ReviewKind) -> str:
    revoked = kind is ReviewKind.REVOKED
    if outcome is ReviewOutcome.ANOTHER_PROOF:
        return _("Ask the holder for another proof; the registration stays meanwhile")
    if outcome is ReviewOutcome.STANDS and revoked:
        return _("The registration stays as it is, and needs no other proof")
    if outcome is ReviewOutcome.STANDS:
        return _("The attestation stays as it is")
    if revoked:
        return _("The member is right: the attestation is valid again")
    return _("The member is right: the attestation is no longer valid")


@dataclass(frozen=True)
class ReviewRow:
    matter: AttestationReview
    association: str
    whose: str
    tone: str


def _row(matter: AttestationReview, now: dt.datetime) -> ReviewRow:
    if matter.awaits_officer(now):
        whose, tone = _("Waits for you"), "warn"
    elif matter.awaits_association(now):
        whose, tone = _("The association answers"), "wait"
    elif matter.outcome == ReviewOutcome.ANOTHER_PROOF:
        whose, tone = _("Another proof is awaited"), "wait"
    else:
        whose, tone = _("Decided, and carried out within seconds"), "ok"
    return ReviewRow(matter, _association(matter), whose, tone)


def _association(matter: AttestationReview) -> str:
    rules = attestations.attesting()
    found = rules.association(matter.attestation.association) if rules else None
    return found.title.in_language(get_language()) if found else matter.attestation.association


@officer_required
@never_cache
@require_safe
def matters(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    rows = [_row(each, now) for each in attestations.open_matters()[:SHOWN]]
    rows.sort(key=lambda row: row.tone != "warn")
    return render(request, "portal/staff/matters.html", {"rows": rows})


@officer_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def matter(request: HttpRequest, number: str) -> HttpResponse:
    try:
        found = attestations.matter_for_officer(person(request), number)
    except attestations.NotFound:
        raise Http404 from None
    form = DecideForm(request.POST if request.method == "POST" else None, matter=found)
    if request.method == "POST" and form.is_valid():
        if _decide(request, found, form.cleaned_data):
            messages.success(request, _("It is decided, and the member is told."))
        else:
            messages.error(request, _("It is already decided, or the association or the member still has time."))
        return redirect("portal:matter", number=found.number)
    journal.record(
        act="attest.read_matter",
        actor=actor_of(person(request), Role.OFFICER),
        subject=found.subject or f"attestation:{found.attestation.number}",
        now=timezone.now(),
        detail={"matter": found.number},
    )
    application = subjects.application_by_subject(found.subject) if found.subject else None
    status = 422 if form.is_bound else 200
    return render(request, "portal/staff/matter.html", _shown(found, application, form), status=status)


def _decide(request: HttpRequest, found: AttestationReview, given: dict[str, Any]) -> bool:
    now, policy = timezone.now(), attestations.in_force()
    due = None
    if policy.attesting is not None:
        due = policies.add(start=now, allowance=policy.attesting.another_proof_within, calendar=calendars.in_force())
    try:
        disputing.decide(
            matter=found,
            outcome=ReviewOutcome(given["outcome"]),
            text=given["text"],
            officer=actor_of(person(request), Role.OFFICER),
            proof_due_at=due,
            now=now,
        )
    except disputing.NotPossibleNow:
        return False
    return True


def _shown(found: AttestationReview, application: Application | None, form: DecideForm) -> dict[str, Any]:
    now, rules, language = timezone.now(), attestations.attesting(), get_language()
    attestation = found.attestation
    claim = rules.claim(attestation.claim) if rules else None
    method = next((each for each in rules.methods if each.key == attestation.method), None) if rules else None
    why = next((each for each in rules.revocations if each.key == attestation.revocation), None) if rules else None
    return {
        "row": _row(found, now),
        "attestation": attestation,
        "application": application,
        "claim": claim.title.in_language(language) if claim else attestation.claim,
        "method": method.title.in_language(language) if method else attestation.method,
        "why": why.title.in_language(language) if why else "",
        "yields": found.reply == Reply.YIELDS,
        "outcome": _words_of(ReviewOutcome(found.outcome), ReviewKind(found.kind)) if found.outcome else "",
        "may_decide": found.awaits_officer(now),
        "form": form,
    }


urlpatterns = [
    path("desk/attestations/", matters, name="matters"),
    path("desk/attestations/<str:number>/", matter, name="matter"),
]
