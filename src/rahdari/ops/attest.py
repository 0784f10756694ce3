"""Members whom the demonstration's association has attested."""

import datetime as dt


def sow_members(now: dt.datetime) -> None:
    # The process that starts the others reads this module too, and has no Django.
    from . import attest_samples

    attest_samples.sow_members(now)
