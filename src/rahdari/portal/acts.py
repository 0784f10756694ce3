"""What this room writes into the journal."""

from django.utils.translation import gettext_lazy as _

from rahdari.journal.registry import Act, declare

declare(
    Act(
        "portal.read_number",
        seen=_("Whether the number is valid, and how long"),
        why=_("Number checked"),
    ),
    Act(
        "portal.read_certificate",
        seen=_("The name of the holder, and whether and how long the certificate is valid"),
        why=_("Certificate checked"),
    ),
)
