"""What the applicant's pages share: the gatekeeper as a page, and the policy's words in the reader's language."""

from django.http import Http404, HttpRequest
from django.utils.translation import get_language

from rahdari.apply import queries as apply
from rahdari.apply.models import Application
from rahdari.people import queries as people
from rahdari.people.access import person
from rahdari.people.acting import Acting, Reached
from rahdari.people.models import User
from rahdari.people.rules import Act
from rahdari.policy import Policy, Text
from rahdari.register.models import Registration


def application(request: HttpRequest, reference: str, act: Act = Act.PAPERS) -> Reached[Application]:
    """The application, if the visitor may do this with it, and as whom; the page "not found" for any other, whether
    there is one or not.
    """
    try:
        return apply.application_for_applicant(applicant=person(request), reference=reference, act=act)
    except apply.ApplicationNotFound:
        raise Http404 from None


def acting_for(user: User, found: Registration, act: Act = Act.APPLY) -> Acting | None:
    """As whom this person may do this with a registration: the holder, by their role there, or by a mandate."""
    return people.acting_for(user, found.holder, act, service=found.category)


def may_act_for(user: User, found: Registration, act: Act = Act.APPLY) -> bool:
    return acting_for(user, found, act) is not None


def words(text: Text | None) -> str:
    return text.in_language(get_language()) if text else ""


def service_title(key: str, policy: Policy | None = None) -> str:
    service = (policy or apply.policy_in_force()).services.get(key)
    return words(service.title) if service else key
