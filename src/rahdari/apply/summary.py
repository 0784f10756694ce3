"""What an application holds, as a list of steps and as a list of answers. Reached through `queries`.

Titles are whole sentences or labels in the language of the reader; a value carries how it must be set (an address or
number left to right, a name of unknown script).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy, ngettext, npgettext

from rahdari.address import Part, vpn
from rahdari.address.vpn import VPN_SERVICES
from rahdari.people import identifiers
from rahdari.policy import EvidenceKind, Service, Text

from . import rules
from .eligible import Use
from .models import Application, Document, Endpoint
from .rules import Facts, StepKey, StepState

Kind = Literal["text", "ltr", "name", "code", "quiet", "warn"]

TITLES: dict[StepKey, Promise] = {
    StepKey.COMPANY: gettext_lazy("Company details"),
    StepKey.PERSON: gettext_lazy("Your name"),
    StepKey.CONTACT: gettext_lazy("Who to call at any hour"),
    StepKey.PURPOSE: gettext_lazy("What you use it for"),
    StepKey.EVIDENCE: gettext_lazy("Evidence of employment or freelance work"),
    StepKey.ADDRESSES: gettext_lazy("Addresses"),
    StepKey.DOCUMENTS: gettext_lazy("Documents"),
}


ABOUT_YOU = gettext_lazy("Your name")


def title_of(step: StepKey, service: Service) -> Promise:
    """The title of a step. An embassy or a university is no company."""
    return OF_ORGANISATION if step is StepKey.COMPANY and not service.has_company_number else TITLES[step]


OF_ORGANISATION = gettext_lazy("About the organisation")
USES: dict[str, Promise] = {
    Use.CLIENTS: gettext_lazy("To reach clients’ or an employer’s systems"),
    Use.STAFF: gettext_lazy("For our own staff to reach our own systems"),
}
# What is registered, and a hint: the same words wherever it is asked or explained.
WHICH: dict[str, tuple[Promise, Promise]] = {
    rules.Which.LINE: (
        gettext_lazy("Your own internet line"),
        gettext_lazy("From it you connect to a VPN elsewhere."),
    ),
    rules.Which.SERVER: (
        gettext_lazy("A VPN server that you run"),
        gettext_lazy("You or your people connect to it."),
    ),
    rules.Which.MOBILE: (
        gettext_lazy("A mobile number"),
        gettext_lazy("You work over mobile data."),
    ),
}
# What runs at an address: its name and a hint, by its key.
# Names of programs and protocols are the same in both languages: people look for them on other screens.
_LABELS: dict[str, Promise | str] = {
    "openvpn_udp": gettext_lazy("OpenVPN over UDP"),
    "openvpn_tcp": gettext_lazy("OpenVPN over TCP"),
    "ikev2": "IKEv2/IPsec",
    "anyconnect": "AnyConnect, OpenConnect",
    "gre": gettext_lazy("GRE tunnel"),
    "any": gettext_lazy("Everything at this address"),
}
_HINTS: dict[str, Promise | str] = {
    "any": gettext_lazy("If several VPN programs run there, or you are not sure."),
}
WAYS: dict[str, tuple[Promise | str, Promise | str]] = {
    **{
        key: (_LABELS.get(key, service.name), _HINTS.get(key, vpn.ports_in_words(service.parts)))
        for key, service in VPN_SERVICES.items()
    },
    vpn.OTHER: (gettext_lazy("Another protocol"), gettext_lazy("Say which one below.")),
}


@dataclass(frozen=True)
class Step:
    """A task of the task list. `url_name` takes the application's reference."""

    key: StepKey
    title: str
    state: StepState
    url_name: str
    url: str
    summary: str


@dataclass(frozen=True)
class StepGroup:
    key: str
    title: str
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class SummaryLine:
    text: str
    kind: Kind = "text"


@dataclass(frozen=True)
class SummaryRow:
    """An answer: its label, its lines, where to change it, and the words of that link for who cannot see the row."""

    key: str
    label: str
    lines: tuple[SummaryLine, ...]
    url: str
    change: str
    endpoint: Endpoint | None = None


@dataclass(frozen=True)
class SummaryGroup:
    key: str
    title: str
    rows: tuple[SummaryRow, ...]


# About how long the way from the start page to a registration in force takes a freelancer who has everything ready and
# reads every word; said wherever it is said from here alone. `tests/journeys/test_freelancer.py` measures it.
MINUTES_TO_APPLY = 6


