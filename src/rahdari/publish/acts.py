"""What this room writes into the journal."""

from rahdari.journal.registry import declare_unshown

declare_unshown("publish", "operator_added operator_stopped rights_changed number_prefixes_set terms_accepted")
declare_unshown("publish", "token_given certificate_given credential_ended agent_key_enrolled agent_key_revoked")
declare_unshown("publish", "keys_made key_replaced offline_role_signed sessions_opened")
declare_unshown("publish", "removals_held hold_outgrown removals_released hold_approved hold_cancelled")
declare_unshown("publish", "hold_reopened hold_ended")
