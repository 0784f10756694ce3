"""Facts for each letter, as the stations give them."""

import datetime as dt
from typing import Any

from rahdari import policy
from rahdari.people import actions as people
from rahdari.people.models import User

NOW = dt.datetime(2026, 11, 10, 9, 32, tzinfo=dt.UTC)

RULES = policy.load(policy.BUNDLED)

FACTS: dict[str, dict[str, Any]] = {
    "code": {"code": "482915"},
    "application_received": {
        "reference": "A-2611-0482",
        "service": RULES.services["vpn_freelancer"].title,
        "due_at": NOW + dt.timedelta(hours=8),
        "url": "/applications/A-2611-0482/",
    },
    "application_granted": {
        "reference": "A-2611-0482",
        "registration": "RD-5P9X-31GN",
        "valid_until": NOW + dt.timedelta(days=365),
        "service": RULES.services["vpn_company"].title,
    },
    "application_question": {
        "reference": "A-2611-0482",
        "question": "The letter of Specimen Media names “Sample F. 31”. Is that you?\nOne sentence is enough.",
        "due_at": NOW + dt.timedelta(days=14),
    },
    "application_notice": {
        "reference": "A-2611-0482",
        "code": ["R1", "R7"],
        "reason": [RULES.reasons["R1"], RULES.reasons["R7"]],
        "text": "Sample note of the officer.",
        "due_at": NOW + dt.timedelta(days=9),
    },
    "application_refused": {
        "reference": "A-2611-0482",
        "code": "R3",
        "reason": RULES.reasons["R3"],
        "appeal_until": NOW + dt.timedelta(days=30),
    },
    "application_late": {"reference": "A-2611-0482"},
    "application_not_pursued": {"reference": "A-2611-0482"},
    "registration_expires_soon": {"registration": "RD-5P9X-31GN", "valid_until": NOW + dt.timedelta(days=30)},
    "registration_expired": {"registration": "RD-5P9X-31GN", "valid_until": NOW},
}


def a_reader(*, email: str = "reader@sample-freelancer.example", language: str = "en") -> User:
    return people.register_person(email=email, language=language, name="Sample Freelancer 31", now=NOW)