@dataclass(frozen=True)
class EvidenceGroup:
    """Evidence of employment of one sort. `kinds` are pairs of key and title; `association` is one of the keys."""

    key: str
    title: str
    hint: str
    kinds: tuple[tuple[str, Text | Promise], ...]


def evidence_groups(service: Service) -> list[EvidenceGroup]:
    """The ways to show one's work, those first for which nothing has to be found or read. Empty groups are left out."""
    confirmed: list[tuple[str, Text | Promise]] = []
    if rules.takes_association(service):
        confirmed.append((rules.ASSOCIATION, gettext_lazy("Your association vouches for you")))
    papers: list[tuple[str, Text | Promise]] = []
    own: list[tuple[str, Text | Promise]] = []
    for kind in service.evidence:
        of = confirmed if kind.sort.asks else own if kind.weight == "provisional" else papers
        of.append((kind.key, kind.title))
    # Of a card that is asked of everybody the page speaks by itself.
    with_card = {
        key for key, _title in confirmed + own if not rules.asks_card(service) and rules.asks_card(service, key)
    }
    groups = [
        EvidenceGroup(
            "confirmed",
            gettext("Somebody confirms it"),
            gettext("A client, employer, or an association with your card number.")
            if rules.ASSOCIATION in with_card
            else gettext("A client, employer or association."),
            tuple(confirmed),
        ),
        EvidenceGroup(
            "paper",
            gettext("A document or an email"),
            gettext("A letter, contract or tax record."),
            tuple(papers),
        ),
        EvidenceGroup(
            "own",
            gettext("Your own declaration"),
            gettext("With your card number. Nobody else is asked. For a shorter period at first.")
            if with_card - {rules.ASSOCIATION}
            else gettext("Nobody else is asked. For a shorter period at first."),
            tuple(own),
        ),
    ]
    return [group for group in groups if group.kinds]


def leads_to(kind: EvidenceKind) -> tuple[str, str] | None:
    """Where a kind of evidence leads: a tone and a few words, which stand under the choice. Of one that is enough by
    itself nothing is said."""
    if kind.weight == "provisional":
        return "wait", gettext("Registered provisionally, then one more proof")
    if kind.weight == "supporting":
        return "ok", gettext("Registered after an officer has read it")
    if kind.sort.asks:
        return "ok", gettext("Registered when they confirm")
    return None


def url_of(step: StepKey, application: Application) -> str:
    return reverse(f"apply:{step}", args=[application.reference])


def line_of(parts: Iterable[Part], runs: str = "") -> SummaryLine:
    """`IKEv2 UDP 500, 4500 + ESP`, or words where there is no port."""
    words = vpn.in_words(parts, runs)
    if not words:
        return SummaryLine(gettext("All protocols and ports"))
    if any(part.protocol.has_ports and part.port is None for part in parts):
        return SummaryLine(gettext("%(protocols)s, every port") % {"protocols": words})
    return SummaryLine(words, "ltr")


def paper_line(document: Document) -> SummaryLine:
    """The name of a file; of a note, with which application the paper was seen."""
    if document.noted_from is not None:
        return SummaryLine(
            gettext("Checked with application %(application)s and still accepted") % {"application": document.seen_with}
        )
    if document.erased_at is not None:
        return SummaryLine(gettext("No longer readable: its period has ended"), "quiet")
    return SummaryLine(document.name, "name")


def _group_titles(service: Service) -> tuple[str, str]:
    about = gettext("About the company") if service.has_company_number else str(OF_ORGANISATION)
    return about if service.holder == "organisation" else gettext("About you"), gettext("About the VPN")


def step_groups(
    application: Application,
    service: Service,
    facts: Facts,
    endpoints: Sequence[Endpoint],
    documents: Sequence[Document],
) -> list[StepGroup]:
    """The steps of the form in their groups, each with its state, address and summary."""
    steps = {
        key: Step(
            key=key,
            title=str(title_of(key, service)),
            state=rules.state_of(key, facts, service),
            url_name=f"apply:{key}",
            url=url_of(key, application),
            summary=_step_summary(key, endpoints, documents, facts, service),
        )
        for key in rules.steps_of(service, mobile=application.is_mobile)
    }
    if StepKey.PERSON in steps:
        steps = _about_you(application, steps)
    about, vpn = _group_titles(service)
    first = {StepKey.COMPANY, StepKey.PERSON, StepKey.CONTACT, StepKey.EVIDENCE, StepKey.DOCUMENTS}
    groups = (
        StepGroup("about", about, tuple(step for key, step in steps.items() if key in first)),
        StepGroup("vpn", vpn, tuple(step for key, step in steps.items() if key not in first)),
    )
    return [group for group in groups if group.steps]


