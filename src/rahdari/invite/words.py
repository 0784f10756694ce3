"""The words of an invitation. They are fixed: whoever invites writes none of them, so nothing can be promised or
threatened in the register's name.
"""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from rahdari.web import values

from .models import Campaign
from .rules import Cannot, End, Whom, Why

WHOM: Mapping[Whom, Promise] = {
    Whom.MEMBERS: _("Its members"),
    Whom.CUSTOMERS: _("Its customers"),
    Whom.STUDENTS: _("Its students"),
    Whom.STAFF: _("Its staff"),
}
HEADS: Mapping[Whom, Promise] = {
    Whom.MEMBERS: _("%(name)s invites its members to register"),
    Whom.CUSTOMERS: _("%(name)s invites its customers to register"),
    Whom.STUDENTS: _("%(name)s invites its students to register"),
    Whom.STAFF: _("%(name)s invites its staff to register"),
}
WHY: Mapping[Why, Promise] = {
    Why.LIST: _("It was sent to addresses that were not the sender’s to use."),
    Why.NAME: _("The sender was not who it said."),
    Why.PRESSED: _("People were pressed to register."),
    Why.ASKED: _("The inviter asked for it."),
}
CANNOT: Mapping[Cannot, Promise] = {
    Cannot.NOT_THEIRS: _("Choose who is invited."),
    Cannot.TOO_MANY_LINKS: _("These are more links than an invitation may have."),
    Cannot.TOO_LONG: _("This is longer than an invitation may last."),
    Cannot.TOO_MANY_OPEN: _("You have reached the limit of invitations at one time. Stop one first."),
    Cannot.TOO_MANY_IN_YEAR: _("There were as many invitations in a year as there may be."),
}
ENDS: Mapping[str, Promise] = {
    End.OVER: _("Ended on its day"),
    End.STOPPED: _("Stopped by the inviter"),
    End.WITHDRAWN: _("Withdrawn by the office"),
}


def how(campaign: Campaign) -> str:
    """How it ended; empty while it runs."""
    return str(ENDS.get(campaign.end, ""))


def why(campaign: Campaign) -> str:
    """Why the office withdrew it; empty where it did not."""
    return str(WHY[Why(campaign.why)]) if campaign.why else ""


def cannot(why: Cannot) -> str:
    return str(CANNOT[why])


def head(campaign: Campaign) -> SafeString:
    return format_html(str(HEADS[Whom(campaign.whom)]).replace("%(name)s", "{}"), values.quoted_name(campaign.name))
