"""Short messages in the workflow: reports on what was never sent are forgotten."""

from rahdari.sms.actions import forget_early_reports

from .step import A_DAY, Place, Step

STEPS = {Place.LAST: (Step("sms: forget early reports", forget_early_reports, rests=A_DAY),)}