def _about_you(application: Application, steps: dict[StepKey, Step]) -> dict[StepKey, Step]:
    """What is asked of a person about themselves is one task."""
    together = [steps.pop(key) for key in (StepKey.PERSON, StepKey.CONTACT, StepKey.PURPOSE) if key in steps]
    states = {step.state for step in together} - {StepState.OPTIONAL}
    # A name that is known already is no beginning.
    begun = any(step.state is StepState.DONE for step in together)
    state = states.pop() if len(states) == 1 else StepState.STARTED if begun else StepState.NOT_STARTED
    url = reverse("apply:about", args=[application.reference])
    return {StepKey.PERSON: Step(StepKey.PERSON, str(ABOUT_YOU), state, "apply:about", url, ""), **steps}


def _step_summary(
    key: StepKey, endpoints: Sequence[Endpoint], documents: Sequence[Document], facts: Facts, service: Service
) -> str:
    if key is StepKey.ADDRESSES and endpoints:
        # An address with two services is one address; one that changes has no fixed block, and is one.
        count = len({row.pk if row.is_dynamic else row.network for row in endpoints})
        return ngettext("%(count)s address added", "%(count)s addresses added", count) % {"count": count}
    if key is StepKey.DOCUMENTS:
        own = [document for document in documents if document.rule != rules.EVIDENCE_RULE]
        if own:
            return npgettext("documents", "%(count)s file", "%(count)s files", len(own)) % {"count": len(own)}
        if facts.ntn and rules.tax_number_stands_in(service):
            return gettext("Not needed while your tax number is on the list of taxpayers")
    return ""


def summary_groups(
    application: Application,
    service: Service,
    endpoints: Sequence[Endpoint],
    documents: Sequence[Document],
    *,
    language: str,
) -> list[SummaryGroup]:
    """The answers as rows for the page before sending, in `language`; groups without rows are left out."""
    about, vpn = _group_titles(service)
    groups = (
        SummaryGroup("about", about, tuple(_about_rows(application, service, documents, language))),
        SummaryGroup("vpn", vpn, tuple(_vpn_rows(application, service, endpoints))),
    )
    return [group for group in groups if group.rows]


def _about_rows(
    application: Application, service: Service, documents: Sequence[Document], language: str
) -> list[SummaryRow]:
    rows: list[SummaryRow] = []
    if service.holder == "organisation":
        url = url_of(StepKey.COMPANY, application)
        rows += [
            SummaryRow(
                "name", gettext("Name"), _line(application.company_name, "name"), url, gettext("Change the name")
            ),
        ]
    if service.holder == "organisation" and service.has_company_number:
        rows += [
            SummaryRow(
                "company_number",
                gettext("Company number"),
                _line(application.company_number, "code"),
                url,
                gettext("Change the company number"),
            ),
            SummaryRow(
                "ntn",
                gettext("Tax number (NTN)"),
                _line(application.ntn and identifiers.mask_ntn(application.ntn), "code"),
                url,
                gettext("Change the tax number"),
            ),
        ]
    if service.holder != "organisation":
        url = url_of(StepKey.PERSON, application)
        if service.asks_name:
            said = _line(application.name, "name")
            rows.append(SummaryRow("name", gettext("Name"), said, url, gettext("Change the name")))
        if rules.asks_card(service):
            rows.append(_card_row(application, url))
    steps = rules.steps_of(service)
    if StepKey.CONTACT in steps:
        rows.append(_contact_row(application, service))
    if StepKey.EVIDENCE in steps:
        rows.append(
            SummaryRow(
                "evidence",
                gettext("Evidence of employment or freelance work"),
                tuple(_evidence_lines(application, service, documents, language)),
                url_of(StepKey.EVIDENCE, application),
                gettext("Change the evidence of employment or freelance work"),
            )
        )
    elif application.evidence_kind == rules.ASSOCIATION:
        rows.append(
            SummaryRow(
                "association",
                gettext("Membership of an association"),
                (SummaryLine(application.association_number, "code"),),
                reverse("apply:association", args=[application.reference]),
                gettext("Change the association"),
            )
        )
    for rule in service.documents:
        names = tuple(paper_line(document) for document in documents if document.rule == rule.key)
        if names or rule.group is None:
            rows.append(
                SummaryRow(
                    f"document:{rule.key}",
                    rule.title.in_language(language),
                    names or _line("", "text"),
                    url_of(StepKey.DOCUMENTS, application),
                    gettext("Change this document: %(title)s") % {"title": rule.title.in_language(language)},
                )
            )
    return rows


