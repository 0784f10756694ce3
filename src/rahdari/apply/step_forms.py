"""What is asked in each step of a draft: its form, and the act that keeps it. The pages and the API ask the same."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.forms import Form
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from rahdari.people import identifiers
from rahdari.policy import Policy, Service
from rahdari.web.allowances import in_words

from . import drafts, evidence_forms, forms, queries, rules, summary
from .models import Application
from .rules import ASSOCIATION, StepKey

type Words = str | Promise


@dataclass(frozen=True)
class Asked:
    """One page: its heading (the legend of the first question when `heading` is empty), and what stands beside it."""

    step: StepKey
    form: type[forms.StepForm]
    initial: Callable[[Application], dict[str, Any]]
    save: Callable[..., Application]
    heading: Words = ""
    heading_of: Callable[[Service], Words] | None = None
    lead: Words = ""
    # Steps that stand on the same page.
    beside_it: tuple[StepKey, ...] = ()
    # Asked also where the service has no such step: its page sees to that.
    anywhere: bool = False
    # A page of one kind of proof leads back to the choice among them.
    of_evidence: bool = False
    # The last part of its address.
    slug: str = ""
    # The form for what comes after the application was sent, and what is said below it.
    later: Callable[[Any, Application, Policy], Form] = field(default=lambda given, *_: evidence_forms.LaterText(given))
    later_note: Words = ""
    beside_heading: Words = ""
    beside: tuple[Words, ...] = ()
    # What stands there of some services alone.
    beside_of: Callable[[Application, Service], tuple[Words, ...]] = field(default=lambda *_: ())
    options: Callable[[Application, Service, Policy, dt.datetime], dict[str, Any]] = field(default=lambda *_: {})
    # Where it leads, if not to the next task.
    after: Callable[[Application, Service], str] = field(default=lambda *_: "")

    @property
    def url_name(self) -> str:
        return f"apply:evidence_{self.slug}"


def _kept_card(application: Application) -> str:
    """The number that is kept, as it may be shown."""
    return identifiers.mask_cnic(application.cnic) if application.cnic else ""


def who_sees_a_person(application: Application, service: Service) -> tuple[Words, ...]:
    """By what is applied for: only the operator of a mobile number always gets the number and the masked name."""
    by_operator = (
        _("Your mobile operator: your mobile number, and your name with the first and last letters only.")
        if application.is_mobile
        else _(
            "An operator only if it is asked to confirm your address: your subscriber number there, and your name "
            "with the first and last letters only."
        )
    )
    feed = _("Nothing else about you is in the feed, but your own operator knows whose line it is.")
    card = _("Nobody but the officers sees your card number.")
    return (
        _("The officers who decide. We record each time that they open it."),
        by_operator,
        _("An association or a client, only if you choose it as your proof: your name, and what you enter there."),
        _("Anyone who scans the code on your certificate: your name. Nobody else among the public."),
        *((card,) if rules.asks_card(service) else ()),
        feed,
    )


PERSON = Asked(
    step=StepKey.PERSON,
    form=forms.PersonForm,
    initial=lambda application: {"name": application.name},
    save=lambda application, data, **common: drafts.save_person(
        application=application, name=data.get("name", ""), cnic=data.get("cnic") or application.cnic, **common
    ),
    heading=_("Your name"),
    options=lambda application, service, policy, now: {"kept": _kept_card(application), "asks": service.asks},
    beside_heading=_("Who sees this"),
    beside_of=who_sees_a_person,
)

# Of a person who applies in their own name: who they are, how to reach them and what they do, on one page.
ABOUT = Asked(
    step=StepKey.PERSON,
    beside_it=(StepKey.CONTACT, StepKey.PURPOSE),
    form=forms.AboutForm,
    initial=lambda application: {
        "name": application.name,
        "mobile": application.contact_mobile,
        "purpose": application.purpose,
    },
    save=lambda application, data, **common: drafts.save_about(
        application=application,
        name=data.get("name", ""),
        cnic=data.get("cnic") or application.cnic,
        mobile=data.get("mobile", ""),
        purpose=data.get("purpose", ""),
        **common,
    ),
    heading=summary.ABOUT_YOU,
    options=lambda application, service, policy, now: {
        "kept": _kept_card(application),
        "asks": service.asks,
        "most": policy.limits.answer_characters,
    },
    beside_heading=_("Who sees this"),
    beside_of=who_sees_a_person,
)

COMPANY = Asked(
    step=StepKey.COMPANY,
    form=forms.CompanyForm,
    initial=lambda application: {
        "name": application.company_name,
        "company_number": application.company_number,
        # One that is the number of a card was taken once; it is not shown again.
        "ntn": "" if application.ntn.isdigit() and len(application.ntn) == 13 else application.ntn,
    },
    save=lambda application, data, **common: drafts.save_company(
        application=application,
        name=data["name"],
        company_number=data.get("company_number", ""),
        ntn=data.get("ntn", ""),
        **common,
    ),
    heading=_("Company details"),
    heading_of=lambda service: summary.title_of(StepKey.COMPANY, service),
    options=lambda application, service, policy, now: {
        "service": service,
        "held_by": application.organisation.company_number
        if application.organisation is not None and application.registration_id is not None
        else "",
    },
    beside_heading=_("Who sees this"),
    beside=(
        _(
            "The public is told only whether a name that somebody types matches the number. Anyone who scans "
            "the certificate sees the name."
        ),
    ),
    beside_of=lambda application, service: (
        (_("Officers see the numbers. We look for them in the lists of companies and taxpayers."),)
        if service.has_company_number
        else ()
    ),
)

CONTACT = Asked(
    step=StepKey.CONTACT,
    form=forms.ContactForm,
    initial=lambda application: {"name": application.contact_name, "mobile": application.contact_mobile},
    save=lambda application, data, **common: drafts.save_contact(
        application=application, name=data["name"], mobile=data["mobile"], **common
    ),
    heading=_("Who to call at any hour"),
    options=lambda application, service, policy, now: {"is_optional": service.asks.get("contact_number") == "optional"},
)

PURPOSE = Asked(
    step=StepKey.PURPOSE,
    form=forms.PurposeForm,
    initial=lambda application: {"purpose": application.purpose},
    save=lambda application, data, **common: drafts.save_purpose(
        application=application, purpose=data["purpose"], **common
    ),
    heading=_("What you use it for"),
    options=lambda application, service, policy, now: {
        "most": policy.limits.answer_characters,
        "is_optional": service.asks.get("purpose") == "optional",
    },
)


EVIDENCE = Asked(
    step=StepKey.EVIDENCE,
    form=evidence_forms.EvidenceForm,
    initial=lambda application: {"kind": application.evidence_kind},
    # Choosing saves nothing: a kind is kept with what it wants.
    save=lambda application, data, **common: application,
    beside_heading=_("What each one gives you"),
    beside=(
        _("All other proofs: registered for the full term, as for a company."),
        _("Provisionally: on the same lists, for a shorter time, while you find a stronger proof."),
        _("You have no letter? Nobody is refused for that. Choose what you have."),
    ),
    options=lambda application, service, policy, now: {"service": service, "language": queries.language_now()},
)


def _lasts(application: Application, service: Service, policy: Policy) -> str:
    """How long the registration stands at first that rests on this kind alone; empty where it is a full one at
    once."""
    kind = service.evidence_kind(application.evidence_kind)
    if kind is None or kind.weight != "provisional" or policy.provisional is None:
        return ""
    return in_words(kind.term or policy.provisional.term)


def _evidence_words(application: Application, service: Service, policy: Policy, now: dt.datetime) -> dict[str, Any]:
    kind = service.evidence_kind(application.evidence_kind)
    language = queries.language_now()
    return {
        "title": kind.title.in_language(language) if kind else "",
        "hint": kind.hint.in_language(language) if kind else "",
        "lasts": _lasts(application, service, policy),
        "most": policy.limits.answer_characters,
    }


EVIDENCE_TEXT = Asked(
    of_evidence=True,
    slug="text",
    step=StepKey.EVIDENCE,
    form=evidence_forms.EvidenceTextForm,
    initial=lambda application: {"text": application.evidence_text},
    save=lambda application, data, **common: drafts.save_evidence(
        application=application,
        kind=application.evidence_kind,
        text=data["text"],
        association=application.association,
        association_number=application.association_number,
        **common,
    ),
    heading=_("Evidence of employment or freelance work"),
    options=_evidence_words,
)


def _save_text(application: Application, data: dict[str, Any], **common: Any) -> Application:
    return drafts.save_evidence(
        application=application,
        kind=application.evidence_kind,
        text=data["text"],
        association=application.association,
        association_number=application.association_number,
        cnic=data.get("cnic") or application.cnic,
        **common,
    )


CLIENT = Asked(
    of_evidence=True,
    slug="client",
    later=lambda given, application, policy: evidence_forms.ClientForm(
        given, own=application.applicant.email, free_mail=policy.vouching.free_mail if policy.vouching else ()
    ),
    later_note=_("We ask them by email, and only whether they work with you."),
    step=StepKey.EVIDENCE,
    form=evidence_forms.ClientForm,
    initial=lambda application: {"text": application.evidence_text},
    save=_save_text,
    heading=_("A client or employer confirms by email"),
    options=lambda application, service, policy, now: {
        "own": application.applicant.email,
        "free_mail": policy.vouching.free_mail if policy.vouching else (),
    },
    beside_heading=_("What they see"),
    beside=(
        _("Your name, that you ask to register your connection, and one question: whether you work for them."),
        _("We do not tell them what the work is, what it pays, or from which address."),
        _(
            "We ask by email when you send the application, with one reminder. An address gets only a few of these "
            "emails in a month, and they can stop them with one button."
        ),
    ),
)

DECLARATION = Asked(
    of_evidence=True,
    slug="declaration",
    step=StepKey.EVIDENCE,
    form=evidence_forms.DeclarationForm,
    initial=lambda application: {"text": application.evidence_text},
    save=_save_text,
    heading=_("Declare that you work for clients"),
    lead=_("You get a provisional registration. While it lasts, send one stronger proof."),
    options=lambda application, service, policy, now: {
        "kind": service.evidence_kind(application.evidence_kind),
        "language": queries.language_now(),
        "addresses": queries.endpoints_of(application).count(),
        "lasts": _lasts(application, service, policy),
        "declared_before": lambda: _declared_before(application, service, now),
        "kept": _kept_card(application),
        "asks_card": service.asks.get("card_number") == "where_compared",
    },
    beside_heading=_("What happens then"),
    beside=(
        _("You are registered provisionally. Operators get your address as they get every other."),
        _("With a stronger proof it becomes a full registration, under the same number."),
        _("Without one an officer looks at it before it ends. Nothing is recorded against you."),
    ),
)


# The pages of the sorts of evidence that are no files (`policy.sorts`).
PAGES = {
    "text": EVIDENCE_TEXT,
    "address": CLIENT,
    "declaration": DECLARATION,
}


def _declared_before(application: Application, service: Service, now: dt.datetime) -> bool:
    kind = service.evidence_kind(application.evidence_kind)
    return kind is not None and queries.declared_before(application, kind, now=now)


MEMBERSHIP = Asked(
    step=StepKey.EVIDENCE,
    form=forms.AssociationForm,
    initial=lambda application: {
        "association": application.association,
        "number": application.association_number,
    },
    save=lambda application, data, **common: drafts.save_evidence(
        application=application,
        kind=ASSOCIATION,
        text=application.evidence_text,
        association=data["association"],
        association_number=data["number"],
        cnic=data.get("cnic") or application.cnic,
        **common,
    ),
    heading=_("Your association vouches for you"),
    anywhere=True,
    after=lambda application, service: (
        reverse("apply:documents", args=[application.reference]) if service.documents else ""
    ),
    options=lambda application, service, policy, now: {
        "associations": policy.attesting.asked_for(service.key) if policy.attesting else (),
        "language": queries.language_now(),
        "kept": _kept_card(application),
        "asks_card": service.asks.get("card_number") == "where_compared",
    },
    beside_heading=_("What they see"),
    beside=(
        _("Your name, your member number and your email, if they have not attested you yet."),
        _("If we ask them, they learn that you apply. We do not tell them the result."),
        _("Never your address, your card number, or what the connection is for."),
        _("If they have already attested you, we ask nobody and there is no wait."),
    ),
)
