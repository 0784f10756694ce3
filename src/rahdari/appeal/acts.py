"""What this room writes into the journal."""

from django.utils.translation import gettext_lazy as _

from rahdari.journal.registry import EVERYBODY, OFFICERS, Act, Event, declare, declare_unshown

declare(
    Act("appeal.sent", _("Appeal sent"), EVERYBODY),
    Act("appeal.recorded", _("Appeal that came in writing recorded"), EVERYBODY),
    Act("appeal.withdrew", _("Appeal withdrawn"), EVERYBODY),
    Act("appeal.took", _("An officer has taken the appeal"), OFFICERS),
    Act("appeal.set_hearing", _("Day of the hearing set"), EVERYBODY),
    Act("appeal.recorded_hearing", _("Hearing recorded"), EVERYBODY),
    Act("appeal.named_reviewer", _("A reviewer from outside was named for the appeal"), EVERYBODY),
    Act("appeal.decided", _("Appeal decided"), EVERYBODY, event=Event("appeal.decided")),
    Act("appeal.refused_late", _("Appeal not heard: it came too late"), EVERYBODY, event=Event("appeal.decided")),
    Act("appeal.ran_out", _("The appeal was not decided in its time"), EVERYBODY),
    Act("appeal.overtaken", _("Appeal closed: the decision came"), EVERYBODY),
    Act("appeal.carried_out", _("What the appeal allowed was carried out"), EVERYBODY),
    Act("appeal.served", _("A question, a notice or a decision was handed over in person or by post"), EVERYBODY),
    Act("appeal.read", seen=_("The whole file of the application, to decide the appeal")),
)
declare_unshown("appeal", "saved")
