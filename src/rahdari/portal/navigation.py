"""The links at the top of a page: for a signed-in person what waits for them, what they hold, what was written to them;
for anybody else the three things that anyone may do.
"""

from django.db.models import Count
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from rahdari import optional
from rahdari.complaint import navigation as complaints
from rahdari.confirm import queries as checks
from rahdari.db import together
from rahdari.incident import navigation as incidents
from rahdari.invite import queries as invitations
from rahdari.letters import queries as inbox
from rahdari.maintenance import navigation as planned_work
from rahdari.people import queries as people
from rahdari.people.models import User
from rahdari.people.rules import Act, roles_that
from rahdari.publish import queries as publish
from rahdari.web.context import Link

APPLICATIONS = frozenset({"home", "application", "tasks", "check", "status", "question", "notice", "refusal"})
APPLICATIONS |= {"withdraw", "prove_first", "prove", "prove_many", "prove_method", "prove_operator", "prove_contact"}
APPLICATIONS |= {"share", "client", "proof", "send_proof", "mobile_number", "mobile_code", "mobile_line"}
REGISTRATIONS = frozenset({"registrations", "registration", "remote_staff", "provisional", "end_registration"})
REGISTRATIONS |= {"change_entry", "prove_again", "renew", "change_addresses", "changing", "certificate"}
REGISTRATIONS |= {"report_cut", "incident", "incident_file", "planned_works", "planned_work"}
REGISTRATIONS |= {"mobile_move_number", "mobile_move_code", "mobile_move_line"}
ORGANISATIONS = frozenset({"organisations", "organisation", "branches", "branch", "mandates", "mandates_held"})


def _of_an_operator(operator: str, room: str, page: str) -> list[Link]:
    waiting = checks.open_count(operator=operator)
    return [
        Link(_("Sync status"), reverse("portal:operator"), here=page == "operator"),
        Link(
            _("Subscriber checks"),
            reverse("confirm:checks"),
            here=room == "confirm",
            count=waiting,
            count_words=ngettext("open check", "open checks", waiting),
        ),
        incidents.for_operator(operator, here=room == "incident", now=timezone.now()),
        Link(_("Planned changes"), reverse("portal:planned_changes"), here=page == "planned_changes"),
        Link(_("Planned work"), reverse("maintenance:operator_works"), here=room == "maintenance"),
    ]


def _posts(user: User, name: str) -> list[Link]:
    waiting = people.posts_to_agree_to(user, timezone.now()).count()
    return [
        Link(
            pgettext("navigation", "Posts"),
            reverse("people:posts"),
            here=name == "posts",
            count=waiting,
            count_words=ngettext("waits for you", "wait for you", waiting),
        )
    ]


def links(request: HttpRequest) -> list[Link]:
    """What this reader comes for, and the account, where everybody has their keys and their number."""
    user = getattr(request, "user", None)
    match = request.resolver_match
    room = match.namespace if match else ""
    name = match.url_name or "" if match else ""
    found = _of_reader(user, room, name)
    if not isinstance(user, User):
        return found
    of_account = room in {"people", "api"} and name not in ORGANISATIONS | {"posts"}
    return [*found, Link(pgettext("navigation", "Account"), reverse("people:account"), here=of_account)]


def _of_reader(user: object, room: str, name: str) -> list[Link]:
    page = name if room == "portal" else ""
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
        rooms: list[together.Part] = [
            planned_work.for_officers(here=room == "maintenance"),
            complaints.for_officers(here=room == "complaint"),
            incidents.for_officers(here=room == "incident"),
            *(each(page, timezone.now()) for each in optional.given(__package__, "for_officers")),
        ]
        holds = together.totals(publish.waiting_holds(), number=Count("*"))
        together.ask(holds, *(query for each in rooms for query in each.read))
        waiting = holds[0]["number"]
        words = ngettext("removal of many entries", "removals of many entries", waiting)
        return [
            Link(
                pgettext("navigation", "Feed"),
                reverse("portal:feed"),
                here=page in {"feed", "hold"},
                count=waiting,
                count_words=words,
            ),
            Link(pgettext("navigation", "Telephone"), reverse("portal:desk_entries"), here=page == "desk_entries"),
            Link(pgettext("navigation", "Proofs"), reverse("portal:proofs_in_vain"), here=page == "proofs_in_vain"),
            *(each.shown() for each in rooms),
            Link(_("Draft rules"), reverse("portal:desk_drafts"), here=page in {"desk_drafts", "desk_draft"}),
            *_invitations(page),
            Link(_("Where time goes"), reverse("portal:flow"), here=page in {"flow", "cases_asked", "cases_ended"}),
            _previews(page),
            *(_posts(user, name) if people.is_supervisor(user) else ()),
        ]
    desk: list[Link] | None = optional.ask(__package__, "at_desk", user, room, timezone.now())
    if desk is not None:
        return desk
    if people.keeps_accounts(user):
        return []
    if people.is_administrator(user):
        return [_previews(page), *_posts(user, name)]
    unread = inbox.unread_count(user)
    return [
        Link(_("Applications"), reverse("portal:home"), here=room == "apply" or page in APPLICATIONS),
        Link(_("Registrations"), reverse("portal:registrations"), here=room == "share" or page in REGISTRATIONS),
        Link(
            _("Letters"),
            reverse("portal:letters"),
            here=page in {"letters", "letter"},
            count=unread,
            count_words=ngettext("unread letter", "unread letters", unread),
        ),
        *_organisation(user, here=name in ORGANISATIONS),
    ]


def _organisation(user: User, *, here: bool) -> list[Link]:
    """Of whoever belongs to one, its page, or that of its members for who sees no more; of several, their list."""
    mine = list(people.memberships_of(user)[:2]) if getattr(user, "any_membership", True) else []
    if not mine:
        return []
    if len(mine) > 1:
        return [Link(pgettext("navigation", "Organisations"), reverse("people:organisations"), here=here)]
    page = "portal:organisation" if mine[0].role in roles_that(Act.SEE) else "people:organisation"
    return [Link(pgettext("navigation", "Organisation"), reverse(page, args=[mine[0].organisation_id]), here=here)]


def _invitations(page: str) -> list[Link]:
    """Where the rules let bodies invite, the office can withdraw an invitation."""
    if invitations.terms() is None:
        return []
    return [Link(_("Invitations"), reverse("portal:desk_invitations"), here=page == "desk_invitations")]


def _previews(page: str) -> Link:
    return Link(
        pgettext("navigation", "Letters"),
        reverse("portal:letter_previews"),
        here=page in {"letter_previews", "letter_preview"},
    )
