"""What the applicant's pages share: the gatekeepers as pages."""

import uuid

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html

from rahdari.applicant.mandates import note_former_agent
from rahdari.applicant.registrations import RegistrationNotFound, registration_for
from rahdari.apply import access
from rahdari.apply.models import Application
from rahdari.people import queries as people
from rahdari.people.access import person
from rahdari.people.acting import Reached
from rahdari.people.models import Organisation
from rahdari.people.rules import Act
from rahdari.register.models import Registration


def application(request: HttpRequest, reference: str, act: Act = Act.PAPERS) -> Reached[Application]:
    """The application, if the visitor may do this with it, and as whom; the page "not found" for any other, whether
    there is one or not.
    """
    try:
        return access.application_for_applicant(applicant=person(request), reference=reference, act=act)
    except access.ApplicationNotFound:
        raise _not_theirs(request, reference) from None


def _not_theirs(request: HttpRequest, reference: str) -> Http404:
    """One answer for all; the organisation hears of an agent of before who tries to change something."""
    if request.method == "POST":
        note_former_agent(person(request), reference, timezone.now())
    return Http404()


def state_for_script(request: HttpRequest, state: str) -> HttpResponse | None:
    """What the script of a page that waits asks for (`follow.js`): the state of the page, without the page. Empty:
    nothing is waited for any more. None for a reader."""
    if "X-Rahdari-Follow" not in request.headers:
        return None
    return HttpResponse(format_html('<p data-follow="{}"></p>', state) if state else "")


def own_registration(request: HttpRequest, reference: str, act: Act = Act.APPLY) -> Reached[Registration]:
    """The registration, if the visitor may do this with it, and as whom; the page "not found" for any other."""
    try:
        return registration_for(person(request), reference, act)
    except RegistrationNotFound:
        raise _not_theirs(request, reference) from None


def organisation(request: HttpRequest, id: uuid.UUID, act: Act) -> Organisation:
    """The organisation, if the visitor may do this for it; the page "not found" for any other."""
    try:
        return people.organisation_within(user=person(request), id=id, act=act)
    except people.OrganisationNotFound:
        raise Http404 from None
