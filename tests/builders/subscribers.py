"""Questions as the line asks them, and operators' desks. Samples only."""

import datetime as dt
import itertools
import uuid
from typing import Any

from django.conf import settings
from django.utils import timezone

from rahdari import policy
from rahdari.confirm import questions
from rahdari.confirm.models import SubscriberQuestion
from rahdari.people import actions as people
from rahdari.people.models import Role, User

OPERATOR, OTHER = "sample-fibre", "placeholder-net"
_numbers = itertools.count(1)


def a_desk(operator: str = OPERATOR) -> User:
    """A person who answers for an operator."""
    user = people.register_person(email=f"desk-{next(_numbers)}@{operator}.example", now=timezone.now())
    people.appoint(user=user, role=Role.OPERATOR, operator=operator, actor="system:test", now=timezone.now())
    return user


def a_question(operator: str = OPERATOR, *, now: dt.datetime | None = None, **more: Any) -> SubscriberQuestion:
    number = next(_numbers)
    facts: dict[str, Any] = {
        "operator": operator,
        "subject": f"application:{uuid.uuid4()}",
        "target": f"endpoint:{uuid.uuid4()}",
        "block": f"203.0.113.{number % 250 + 1}/32",
        "subscriber": f"SN-{number:07}",
        "name": "Sample Freelancer 14",
        "policy": policy.current(settings.POLICY_FILE),
        "now": now or timezone.now(),
    }
    return questions.ask(**facts | more)
