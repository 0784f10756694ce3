"""The questions before an application: which of them the rules ask, and where the answers lead. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from rahdari.policy import Policy

from .rules import Which

# Answers to the first question that name no service.
LICENSED, NONE = "licensed", "none"


class Use(StrEnum):
    CLIENTS = "clients"
    STAFF = "staff"
    SERVICE = "service"
    PRIVATE = "private"


class Outcome(StrEnum):
    """Where the answers lead."""

    APPLY = "apply"
    NOT_YET_OPEN = "not_yet_open"
    NOT_COVERED = "not_covered"
    PROVIDER = "provider"
    LICENCE = "licence"
    PRIVATE = "private"
    NO_MOBILE = "no_mobile"


@dataclass(frozen=True)
class Eligibility:
    outcome: Outcome
    service: str | None = None


def asks_who(policy: Policy) -> bool:
    """Whether there is anything to choose in the first question. A single service for anybody needs no answer."""
    return (
        len(policy.services) > 1 or policy.licensees is not None or any(each.who for each in policy.services.values())
    )


def which_are_offered(policy: Policy) -> tuple[Which, ...]:
    takes_mobile = any(service.accepts_mobile_numbers for service in policy.services.values())
    return tuple(which for which in Which if which is not Which.MOBILE or takes_mobile)


def questions_of(policy: Policy, who: str | None = None) -> tuple[str, ...]:
    """The questions before an application, in their order, as far as it is known `who` applies."""
    services = [each for key, each in policy.services.items() if key == who] or [*policy.services.values()]
    uses = ("use",) if any(service.uses for service in services) else ()
    return ("who",) * asks_who(policy) + uses + ("which",)


def names_somebody(policy: Policy, who: str | None) -> bool:
    """Whether it answers the first question under these rules."""
    return who in {*policy.services, LICENSED, NONE}


def open_questions(policy: Policy, answers: Mapping[str, str | None]) -> tuple[str, ...]:
    """The questions without which it is open where the answers lead."""
    use, which = answers.get("use"), answers.get("which")
    if eligibility(
        who=answers.get("who"), use=Use(use) if use else None, which=Which(which) if which else None, policy=policy
    ):
        return ()
    unknown = asks_who(policy) and not names_somebody(policy, answers.get("who"))
    asked = questions_of(policy, None if unknown else answers.get("who"))
    return tuple(name for name in asked if not answers.get(name) or (unknown and name == "who"))


def eligibility(
    *, who: str | None, use: Use | None, which: Which | None, policy: Policy, sms: bool = False
) -> Eligibility | None:
    """Where the answers so far lead; None while a question is still open. `who` is the key of a service, LICENSED or
    NONE. `sms`: whether a code can be sent."""
    if not asks_who(policy):
        (who,) = policy.services
    if not names_somebody(policy, who):
        return None
    if who == LICENSED:
        return Eligibility(Outcome.PROVIDER)
    if who is None or who == NONE:
        return Eligibility(Outcome.NOT_COVERED)
    service = policy.services[who]
    if not service.open:
        return Eligibility(Outcome.NOT_YET_OPEN, who)
    if service.uses and use is None:
        return None
    if service.uses and use not in service.uses:
        return Eligibility(Outcome.LICENCE if use is Use.SERVICE else Outcome.PRIVATE, who)
    if which is None:
        return None
    if which is Which.MOBILE and not (service.accepts_mobile_numbers and sms):
        return Eligibility(Outcome.NO_MOBILE, who)
    return Eligibility(Outcome.APPLY, who)
