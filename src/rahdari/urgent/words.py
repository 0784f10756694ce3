"""What a page, an officer on the telephone and a program say of why an address is not listed before its papers."""

import datetime as dt

from django.utils.translation import gettext as _

from rahdari.web.values import when

from .rules import Cannot


def cannot(why: Cannot, counts_from: dt.datetime | None = None) -> str:
    """To the holder. `counts_from`: `queries.counts_from`."""
    said = {
        Cannot.NOT_OFFERED: _("These rules list no address before its proof."),
        Cannot.NOT_VALID: _("This registration is not valid now."),
        Cannot.PROVISIONAL: _("This registration is provisional itself: what is still missing comes first."),
        Cannot.PROPOSED: _("A proposal to revoke this registration is open. It must be decided first."),
        Cannot.NO_ADDRESS: _("This registration has no address that a new one could replace."),
        Cannot.NO_NUMBER: _(
            "There is no confirmed mobile number on file by which we could know you. A number that you confirm now "
            "can be used for this from %(day)s on. Until then apply to change your addresses, and prove the new one."
        ),
        Cannot.NEW_NUMBER: _(
            "The mobile number on file was confirmed only recently, so it may not be yours. You can use it "
            "for this from %(day)s. Until then, apply to change your addresses and prove the new one."
        ),
        Cannot.NEW_MEMBER: _(
            "You have belonged to the organisation for too short a time: from %(day)s on you can do it. Until then ask "
            "somebody else there."
        ),
        Cannot.ONE_OPEN: _("One address is listed before its proof already, or is about to be."),
        Cannot.USED_UP: _("You have used this as many times as the rules allow in one year."),
    }[why]
    return said % {"day": when(counts_from)}


def cannot_for_caller(why: Cannot, counts_from: dt.datetime | None = None) -> str:
    """To an officer who has the holder on the telephone: with what can be done."""
    said = {
        Cannot.NO_NUMBER: _(
            "The holder has no confirmed mobile number. The caller can confirm one on the page of their account: it "
            "can be used for this from %(day)s on. Now they can apply to change their addresses, and prove the new one."
        ),
        Cannot.NEW_NUMBER: _(
            "The mobile number on file was confirmed too short a time ago: it may not be the holder’s. It can be "
            "used for this from %(day)s on. Now the caller can apply to change their addresses, and prove the new one."
        ),
        Cannot.NEW_MEMBER: _(
            "This person has belonged to the organisation for too short a time: from %(day)s on they can ask. Choose "
            "somebody else of the organisation, if they call."
        ),
    }
    return said[why] % {"day": when(counts_from)} if why in said else cannot(why, counts_from)


def no_sms() -> str:
    return _("This register sends no SMS. Call the office.")


def code_over() -> str:
    return _("This code is no longer valid. Ask for a new one.")


def not_this_way() -> str:
    """The same of an address of somebody else's and of one in a network that nobody knows."""
    return _("This address cannot be listed before its proof. Apply to change your addresses, and prove it there.")
