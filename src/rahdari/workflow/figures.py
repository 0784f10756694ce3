"""Figures are published on their day, and drafts that were given up are counted as they go."""

import datetime as dt

from rahdari.apply import queries as applications
from rahdari.apply.models import Application
from rahdari.figures import actions as figures
from rahdari.figures.models import CLOSED, PROVE_AND_SEND


def publish_months(now: dt.datetime) -> int:
    """Nobody waits for it, so it moves nothing: it rests after each time."""
    figures.publish_due(now)
    return 0


def came_to_rest_at(draft: Application) -> str:
    policy = applications.policy_in_force()
    if draft.service not in policy.services or not policy.services[draft.service].open:
        return CLOSED
    step = applications.open_step(draft, policy)
    return str(step.key) if step is not None else PROVE_AND_SEND
