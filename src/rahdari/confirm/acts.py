"""What this room writes into the journal."""

from django.utils.translation import gettext_lazy as _

from rahdari.journal.registry import Act, declare, declare_unshown

_WHY = _("To answer whether you are its customer")

declare(
    Act(
        "confirm.listed",
        seen=_("One line in its list of questions: your number there, and your name with the first and last letters"),
        why=_WHY,
    ),
    Act(
        "confirm.downloaded",
        seen=_("One line of a file of questions: your number there, and your name with the first and last letters"),
        why=_WHY,
    ),
    Act(
        "confirm.fetched",
        seen=_("One question, by its own system: your number there, and your name with the first and last letters"),
        why=_WHY,
    ),
)
declare_unshown("confirm", "asked answered corrected withdrew dropped erased sent_file made_token revoked_token")
declare_unshown("confirm", "registered_callback ended_callback changed_secret stopped_callback")
