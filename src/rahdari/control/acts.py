"""What this room writes into the journal."""

from django.utils.translation import gettext_lazy as _

from rahdari.journal.registry import OFFICERS, Act, Event, declare, declare_unshown

declare(Act("control.proved", _("Address proved"), OFFICERS, event=Event("endpoint.proved")))
declare_unshown("control", "opened_challenge changed_challenge shared_proof withdrew_challenges sent_code")
declare_unshown("control", "began_reproof ended_reproof")
