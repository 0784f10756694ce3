"""The links at the top of a page: for a signed-in person what waits for them, what they hold, what was written to them;
for anybody else the three things that anyone may do.
"""

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from rahdari.attest import queries as attestations
from rahdari.confirm import queries as checks
from rahdari.letters import queries as inbox
from rahdari.page.context import Link
from rahdari.people import queries as people
from rahdari.people.models import User
from rahdari.publish import queries as publish

APPLICATIONS = frozenset({"home", "application", "tasks", "prove_first", "prove", "check", "status"})
APPLICATIONS |= {"question", "notice", "refusal", "withdraw"}


def _of_an_operator(operator: str, room: str | None, page: str | None) -> list[Link]:
    waiting = checks.open_count(operator=operator)
    return [
        Link(_("In step"), reverse("portal:operator"), here=page == "operator"),
        Link(
            _("Subscriber checks"),
            reverse("confirm:checks"),
            here=room == "confirm",
            count=waiting,
            count_words=ngettext("open check", "open checks", waiting),
        ),
    ]


def _of_an_association(association: str, room: str | None) -> list[Link]:
    waiting = attestations.waiting_count(association, timezone.now())
    return [
        Link(
            pgettext("navigation", "Members"),
            reverse("attest:members"),
            here=room == "attest",
            count=waiting,
            count_words=ngettext("waits for you", "wait for you", waiting),
        )
    ]


def _matters(page: str | None) -> Link:
    waiting = attestations.officers_count(timezone.now())
    return Link(
        pgettext("navigation", "Attestations"),
        reverse("portal:matters"),
        here=page in {"matters", "matter"},
        count=waiting,
        count_words=ngettext("waits for you", "wait for you", waiting),
    )


def links(request: HttpRequest) -> list[Link]:
    user = getattr(request, "user", None)
    match = request.resolver_match
    room = match.namespace if match else ""
    page = match.url_name if match and room == "portal" else ""
    if not isinstance(user, User):
        return [
            Link(_("Apply"), reverse("portal:start"), here=page == "start" or room == "apply"),
            Link(
                pgettext("navigation", "Check a number"),
                reverse("portal:check_number"),
                here=page in {"check_number", "certificate_link"},
            ),
            Link(_("Service status"), reverse("portal:service_status"), here=page == "service_status"),
        ]
    if people.operator_of(user) is not None:
        return _of_an_operator(people.operator_of(user) or "", room, page)
    if people.is_officer(user):
        waiting = publish.holds_waiting()
        words = ngettext("removal of many entries", "removals of many entries", waiting)
        return [
            Link(
                pgettext("navigation", "Feed"),
                reverse("portal:feed"),
                here=page in {"feed", "hold"},
                count=waiting,
                count_words=words,
            ),
            Link(pgettext("navigation", "Proofs"), reverse("portal:proofs_in_vain"), here=page == "proofs_in_vain"),
            _matters(page),
            _previews(page),
        ]
    association = people.association_of(user)
    if association is not None:
        return _of_an_association(association, room)
    if people.keeps_accounts(user):
        return []
    if people.is_administrator(user):
        return [_previews(page)]
    unread = inbox.unread_count(user)
    return [
        Link(_("Applications"), reverse("portal:home"), here=room == "apply" or page in APPLICATIONS),
        Link(_("Registrations"), reverse("portal:registrations"), here=page in {"registrations", "registration"}),
        Link(
            _("Letters"),
            reverse("portal:letters"),
            here=page in {"letters", "letter"},
            count=unread,
            count_words=ngettext("unread letter", "unread letters", unread),
        ),
    ]


def _previews(page: str | None) -> Link:
    return Link(
        pgettext("navigation", "Letters"),
        reverse("portal:letter_previews"),
        here=page in {"letter_previews", "letter_preview"},
    )
