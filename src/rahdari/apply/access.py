"""Who reaches which application: in their own right, by their role in an organisation, or by a mandate of one.

Nobody learns whether an application is absent or another's.
"""

from django.db.models import Q, QuerySet

from rahdari.db.asked import Asked
from rahdari.errors import RahdariError
from rahdari.people import queries as people
from rahdari.people.acting import Acting, Reached
from rahdari.people.models import Organisation, User
from rahdari.people.rules import Act
from rahdari.vault import links

from .models import Application
from .rules import Status


class ApplicationNotFound(RahdariError):
    """There is no such application, or it is not yours: nobody learns which. `.reference` is what was asked for."""

    says = "no application {reference!r} for this person"
    reference: str


def every() -> QuerySet[Application]:
    """All applications, with what is always asked for. No gatekeeper.

    Not with their rules, which are long and mostly known: `queries.frozen_policy` has those.
    """
    return Application.objects.select_related("applicant", "organisation", "mandate")


def typed(reference: str) -> str:
    """A reference as it came in an address. PostgreSQL takes no NUL, and a forged one is an unknown one."""
    return reference.replace("\0", "").strip().upper()


def within_reach(person: User, act: Act) -> Q:
    """The applications with which a person may do this: their own, those of organisations by their role there, and
    those of services for which an organisation gave them a mandate.

    A draft of a new registration is also whoever's began it in their own right, whatever became of their role since: it
    was never sent.
    """
    mandated = _mandated(person, act)
    return in_own_right(person, act) | mandated if mandated else in_own_right(person, act)


def in_own_right(person: User, act: Act) -> Q:
    """The applications that this person may do `act` with without a mandate: their own, and those of their
    organisations.
    """
    own = Q(applicant=person, organisation__isnull=True)
    begun = Q(applicant=person, status=Status.DRAFT, registration__isnull=True, mandate__isnull=True)
    return own | begun | Q(organisation__in=people.organisations_for(person, act))


def _mandated(person: User, act: Act) -> Q | None:
    """None for somebody without a mandate, who is nearly everybody: there is nothing to ask for then."""
    found: Q | None = None
    for mandate in people.mandates_in_force(person, act):
        services = Q(service__in=mandate.services.split()) if mandate.services else Q()
        given = Q(organisation=mandate.organisation) & services
        found = given if found is None else found | given
    return found


_own = Asked(
    lambda applicant, reference: Application.objects.filter(
        applicant=applicant, reference=reference, organisation__isnull=True, mandate__isnull=True
    ).order_by()
)


def _of_a_person(applicant: User, reference: str) -> Application | None:
    """A person's own, in nobody else's name: what most pages are about, so it is asked for first, and by itself."""
    for application in _own(applicant.pk, typed(reference)):
        application.applicant = applicant
        return application
    return None


def application_for_applicant(*, applicant: User, reference: str, act: Act = Act.PAPERS) -> Reached[Application]:
    """The application, if this person may do this with it, and as whom. Raises ApplicationNotFound."""
    found = _of_a_person(applicant, reference)
    if found is None:
        found = every().filter(in_own_right(applicant, act), reference=typed(reference)).first()
    if found is not None:
        return Reached(found, Acting(applicant))
    mandated = _mandated(applicant, act)
    found = every().filter(mandated, reference=typed(reference)).first() if mandated else None
    if found is None:
        raise ApplicationNotFound(reference)
    mandate = people.mandate_for(applicant, found.holder_ref, act, service=found.service)
    return Reached(found, Acting(applicant, mandate))


def readers_of(application: Application) -> list[User]:
    """Who gets the letters about it: the applicant; of what an agent sent also those of the organisation who see its
    papers, and the agent only while the mandate holds. In the place of an applicant who may not see them any more, as
    one who has left the organisation, those of it who may.
    """
    if application.mandate is None:
        if may(application.applicant, Act.PAPERS, application=application):
            return [application.applicant]
        return people.people_to_notify(application.holder_ref, Act.PAPERS)
    holder, agent = application.holder_ref, application.applicant
    holds = people.mandate_for(agent, holder, Act.PAPERS, service=application.service)
    return [*([agent] if holds else []), *people.people_to_notify(holder, Act.PAPERS)]


def on_behalf(application: Application) -> dict[str, str]:
    """For the letters about what an agent sent: in whose name, and by whom."""
    if application.mandate is None:
        return {}
    return {"on_behalf": application.company_name, "agent": application.mandate.agent_name}


PROVE_ALL = "apply.prove_all"


def prove_all_token(application: Application) -> str:
    """What the link holds that proves whichever address of the application it is opened from."""
    return links.token(PROVE_ALL, str(application.pk))


def application_for_link(*, reference: str, token: str) -> Application:
    """The application that such a link belongs to. Raises ApplicationNotFound."""
    found = every().filter(reference=typed(reference)).first()
    if found is None or not links.matches(PROVE_ALL, str(found.pk), token):
        raise ApplicationNotFound(reference)
    return found


def applications_of(applicant: User) -> QuerySet[Application]:
    """All applications that a person may work on, their own and their organisations', newest first."""
    return every().filter(within_reach(applicant, Act.PAPERS)).order_by("-created_at", "id")


def applications_for(organisation: Organisation) -> QuerySet[Application]:
    """All that was applied for in the organisation's name. No gatekeeper: for pages of who belongs to it."""
    return every().filter(organisation=organisation).order_by("-created_at", "id")


def applications_to_prove(person: User) -> QuerySet[Application]:
    """Applications of organisations of which a person sees the addresses alone, while they can be proved."""
    found = every().filter(within_reach(person, Act.PROVE), status__in=[Status.DRAFT, Status.SUBMITTED])
    return found.exclude(within_reach(person, Act.PAPERS)).order_by("-created_at", "id")


def may(person: User, act: Act, *, application: Application) -> bool:
    if application.organisation_id is None:
        # In nobody else's name: no role and no mandate reaches it.
        return application.applicant_id == person.pk
    return Application.objects.filter(within_reach(person, act), pk=application.pk).exists()
