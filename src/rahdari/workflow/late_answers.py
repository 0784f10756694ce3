"""Answers that come after an application went to an officer: the facts are put right, and what a rule can decide now it
decides, as long as no officer has touched the case.

An application goes to an officer when something failed: another holder has the address, its proof was never shown, a
number stands in no roster. Most of that can change without anybody's help, and nobody waits for a person then.
"""

import datetime as dt

from rahdari import optional
from rahdari.apply import queries as applications
from rahdari.checks import checking as checks_checking
from rahdari.db.queues import each_of
from rahdari.decide import granting, pending_automatic
from rahdari.decide.models import Case

from .checking import requests_for
from .step import BY_THE_CLOCK

# Nothing wakes us when a roster is imported, an entry ends or the directory changes: such cases are looked at so often.
LOOKS_AGAIN = dt.timedelta(minutes=15)
# A look costs some reads, and other steps of the line wait meanwhile.
LOOKED_AT_ONCE = 50
RESTS = BY_THE_CLOCK


@each_of(pending_automatic.with_proofs_that_came_late, at_most=LOOKED_AT_ONCE)
def take_in_late_proofs(case: Case, now: dt.datetime) -> int:
    """Addresses that were proved after they counted as not proved, whoever has the case: the check says so."""
    return checks_checking.recheck(subject=case.application.subject, kind="control", now=now)


@each_of(lambda now: pending_automatic.not_looked_at_since(now - LOOKS_AGAIN), at_most=LOOKED_AT_ONCE)
def recheck(case: Case, now: dt.datetime) -> bool:
    """Cases that no officer has touched: whether a rule can decide them, on what the house finds out anew."""
    _look_again(case, now)
    return granting.decide_late(case=case, now=now)


@each_of(pending_automatic.with_news, at_most=LOOKED_AT_ONCE)
def follow_news(case: Case, now: dt.datetime) -> bool:
    """Those of which something was answered since the rule last looked."""
    return granting.decide_late(case=case, now=now)


def _look_again(case: Case, now: dt.datetime) -> None:
    application = case.application
    policy = applications.frozen_policy(application)
    requests = requests_for(application, policy)
    checks_checking.ask_again(subject=application.subject, requests=requests, now=now)
    for look_again in optional.given(__package__, "look_again"):
        look_again(application, policy, requests, now)
