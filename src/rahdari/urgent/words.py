"""What a page, an officer on the telephone and a program say of why an address is not listed before its papers."""

from django.utils.translation import gettext as _

from .rules import Cannot


def cannot(why: Cannot) -> str:
    """Whoever reads it is the holder, or hears it from an officer."""
    return {
        Cannot.NOT_OFFERED: _("These rules list no address before its proof."),
        Cannot.NOT_VALID: _("This registration is not valid now."),
        Cannot.PROVISIONAL: _("This registration is provisional itself: what is still missing comes first."),
        Cannot.PROPOSED: _("A proposal to revoke this registration is open. It must be decided first."),
        Cannot.NO_ADDRESS: _("This registration has no address that a new one could replace."),
        Cannot.NO_NUMBER: _("There is no confirmed mobile number on file by which we could know you."),
        Cannot.NEW_NUMBER: _(
            "The mobile number on file was confirmed too short a time ago: it may not be yours. Call the office."
        ),
        Cannot.NEW_MEMBER: _("You have belonged to the organisation for too short a time. Ask somebody else there."),
        Cannot.ONE_OPEN: _("One address is listed before its proof already, or is about to be."),
        Cannot.USED_UP: _("This was used as often as the rules allow in one year."),
    }[why]


def no_sms() -> str:
    return _("This register sends no SMS. Call the office.")


def code_over() -> str:
    return _("This code is no longer valid. Ask for a new one.")


def not_this_way() -> str:
    """The same of an address of somebody else's and of one in a network that nobody knows."""
    return _("This address cannot be listed before its proof. Apply to change your addresses, and prove it there.")
