"""Whose number it is: a code to the contact that the list has for it, and the word of those registered under it.

The applicant sees as much of the contact as tells which mailbox or telephone it is, and types the code that came there.
Whoever is registered under the company's number already reads who applies, and says yes or no.
"""

import datetime as dt
import uuid
from dataclasses import dataclass

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from rahdari.apply import queries as apply
from rahdari.apply.models import Application
from rahdari.people import queries as people
from rahdari.people.access import actor_of, person
from rahdari.people.models import Organisation, User
from rahdari.people.rules import Act
from rahdari.verify import actions as verify
from rahdari.verify import contacts
from rahdari.verify import queries as checks
from rahdari.verify.models import Check, Outcome
from rahdari.verify.words import roster_title
from rahdari.web import values

from . import shared


def waiting(application: Application) -> Check | None:
    """The check that waits for the applicant to show whose number it is; none where nothing can be shown."""
    return contacts.open_check(application.subject) if application.status == "submitted" else None


def number_for(application: Application, check: Check) -> str:
    return application.number_for(check.facts.get("roster", "")) or ""


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def represent(request: HttpRequest, reference: str) -> HttpResponse:
    application, by = shared.application(request, reference)
    check = waiting(application)
    if check is None:
        return redirect("portal:application", reference=reference)
    actor, now, trouble = by.actor, timezone.now(), ""
    if request.method == "POST":
        if "officer" in request.POST:
            leave(check, actor=actor, now=now)
            messages.info(request, _("An officer looks at it. A letter or a resolution of the company helps."))
            return redirect("portal:status", reference=reference)
        if "to" in request.POST:
            trouble = send(application, check, request.POST["to"][:10], by=person(request), actor=actor, now=now)
        elif "code" in request.POST:
            trouble = take(check, request.POST["code"][:100], actor=actor, now=now)
            if not trouble:
                messages.success(request, _("Shown. We continue at once."))
                return redirect("portal:status", reference=reference)
        if not trouble:
            return redirect(request.path)
        check.refresh_from_db()
    found = contacts.contacts_of(check, number=number_for(application, check))
    sent = contacts.last_sent(check, now)
    context = {
        "application": application,
        "is_company": check.kind == contacts.REPRESENTS,
        "list": roster_title(check.facts.get("roster", "")),
        "contacts": found,
        "sent": next((each for each in found if each.way == sent), None),
        "trouble": trouble,
        "until": dt.datetime.fromisoformat(check.facts["until"]) if "until" in check.facts else None,
    }
    return render(request, "portal/applicant/represent.html", context, status=422 if trouble else 200)


def send(application: Application, check: Check, way: str, *, by: User, actor: str, now: dt.datetime) -> str:
    """What is wrong; nothing when the code is on its way."""
    try:
        verify.send_code_to_contact(
            check=check,
            number=number_for(application, check),
            way=way,
            holder=application.holder_name,
            asked_by=by,
            language=apply.language_now(),
            actor=actor,
            now=now,
        )
    except verify.NoCodeNow as error:
        return no_code(error)
    except verify.NothingToShow:
        return ""
    return ""


def take(check: Check, given: str, *, actor: str, now: dt.datetime) -> str:
    """What is wrong with the code; nothing when it is right, or nothing waits for it any more."""
    try:
        verify.try_code_of_contact(check=check, given=given, actor=actor, now=now)
    except verify.CodeNotTaken as error:
        return not_taken(error)
    except verify.NothingToShow:
        return ""
    return ""


def leave(check: Check, *, actor: str, now: dt.datetime) -> None:
    try:
        verify.leave_to_officer(check=check, actor=actor, now=now)
    except verify.NothingToShow:
        return


def no_code(trouble: verify.NoCodeNow) -> str:
    if trouble.why == "unknown":
        return _("Choose where the code goes")
    return _("You have reached the limit of codes for now. Try again tomorrow, or ask an officer to look at it.")


def not_taken(trouble: verify.CodeNotTaken) -> str:
    if trouble.why == "wrong":
        return _("This is not the code from the latest message. Copy it from there.")
    return _("This code no longer works. Ask for a new one.")


# -- those who are registered under the number already ---------------------------------------------------------------


def asked_of(user: User, organisation: uuid.UUID, check: uuid.UUID) -> tuple[Organisation, Check, Application]:
    """What this person may answer for this organisation. The gatekeeper: raises Http404 for anything else."""
    try:
        ours = people.organisation_within(user=user, id=organisation, act=Act.APPLY)
    except people.OrganisationNotFound:
        raise Http404 from None
    found = checks.check_with_id(str(check))
    about = apply.application_by_subject(found.subject) if found is not None else None
    if found is None or about is None or str(ours.pk) not in found.facts.get("asked", []):
        raise Http404
    return ours, found, about


@dataclass(frozen=True)
class Asked:
    """A question whether somebody applies for an organisation, that this person may answer."""

    organisation: Organisation
    application: Application
    check: Check
    until: dt.datetime

    @property
    def url(self) -> str:
        return reverse("portal:representative", args=[self.organisation.pk, self.check.pk])


def questions_to(user: User, organisation: Organisation | None = None) -> list[Asked]:
    """Everything of the kind that is not answered yet, of all organisations of this person or of one."""
    ours = {each.pk: each for each in people.organisations_for(user, Act.APPLY)}
    if organisation is not None:
        ours = {pk: each for pk, each in ours.items() if pk == organisation.pk}
    found = []
    for pk, check in contacts.asked_of(ours):
        about = apply.application_by_subject(check.subject)
        if about is not None and about.status == "submitted" and "until" in check.facts:
            found.append(Asked(ours[pk], about, check, dt.datetime.fromisoformat(check.facts["until"])))
    return found


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def representative(request: HttpRequest, id: uuid.UUID, check: uuid.UUID) -> HttpResponse:
    ours, found, about = asked_of(person(request), id, check)
    waits = found.outcome == Outcome.WAITING and about.status == "submitted"
    if request.method == "POST" and request.POST.get("said") in {"yes", "no"}:
        said = request.POST["said"] == "yes"
        if waits and verify.answer_as_representative(
            check=found, said=said, actor=actor_of(person(request)), now=timezone.now()
        ):
            messages.success(request, _("Thank you. Your answer is recorded."))
        return redirect(request.path)
    until = dt.datetime.fromisoformat(found.facts["until"])
    context = {
        "organisation": ours,
        "company": about.holder_name,
        "name": about.applicant.name or about.contact_name,
        "email": about.applicant.email,
        "sent_at": about.submitted_at,
        "waits": waits,
        "said": found.facts.get("said", ""),
        "decided": about.status,
        "until": until,
        "left": values.span_words(max(until - timezone.now(), dt.timedelta())),
    }
    return render(request, "portal/applicant/representative.html", context)
