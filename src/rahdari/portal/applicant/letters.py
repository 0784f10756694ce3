"""The letters of a person, as they were written. Opening one marks it as read."""

import uuid

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from rahdari.letters import actions
from rahdari.letters import queries as inbox
from rahdari.people.access import person

A_PAGE = 30


@login_required
@require_safe
def letters(request: HttpRequest) -> HttpResponse:
    page = Paginator(inbox.letters_of(person(request)), A_PAGE).get_page(request.GET.get("page"))
    unread = inbox.unread_count(person(request))
    return render(request, "portal/applicant/letters.html", {"page": page, "unread": unread, "section": "letters"})


@login_required
@require_safe
def letter(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    try:
        found = inbox.letter_for(person(request), id)
    except inbox.LetterNotFound:
        raise Http404 from None
    actions.mark_read(letter=found, now=timezone.now())
    return render(
        request, "portal/applicant/letter.html", {"letter": found, "body": body_of(found.html), "section": "letters"}
    )


def body_of(html: str) -> SafeString:
    """The inside of a letter, as a part of a page. The letter is made from our own template, its values escaped."""
    inside = html.partition("</header>")[2].rpartition("<footer>")[0]
    for ours, theirs in (
        ("<h1>", '<h2 class="h2">'),
        ("</h1>", "</h2>"),
        ("<dl>", '<dl class="facts">'),
        ("<dt>", "<div><dt>"),
        ("</dd>", "</dd></div>"),
    ):
        inside = inside.replace(ours, theirs)
    return SafeString(inside)
