"""What this room writes into the journal."""

from django.utils.translation import gettext_lazy as _

from rahdari.journal.registry import Act, declare, declare_unshown

declare(
    Act("people.tried_without_mandate", done=_("Tried something after the mandate had ended: nothing was done")),
)

declare_unshown("people", "registered_person named_person forgot_name noted_keys")
declare_unshown("people", "registered_organisation described_organisation added_member changed_role removed_member")
declare_unshown("people", "invited_member declined_invitation withdrew_invitation")
declare_unshown("people", "added_branch changed_branch ended_branch gave_mandate accepted_mandate ended_mandate")
declare_unshown("people", "told_contact")
declare_unshown("people", "appointed proposed_post agreed_to_post dropped_post ended_post forgot_second_factors")
