"""Facts for each letter, as the stations give them."""

from typing import Any

from rahdari import policy
from rahdari.letters import samples
from rahdari.people import actions as people
from rahdari.people.models import User

NOW = samples.AT

RULES = policy.load(policy.BUNDLED)

FACTS: dict[str, dict[str, Any]] = {name: facts(RULES) for name, facts in samples.LETTERS.items()}
FACTS["application_received"]["url"] = "/applications/A-2611-0482/"


def a_reader(*, email: str = "reader@sample-freelancer.example", language: str = "en") -> User:
    return people.register_person(email=email, language=language, name="Sample Freelancer 31", now=NOW)
