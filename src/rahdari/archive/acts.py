"""What this room writes into the journal."""

from django.utils.translation import gettext_lazy as _

from rahdari.journal.registry import Act, declare, declare_unshown

declare(
    Act("archive.read_sealed", seen=_("Everything that had been sealed"), why=_("On this ground: %(ground)s")),
)
declare_unshown("archive", "installed_key")
