"""The ready accounts of the demonstration: one for each role, and one for each point of the line; all made up, under
domains that cannot exist."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from rahdari import policy

from . import actions, queries
from .models import DIRECTOR, Role, User

DOMAIN = "demo.rahdari.example"
ACTOR = "system:demonstration"


@dataclass(frozen=True)
class Ready:
    """An account to be made. `local` is the part of its address before the @; `needs`: what the rules ask for, where
    there is nothing to do for it else (`policy.beyond`)."""

    local: str
    name: str
    says: Promise
    role: Role | None = None
    rank: str = ""
    association: str = ""
    organisation: str = ""
    company_number: str = ""
    ntn: str = ""
    needs: str = ""


@dataclass(frozen=True)
class ReadyAccount:
    """An account as the page lists it."""

    user: User
    name: str
    says: str


CAST = (
    Ready("freelancer", "Sample Freelancer 31", _("Applies for a VPN at home.")),
    Ready(
        "company",
        "Sample Manager 4",
        _("Applies for a company."),
        organisation="Sample Software House (Pvt) Ltd",
        company_number="0000482",
        ntn="0000482",
        needs="organisation",
    ),
    Ready("officer", "Sample Officer 1", _("Looks at cases, asks, grants, proposes a refusal."), Role.OFFICER),
    Ready("second-officer", "Sample Officer 2", _("Seconds what the first officer proposes."), Role.OFFICER),
    Ready(
        "director",
        "Sample Director 1",
        _("Supervises, and decides what needs Director rank."),
        Role.SUPERVISOR,
        DIRECTOR,
    ),
    Ready("supervisor", "Sample Supervisor 1", _("Decides appeals against what the others decided."), Role.SUPERVISOR),
    Ready(
        "accounts", "Sample Accountant 1", _("Adds bank statements and matches payments."), Role.ACCOUNTS, needs="fee"
    ),
    Ready(
        "association",
        "Sample Secretary 1",
        _("Attests the members of a sample association."),
        Role.ASSOCIATION,
        association="sample-software-houses",
        needs="association",
    ),
    Ready("administrator", "Sample Administrator 1", _("Gives posts to people."), Role.ADMINISTRATOR),
)
OPERATOR_SAYS = _("Answers for its subscribers, and sees which edition the network has.")
# People whose applications stand at different points of the line (`ops/samples.py` walks them there).
SAMPLE_DOMAIN = "people.rahdari.example"
SAMPLES = {
    32: _("Has a registration in force."),
    33: _("The same, in Urdu."),
    34: _("Waits for an officer."),
    35: _("Has a question to answer."),
    36: _("Has a notice of refusal to answer."),
    37: _("Has a draft, not yet sent."),
    38: _("Waits for its operator to confirm the address."),
    39: _("Waits for the sample association to attest them."),
    40: _("A company, registered provisionally: its operator is silent."),
    41: _("Has a notice of suspension to answer, and a hearing is set."),
    42: _("Was refused, and can still appeal."),
    43: _("Has appealed: somebody without a part in it decides."),
    44: _("Has a complaint to answer."),
    45: _("Was granted by an officer, and chosen by chance for a second review."),
    46: _("Has answered a notice of revocation: a second officer decides."),
    47: _("Lets the endpoint be measured. It was cut yesterday, and is cut now."),
    48: _("Has no decision, and the time for it is over."),
    49: _("Is asked whether the registration is still right."),
}


def email_of(local: str) -> str:
    return f"{local}@{DOMAIN}"


def sample_email(number: int) -> str:
    return f"freelancer-{number}@{SAMPLE_DOMAIN}"


def name_of(applicant: str) -> str:
    """The name of a sample applicant, where the rules ask applicants for theirs."""
    return applicant if "name" in policy.asked_by(policy.current(settings.POLICY_FILE)) else ""


def make_ready_accounts(*, operators: Sequence[tuple[str, str]], now: dt.datetime) -> list[User]:
    """Make the cast, and one account for each operator (short name, name). What is there is left as it is."""
    made = []
    asked = policy.asked_by(policy.current(settings.POLICY_FILE))
    for ready in CAST:
        if ready.needs and ready.needs not in asked:
            continue
        name = ready.name if ready.role is not None or ready.organisation else name_of(ready.name)
        user = actions.register_person(email=email_of(ready.local), name=name, actor=ACTOR, now=now)
        if ready.role is not None:
            actions.appoint(
                user=user, role=ready.role, rank=ready.rank, association=ready.association, actor=ACTOR, now=now
            )
        if ready.organisation and not queries.organisations_of(user).exists():
            actions.register_organisation(
                owner=user,
                name=ready.organisation,
                company_number=ready.company_number,
                ntn=ready.ntn,
                actor=ACTOR,
                now=now,
            )
        made.append(user)
    for slug, name in operators:
        user = actions.register_person(email=email_of(f"operator-{slug}"), name=name, actor=ACTOR, now=now)
        actions.appoint(user=user, role=Role.OPERATOR, operator=slug, actor=ACTOR, now=now)
        made.append(user)
    return made


def ready_accounts() -> list[ReadyAccount]:
    """The accounts that are there: the cast in its order, the operators, then whoever stands somewhere on the line."""
    cast = {email_of(ready.local): ready.says for ready in CAST}
    samples = {sample_email(number): says for number, says in SAMPLES.items()}
    ours = Q(email__in=[*cast, *samples]) | Q(posts__role=Role.OPERATOR)
    found = {user.email: user for user in User.objects.filter(ours, is_active=True).distinct()}
    operators = dict.fromkeys(sorted(set(found) - set(cast) - set(samples)), OPERATOR_SAYS)
    return [
        ReadyAccount(found[email], found[email].name or email, str(says))
        for email, says in {**cast, **operators, **samples}.items()
        if email in found
    ]