def _card_row(application: Application, url: str) -> SummaryRow:
    number = application.cnic and identifiers.mask_cnic(application.cnic)
    return SummaryRow("cnic", gettext("Card number"), _line(number, "code"), url, gettext("Change the card number"))


def _contact_row(application: Application, service: Service) -> SummaryRow:
    name, mobile = application.contact_name, application.contact_mobile
    own = service.holder == "person" and name in {"", application.name}
    lines = (SummaryLine(name, "name"), SummaryLine(mobile, "ltr"))[own:] if mobile else _line("", "ltr")
    if not mobile and service.asks["contact_number"] == "optional":
        lines = (SummaryLine(gettext("None, and none is needed"), "quiet"),)
    return SummaryRow(
        "contact",
        gettext("Mobile number") if own else gettext("Who to call at any hour"),
        lines,
        url_of(StepKey.CONTACT, application),
        gettext("Change the mobile number") if own else gettext("Change who to call"),
    )


def _evidence_lines(
    application: Application, service: Service, documents: Sequence[Document], language: str
) -> list[SummaryLine]:
    is_shown = application.cnic and not rules.asks_card(service)
    card = [SummaryLine(identifiers.mask_cnic(application.cnic), "code")] if is_shown else []
    if application.evidence_kind == rules.ASSOCIATION:
        return [
            SummaryLine(gettext("Membership of an association")),
            SummaryLine(application.association_number, "code"),
            *card,
        ]
    kind = service.evidence_kind(application.evidence_kind)
    if kind is None:
        return list(_line("", "text"))
    files = [paper_line(document) for document in documents if document.rule == rules.EVIDENCE_RULE]
    text = [SummaryLine(application.evidence_text, "ltr" if kind.sort.asks else "name")]
    given = files if kind.sort.is_file else text if application.evidence_text else []
    return [SummaryLine(kind.title.in_language(language)), *given, *card]


def _vpn_rows(application: Application, service: Service, endpoints: Sequence[Endpoint]) -> list[SummaryRow]:
    rows: list[SummaryRow] = []
    if "purpose" in service.asks:
        url = url_of(StepKey.PURPOSE, application)
        said = _line(application.purpose, "name")
        rows.append(SummaryRow("purpose", gettext("What it is for"), said, url, gettext("Change what it is for")))
    for number, endpoint in enumerate(endpoints, start=1):
        lines = [SummaryLine(endpoint.address_text, "code")]
        lines.append(
            SummaryLine(endpoint.operator_name, "name")
            if endpoint.operator_name
            else SummaryLine(
                gettext("The network of this address is not on our list. An officer will look at it."), "warn"
            )
        )
        lines.append(line_of(endpoint.parts, endpoint.runs))
        if endpoint.remote:
            lines += [SummaryLine(gettext("Other side of the tunnel:")), SummaryLine(endpoint.remote, "code")]
        rows.append(
            SummaryRow(
                f"endpoint:{endpoint.pk}",
                gettext("Address %(number)s") % {"number": number},
                tuple(lines),
                reverse("apply:change_address", args=[application.reference, endpoint.pk]),
                gettext("Change address %(number)s") % {"number": number},
                endpoint=endpoint,
            )
        )
    if not endpoints and not application.is_mobile:
        rows.append(
            SummaryRow(
                "addresses",
                gettext("Addresses"),
                _line("", "text"),
                url_of(StepKey.ADDRESSES, application),
                gettext("Add an address"),
            )
        )
    return rows


def _line(text: str, kind: Kind) -> tuple[SummaryLine, ...]:
    return (SummaryLine(text, kind),) if text else (SummaryLine(gettext("Not given yet"), "quiet"),)
