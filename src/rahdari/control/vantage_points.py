"""The places from which we look: the register itself, and the vantages that are set up elsewhere.

How many must agree is the policy's (`vantage`); a place that cannot be asked says nothing of anybody.
"""

import datetime as dt
import logging

from django.conf import settings

from rahdari import policy as policies
from rahdari import vantage
from rahdari.address import Address
from rahdari.probe.claims import Claim
from rahdari.probe.proving import Standpoint

log = logging.getLogger("rahdari.looks")


def vantages() -> tuple[vantage.Vantage, ...]:
    """Those in `vantages.toml`. A file that cannot be used is told in the log and by the doctor: we look from here."""
    try:
        return tuple(vantage.load(settings.DATA))
    except vantage.VantagesUnusable as error:
        log.error("%s", error)
        return ()


def count() -> int:
    return len(vantages()) + 1


def needed() -> vantage.Needed:
    rule = policies.current(settings.POLICY_FILE).vantage
    return vantage.Needed(rule.needed, rule.may_fail, rule.networks)


def look_from_all(claim: Claim, address: Address, timeout: float, now: dt.datetime) -> list[vantage.VantageAnswer]:
    """What each place saw; the register's own view is the first."""
    standpoint = Standpoint(
        allowed_ranges=tuple(settings.ALLOWED_SPECIAL_RANGES), resolvers=tuple(settings.PROOF_RESOLVERS)
    )
    return vantage.ask_all(vantages(), claim=claim, address=address, now=now, timeout=timeout, standpoint=standpoint)
