"""The places from which we look: the register itself, and the vantages that are set up elsewhere.

How many must agree is the policy's (`vantage`); a place that cannot be asked says nothing of anybody.
"""

import datetime as dt

from django.conf import settings

from rahdari import optional
from rahdari import policy as policies
from rahdari.address import Address
from rahdari.probe.claims import Claim
from rahdari.probe.proving import Standpoint
from rahdari.probe.quorum import Ask, Needed, VantageAnswer, ask_all


def elsewhere() -> list[Ask]:
    return optional.ask(__package__, "vantages") or []


def count() -> int:
    """The number of views: the vantages, and the register itself."""
    return len(elsewhere()) + 1


def needed() -> Needed:
    rule = policies.current(settings.POLICY_FILE).vantage
    return Needed(rule.needed, rule.may_fail, rule.networks)


def look_from_all(claim: Claim, address: Address, timeout: float, now: dt.datetime) -> list[VantageAnswer]:
    """What each place saw; the register's own view is the first."""
    standpoint = Standpoint(
        allowed_ranges=tuple(settings.ALLOWED_SPECIAL_RANGES), resolvers=tuple(settings.PROOF_RESOLVERS)
    )
    return ask_all(elsewhere(), claim=claim, address=address, now=now, timeout=timeout, standpoint=standpoint)
