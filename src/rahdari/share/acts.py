"""What this room writes into the journal."""

from django.utils.translation import gettext_lazy as _

from rahdari.journal.registry import Act, Event, declare, declare_unshown

declare(
    Act("share.put_question", event=Event("sharing.asked")),
    *(Act(f"share.{each}", event=Event("sharing.ended")) for each in ("answered", "expired", "withdrew", "lapsed")),
    Act(
        "share.read_question",
        seen=_("The name that you chose, and that you ask to share the address"),
        reader=_("Somebody who has the same address"),
        why=_("To answer whether you may share it"),
    ),
)
declare_unshown("share", "asked replied erased")
