"""Associations: the links at the top of a page, for whoever attests and for officers."""

import datetime as dt

from django.db.models import Count
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from rahdari.attest import queries as attestations
from rahdari.db import together
from rahdari.invite import queries as invitations
from rahdari.people import queries as people
from rahdari.people.models import User
from rahdari.web.context import Link


def at_desk(user: User, room: str, now: dt.datetime) -> list[Link] | None:
    association = people.association_of(user)
    if association is None:
        return None
    waiting = attestations.waiting_count(association, now)
    return [
        Link(
            pgettext("navigation", "Members"),
            reverse("attest:members"),
            here=room == "attest",
            count=waiting,
            count_words=ngettext("waits for you", "wait for you", waiting),
        ),
        *(
            [Link(_("Invite people to register"), reverse("portal:inviting"), here=room == "portal")]
            if invitations.terms() is not None
            else ()
        ),
    ]


def for_officers(page: str, now: dt.datetime) -> together.Part:
    counted = together.totals(attestations.undecided_matters(now), waiting=Count("*"))

    def shown() -> Link:
        waiting = counted[0]["waiting"]
        return Link(
            pgettext("navigation", "Attestations"),
            reverse("portal:matters"),
            here=page in {"matters", "matter"},
            count=waiting,
            count_words=ngettext("waits for you", "wait for you", waiting),
        )

    return together.Part([counted], shown)
