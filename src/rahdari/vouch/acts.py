"""What this room writes into the journal."""

from django.utils.translation import gettext_lazy as _

from rahdari.journal.registry import Act, declare, declare_unshown

declare(
    Act(
        "vouch.read_question",
        seen=_("Your name, and that you ask to register your connection"),
        reader=_("The person who opened the link that we sent to your client or employer"),
        why=_("To answer whether you work for them"),
    ),
)
declare_unshown("vouch", "asked answered sent_again withdrew expired erased")
