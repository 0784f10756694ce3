"""What this room writes into the journal."""

from django.utils.translation import gettext_lazy as _

from rahdari.journal.registry import EVERYBODY, OFFICERS, Act, declare, declare_unshown

declare(
    Act("sampling.looked", _("Looked at again, by an officer who did not know the decision"), EVERYBODY),
    Act("sampling.compared", _("Looked at again, because another application gives the same card number"), OFFICERS),
    Act("sampling.closed", _("A second review with a different result was followed up"), OFFICERS),
    Act(
        "sampling.read_file",
        _("File opened for a second review"),
        OFFICERS,
        seen=_("The whole file of the application, without the decision"),
    ),
    Act(
        "sampling.read_outcome",
        _("Result of a second review read"),
        OFFICERS,
        seen=_("What was decided, and what the second review found"),
    ),
    Act(
        "sampling.read_list",
        seen=_("Your application number, in a list of reviews with a different result"),
    ),
)
declare_unshown("sampling", "took")
