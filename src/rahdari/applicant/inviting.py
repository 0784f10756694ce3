"""For which bodies somebody may invite: an association whose post they hold, and organisations that they own and that
are registered. So the name that a page shows as the inviter's is one that the register has checked.
"""

import datetime as dt
import uuid

from rahdari.apply import queries as apply
from rahdari.invite.rules import Inviter, Whom
from rahdari.people import queries as people
from rahdari.people.models import User
from rahdari.people.rules import Act
from rahdari.policy import Inviting
from rahdari.register import queries as register
from rahdari.register.rules import Standing

ASSOCIATION, HOLDER = "association:", "holder:"


def _invited_by(holder: uuid.UUID, terms: Inviting, now: dt.datetime) -> set[str]:
    """Whom a holder may invite by what stands in the register for it now, and not provisionally."""
    services = {
        row.category
        for row in register.registrations_of(holders=[holder])
        if register.standing(row, now) == Standing.VALID and not row.is_provisional
    }
    return {word for service in services for word in terms.whom.get(service, ())}


def may_still_invite(inviter: str, whom: str, now: dt.datetime) -> bool:
    """Whether a body that began a campaign may still invite these: its links die with its registration."""
    rules = apply.policy_in_force()
    if rules.inviting is None:
        return False
    if inviter.startswith(HOLDER):
        return whom in _invited_by(uuid.UUID(inviter.removeprefix(HOLDER)), rules.inviting, now)
    return rules.attesting is not None and rules.attesting.association(inviter.removeprefix(ASSOCIATION)) is not None


def inviters_for(user: User, now: dt.datetime, language: str) -> list[Inviter]:
    rules = apply.policy_in_force()
    if rules.inviting is None:
        return []
    found = []
    association = people.association_of(user)
    known = rules.attesting.association(association) if association and rules.attesting else None
    if known is not None:
        found.append(Inviter(f"{ASSOCIATION}{association}", known.title.in_language(language), (Whom.MEMBERS,)))
    for each in people.organisations_for(user, Act.MEMBERS):
        whom = _invited_by(each.holder_ref, rules.inviting, now)
        if whom:
            found.append(Inviter(f"{HOLDER}{each.holder_ref}", each.name, tuple(each for each in Whom if each in whom)))
    return found
