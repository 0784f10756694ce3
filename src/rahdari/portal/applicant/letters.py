"""The letters of a person, as they were written. Opening one marks it as read."""

import uuid

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from rahdari.letters import actions, words
from rahdari.letters import queries as inbox
from rahdari.people.access import person
from rahdari.portal.letter_body import body_of
from rahdari.web.posting import posted_from

A_PAGE = 30


@login_required
@require_safe
def letters(request: HttpRequest) -> HttpResponse:
    page = Paginator(inbox.letters_of(person(request)), A_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "unread": inbox.unread_count(person(request)),
        "no_reminders": inbox.wants_no_reminders(person(request)),
        "section": "letters",
    }
    return render(request, "portal/applicant/letters.html", context)


@login_required
@require_safe
def letter(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    try:
        found = inbox.letter_for(person(request), id)
    except inbox.LetterNotFound:
        raise Http404 from None
    actions.mark_read(letter=found, now=timezone.now())
    return render(
        request,
        "portal/applicant/letter.html",
        {
            "letter": found,
            "header": body_of(found.html, "header"),
            "body": body_of(found.html),
            "footer": body_of(found.html, "footer"),
            "reached": words.reached(found),
            "section": "letters",
        },
    )


@login_required
@posted_from("portal:letters")
def mark_all_read(request: HttpRequest) -> HttpResponse:
    actions.mark_all_read(reader=person(request), now=timezone.now())
    return redirect("portal:letters")


@login_required
@posted_from("portal:letters")
def choose_reminders(request: HttpRequest) -> HttpResponse:
    """Whether reminders go out by email. In the inbox they stand in any case."""
    wanted = request.POST.get("reminders") == "on"
    actions.want_reminders(person=person(request), wanted=wanted, now=timezone.now())
    messages.success(
        request,
        _("Reminders go out by email again.")
        if wanted
        else _("We no longer send reminders by email. They appear here."),
    )
    return redirect("portal:letters")
