"""What this room writes into the journal."""

from django.utils.translation import gettext_lazy as _

from rahdari.journal.registry import EVERYBODY, OFFICERS, Act, declare, declare_unshown

declare(
    Act("checks.opened", _("Checks started"), EVERYBODY),
    Act("checks.recorded_by_hand", _("A check was recorded by hand"), OFFICERS),
)
declare_unshown("checks", "answered holder_denied marked_provisional looked_again passed_late")
declare_unshown("checks", "sent_code told_contact imported_roster")
