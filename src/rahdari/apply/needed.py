"""What a service wants of whoever applies, in words: what to have ready, what it costs, and what it never asks. All of
it is read from the policy.
"""

from collections.abc import Mapping, Sequence

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from rahdari.licensees import queries as licensees
from rahdari.policy import Policy, Service, asked_of
from rahdari.web.allowances import in_words

from . import rules, summary
from .eligible import Eligibility, Outcome
from .rules import Which

# Nothing here could take it: there is no field for it in any form.
NEVER = _("Passwords, keys, or anything you send through your VPN")
# What is not asked unless the service asks one of these keys of `policy.beyond`.
UNLESS_ASKED: Mapping[Promise, frozenset[str]] = {
    _("Your name"): frozenset({"name", "organisation"}),
    _("The number of your identity card"): frozenset({"card_number"}),
    _("A telephone number"): frozenset({"contact_number"}),
    _("What you use the VPN for"): frozenset({"purpose", "uses"}),
    _("Documents"): frozenset({"documents", "profession"}),
}


def never_asked(*services: Service, which: str = "") -> list[Promise]:
    """What nobody is asked who applies for one of these. `which`: what is registered, where that is known; whoever may
    register a mobile number is asked for it."""
    asked = {key for service in services for key in asked_of(service)}
    if which == Which.MOBILE or (not which and any(service.accepts_mobile_numbers for service in services)):
        asked.add("contact_number")
    return [NEVER, *(words for words, keys in UNLESS_ASKED.items() if not keys & asked)]


def fee_line(services: Sequence[Service], *, language: str | None) -> str:
    """What these cost, as one line. Of several fees, what is true of all: whether some cost nothing, and that the
    others say what they cost."""
    fees = {service.fee.text.in_language(language) for service in services}
    if len(fees) == 1:
        return fees.pop()
    if any(service.fee.rule == "free" for service in services):
        return gettext("Free for freelancers and many others")
    return gettext("Each service says what it costs")


def number_of(service: Service) -> str:
    """Whose number everybody has to give: company, card, or nobody's."""
    if service.holder == "organisation":
        return "company" if service.has_company_number else ""
    return "card" if rules.asks_card(service) else ""


def needed(service: Service, policy: Policy, *, which: str, language: str) -> dict[str, object]:
    """The facts of `apply/parts/have_ready.html` and of what stands around it."""
    return {
        "service": service.title.in_language(language),
        "which": which,
        "number": number_of(service),
        "fee": service.fee.text.in_language(language),
        "evidence": summary.evidence_groups(service),
        "documents": [rule.title.in_language(language) for rule in service.documents],
        "decided": in_words(policy.clocks[service.clock]),
        "never": never_asked(service, which=which),
    }


def instead(found: Eligibility, policy: Policy, *, language: str) -> dict[str, object]:
    """The facts of `apply/parts/instead.html`: where answers lead that lead to no application."""
    service = policy.services.get(found.service or "")
    return {
        "outcome": found.outcome.value,
        "service": service.title.in_language(language) if service else "",
        "licensed": licensees.in_force() if found.outcome is Outcome.PROVIDER else None,
        "knows_organisations": any(each.holder == "organisation" for each in policy.services.values()),
    }
