"""What this room writes into the journal."""

from django.utils.translation import gettext_lazy as _

from rahdari.journal.registry import EVERYBODY, OFFICERS, Act, Event, declare, declare_unshown

declare(
    Act("verify.opened_checks", _("Checks started"), EVERYBODY),
    Act("verify.proved_control", _("Address proved"), OFFICERS, event=Event("endpoint.proved")),
    Act("verify.recorded_by_hand", _("A check was recorded by hand"), OFFICERS),
)
declare_unshown("verify", "opened_challenge changed_challenge shared_proof withdrew_challenges sent_code")
declare_unshown("verify", "answered_check let_stand_for_now looked_again passed_late began_reproof ended_reproof")
declare_unshown("verify", "imported_roster")
