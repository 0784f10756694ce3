"""From the raw document to a `Policy`, with the rules that hold for every regulator.

Whatever a regulator writes, these are refused: an adverse code without provision, remedy and both languages; a rule
that refuses; an appeal that goes to whoever decided; a clock that does not say how it counts and on what it rests; a
guard that this version does not enforce.
"""

from collections.abc import Mapping
from typing import Any

from .associations import attesting_from
from .before_hearing import judge_before_hearing
from .clock import Allowance
from .consultation import Consultation, consultation_from
from .continuation import change_from, dyndns_from, judge_papers, judge_retention, renewal_from, retention_of
from .control_proofs import proof_from
from .days import calendar_from
from .desk_queues import judge_queues, queues_from
from .guards import GUARDS
from .incidents import Incidents, incidents_from
from .inviting import inviting_from
from .lanes import judge_lanes, statement_of
from .left_out import judge_left_out
from .licensees import licensees_from
from .maintenance import Maintenance, maintenance_from
from .measuring import measuring_from
from .quiet_hours import quiet_hours_from, reminders_from
from .reading import Faults, Section
from .reasons import EVIDENCE, reason_from
from .remote_staff import remote_staff_from
from .representation import representing_from
from .second_looks import second_looks_from
from .services import service_from
from .shapes import (
    READ,
    STATUSES,
    Contact,
    FeeTerms,
    Forum,
    Instrument,
    Limits,
    Policy,
    ProvisionalTerm,
    Remedy,
    SignedItem,
    Views,
    Vouching,
)
from .sharing import sharing_from
from .sorts import BY_LETTER
from .still_right import judge_still_right
from .unregistered import unregistered_from
from .urgent import urgent_from

FORMAT = 1
# How a registration is suspended or struck out, a complaint is answered and a draft is commented on, where a file does
# not say: rules that were frozen before these clocks had names hold the same procedure.
PROCEDURE = {
    "hearing_notice": Allowance(7, "calendar_days"),
    "hearing_held": Allowance(15, "calendar_days"),
    "order_after_hearing": Allowance(10, "working_days"),
    "suspension_lasts": Allowance(90, "calendar_days"),
    "complaint_answered": Allowance(10, "working_days"),
    "complaint_decided": Allowance(15, "working_days"),
    "consultation": Allowance(30, "calendar_days"),
    "consultation_again": Allowance(14, "calendar_days"),
    "consultation_answered": Allowance(28, "calendar_days"),
    "consultation_name": Allowance(3, "working_days"),
    "consultation_hidden": Allowance(3, "working_days"),
}
# No suspension lasts longer than a year, whatever a file says: the database holds it too.
LONGEST_SUSPENSION = {"calendar_days": 366, "months": 12}
# Who decides in the first place, by the kind of decision that a forum hears. None of them may sit there.
DECIDERS = {
    "officer_decision": {"officer"},
    "authority_decision": {"officer", "authority"},
    "tribunal_decision": {"officer", "authority", "tribunal"},
    "delay": {"officer", "authority"},
}

# Who may hear an appeal.
SITS = (
    *("authority", "tribunal", "court", "high_court", "supreme_court", "ombudsman", "ministry", "commission"),
    "officer",  # only of what nobody in the office decided: see DECIDERS
)


def build(data: Mapping[str, Any], *, digest: str, faults: Faults) -> Policy:
    """The policy of a parsed file. What is wrong is collected in `faults`; with a fault the value is not to be used."""
    root = Section(data, (), faults)
    if root.whole("format") != FORMAT:
        root.fault(f"This version of Rahdari reads policy files of format {FORMAT}.", "format")
    clocks = PROCEDURE | {key: section.allowance() for key, section in root.section("clocks").sections()}
    instruments = {key: _instrument(key, section) for key, section in root.section("instruments").sections()}
    listed = root.section("remedies")
    remedies = {key: Remedy(key, listed.both(key)) for key in listed.data}
    listed = root.section("evidence")
    evidence = {key: listed.both(key) for key in listed.data}
    for key in evidence.keys() - EVIDENCE:
        listed.fault("No code may rest on this: what may stand against somebody is a closed list (ADR 0022).", key)
    guards = _guards(root)
    reasons = {
        key: reason_from(key, section, clocks, instruments, remedies, evidence, guards)
        for key, section in root.section("reasons").sections()
    }
    services = {
        key: service_from(key, section, clocks, reasons) for key, section in root.section("services").sections()
    }
    signed = {key: _signed_item(key, section) for key, section in root.section("signed").sections()}
    decide = root.section("deciding")
    renewal = root.section("renewal")
    days = _reminders(renewal)
    calendar = calendar_from(root.section("calendar"))
    policy = Policy(
        version=root.string("version", filled=True),
        digest=digest,
        name=root.both("name"),
        authority=root.both("authority"),
        demonstration=root.yes("demonstration"),
        nature=root.choice("nature", ("none", "declaration", "registration", "licence")),
        silence=root.choice("silence", ("escalate", "deemed_grant", "deemed_refusal")),
        escalate_at=_percentages(decide),
        reopen_within=decide.allowance("reopen_within"),
        extensions_of_a_question=decide.whole("extensions_of_a_question", most=5),
        remind_days_before=days,
        renewal_grace=renewal.allowance("grace"),
        quiet_hours=quiet_hours_from(root.section("quiet_hours"), calendar.zone) if root.has("quiet_hours") else None,
        reminders=reminders_from(root.section("reminders"), days) if root.has("reminders") else {"registration": days},
        renewal=renewal_from(renewal),
        dyndns=dyndns_from(root),
        change=change_from(root),
        instruments=instruments,
        forums={key: _forum(key, section) for key, section in root.section("forums").sections()},
        remedies=remedies,
        evidence=evidence,
        services=services,
        # R2 before R10, also after a canonical text, whose keys are sorted as text.
        reasons=dict(sorted(reasons.items(), key=lambda item: _natural(item[0]))),
        clocks=clocks,
        calendar=calendar,
        limits=_limits(root.section("limits")),
        vantage=_views(root.section("vantage")) if root.has("vantage") else Views(),
        fee_terms=_fee_terms(root.section("fees")) if root.has("fees") else None,
        proof=proof_from(root),
        guards=guards,
        retention=retention_of(root),
        signed=signed,
        provisional=_provisional(root.section("provisional")) if root.has("provisional") else None,
        licensees=licensees_from(root.section("licensees")) if root.has("licensees") else None,
        vouching=_vouching(root.section("vouching")) if root.has("vouching") else None,
        sharing=sharing_from(root.section("sharing")) if root.has("sharing") else None,
        remote_staff=remote_staff_from(root.section("remote_staff"), services) if root.has("remote_staff") else None,
        representing=representing_from(root.section("representing")) if root.has("representing") else None,
        attesting=attesting_from(root.section("attesting"), services) if root.has("attesting") else None,
        second_looks=second_looks_from(root.section("second_looks")) if root.has("second_looks") else None,
        incidents=incidents_from(root.section("incidents")) if root.has("incidents") else Incidents(),
        urgent=urgent_from(root.section("urgent"), reasons) if root.has("urgent") else None,
        watch=measuring_from(root.section("watch")) if root.has("watch") else None,
        maintenance=maintenance_from(root.section("maintenance")) if root.has("maintenance") else Maintenance(),
        consultation=consultation_from(root.section("consultation")) if root.has("consultation") else Consultation(),
        inviting=inviting_from(root.section("inviting"), services) if root.has("inviting") else None,
        contact=_contact(root),
        queues=queues_from(root),
        unregistered=unregistered_from(root, instruments, signed),
        demands=root.text("demands", optional=True),
        no_better_lane=statement_of(root),
        source=data,
    )
    decide.done()
    renewal.done()
    _whole_file(root, policy)
    judge_still_right(root, policy)
    judge_lanes(root, policy)
    judge_left_out(root, policy)
    root.done()
    return policy


def _contact(root: Section) -> Contact | None:
    """A letter that names an appeal says where it goes: only the demonstration may do without."""
    if not root.has("contact"):
        if root.data.get("demonstration") is False:
            root.fault("Say where the authority is written to: [contact] with post and email.", "contact")
        return None
    section = root.section("contact")
    email = section.string("email", filled=True)
    if "@" not in email:
        section.fault("An address of email has an @.", "email")
    return Contact(section.both("post"), email, section.string("phone", ""))


def _fee_terms(section: Section) -> FeeTerms:
    account = section.section("pay_to")
    terms = FeeTerms(
        pay_within=section.allowance("pay_within"),
        remind_days_before=section.numbers("remind_days_before"),
        account_name=account.string("name", filled=True),
        account=account.string("account", filled=True),
        bank=account.string("bank", filled=True),
        text=section.both("text"),
    )
    account.done()
    section.done()
    return terms


def _whole_file(root: Section, policy: Policy) -> None:
    """Rules that need more than one part of the file."""
    if policy.nature != "registration":
        root.fault(
            "This version enforces the acts of a registration only; other natures would be a promise it cannot keep.",
            "nature",
        )
    if policy.fee_terms is None and any(service.fee.amount for service in policy.services.values()):
        root.fault(
            "A service names the amount of a fee, and there is no [fees]: by when and where is it paid?", "services"
        )
    judge_papers(
        root,
        papers=policy.retention.get("documents"),
        renewal=policy.renewal,
        longest_months=max((service.validity_months for service in policy.services.values()), default=0),
    )
    judge_retention(
        root,
        policy.retention,
        draft=policy.limits.draft_kept,
        client=policy.vouching.address_kept if policy.vouching is not None else None,
        clocks=policy.clocks,
    )
    if policy.silence != "escalate":
        root.fault("This version escalates a late case; it neither grants nor refuses by silence.", "silence")
    for clock in ("question", "notice_before_refusal", "appeal_officer_decision"):
        if clock not in policy.clocks:
            root.fault(f"The clock {clock} is missing: officers' acts count by it.", "clocks")
    lasts = policy.clocks["suspension_lasts"]
    if lasts.length > LONGEST_SUSPENSION.get(lasts.unit, 0):
        root.faults.add(
            ("clocks", "suspension_lasts"),
            "A suspension ends by itself: count it in calendar_days or months, a year at most.",
        )
    judge_before_hearing(root, policy)
    for hears in ("officer_decision", "authority_decision"):
        if policy.forum_for(hears) is None:
            root.fault(f"No forum hears an {hears.replace('_', ' ')}: every refusal must have an appeal.", "forums")
    for name, allowance in policy.clocks.items():
        if allowance.basis == "law" and allowance.source.partition(":")[0] not in policy.instruments:
            root.faults.add(
                ("clocks", name), "A clock that rests on law points to an instrument, like telecom_act:7(2)."
            )
    if policy.representing is None and any(
        check.kind == "represents" or check.by_contact
        for service in policy.services.values()
        for check in service.checks
    ):
        root.fault("A service asks whose number it is, and there is no [representing]: within which times?", "services")
    judge_queues(root.faults, policy)
    for key, forum in policy.forums.items():
        if forum.fallback and forum.fallback not in policy.forums:
            root.faults.add(("forums", key, "fallback"), f"There is no forum {forum.fallback!r}.")
    if policy.provisional is None and any(
        check.provisional for service in policy.services.values() for check in service.checks
    ):
        root.fault(
            "A check leads to a provisional registration, but there is no table that says for how long.", "provisional"
        )
    if policy.vouching is None and any(
        check.kind in BY_LETTER for service in policy.services.values() for check in service.checks
    ):
        root.fault("A check asks clients, but there is no table that says how seldom they are written to.", "vouching")
    if policy.attesting is None and any(
        check.kind == "attestation" for service in policy.services.values() for check in service.checks
    ):
        root.fault("A check asks associations, but there is no table that says which ones.", "attesting")
    if not any(reason.kind == "refusal" for reason in policy.reasons.values()):
        root.fault("No code of refusal is given; without a stated reason nothing may be refused.", "reasons")


def _instrument(key: str, section: Section) -> Instrument:
    instrument = Instrument(
        key=key,
        title=section.both("title"),
        short=section.both("short"),
        gazette=section.string("gazette", ""),
        registry=section.string("registry", ""),
        read=section.choice("read", READ),
        checked_on=section.string("checked_on", ""),
        status=section.choice("status", STATUSES),
    )
    section.done()
    return instrument


def _forum(key: str, section: Section) -> Forum:
    forum = Forum(
        key=key,
        title=section.both("title"),
        hears=section.choice("hears", tuple(DECIDERS)),
        sits=section.choice("sits", SITS),
        file_within=section.allowance("file_within"),
        runs_from=section.choice("from", ("receipt", "order", "event")),
        decides_within=section.allowance("decides_within"),
        sitting=section.choice("sitting", ("yes", "no", "unknown")),
        fallback=section.string("fallback", ""),
        source=section.string("source", filled=True),
        address=section.text("address", optional=True),
    )
    if forum.sits in DECIDERS.get(forum.hears, set()):
        section.fault("An appeal never goes to whoever decided. Name another body.", "sits")
    section.done()
    return forum


def _guards(root: Section) -> tuple[str, ...]:
    guards = root.words("guards")
    for guard in guards:
        if guard not in GUARDS:
            root.fault(
                f"The guard {guard!r} is not enforced by this version, so the policy may not rely on it. "
                f"Known guards: {', '.join(sorted(GUARDS))}.",
                "guards",
            )
    return guards


def _percentages(section: Section) -> tuple[int, ...]:
    values = section.numbers("escalate_at")
    if not values or list(values) != sorted(set(values)) or values[0] < 1 or values[-1] > 100:
        section.fault("These must be rising percentages between 1 and 100, such as [80, 100].", "escalate_at")
    return values


def _natural(code: str) -> tuple[str, int]:
    letters = code.rstrip("0123456789")
    return letters, int(code[len(letters) :] or 0)


def _provisional(section: Section) -> ProvisionalTerm:
    found = ProvisionalTerm(
        term=section.allowance("term"),
        remind_days_before=_reminders(section),
        officer_days_before=section.whole("officer_days_before", least=1, most=90),
        extension=section.allowance("extension"),
    )
    section.done()
    return found


def _vouching(section: Section) -> Vouching:
    found = Vouching(
        link_valid=section.span("link_valid"),
        remind_after=section.span("remind_after"),
        address_kept=section.span("address_kept"),
        counted_in=section.span("counted_in"),
        most_by_applicant=section.whole("most_by_applicant", least=1, most=50),
        most_to_address=section.whole("most_to_address", least=1, most=50),
        most_to_domain=section.whole("most_to_domain", least=1, most=10_000),
        free_mail=tuple(name.lower() for name in section.words("free_mail")),
    )
    if found.remind_after >= found.link_valid:
        section.fault("The reminder must come before the link ends.", "remind_after")
    section.done()
    return found


def _reminders(section: Section) -> tuple[int, ...]:
    days = section.numbers("remind_days_before")
    if any(day < 1 for day in days) or list(days) != sorted(set(days), reverse=True):
        section.fault("These must be falling numbers of days, such as [60, 30, 7].", "remind_days_before")
    return days


def _signed_item(key: str, section: Section) -> SignedItem:
    item = SignedItem(
        key=key,
        about=section.string("about", filled=True),
        name=section.string("name", ""),
        office=section.string("office", ""),
        on=str(section.day("on") or "") if section.data.get("on") else section.string("on", ""),
    )
    if any((item.name, item.office, section.data.get("on"))) and not item.is_signed:
        section.fault("A signature needs a name, an office and a day.")
    section.done()
    return item


def _limits(section: Section) -> Limits:
    each = section.whole("endpoints_per_application", least=1, most=1000)
    limits = Limits(
        shortest_prefix_v4=section.whole("shortest_prefix_v4", least=8, most=32),
        shortest_prefix_v6=section.whole("shortest_prefix_v6", least=19, most=128),
        endpoints_per_application=each,
        # Rules that were frozen before organisations had a limit of their own name none.
        endpoints_per_organisation=section.whole("endpoints_per_organisation", each, least=1, most=1000),
        document_bytes=section.whole("document_bytes", least=100_000, most=100_000_000),
        documents_per_application=section.whole("documents_per_application", least=1, most=100),
        document_types=section.words("document_types"),
        challenge_valid=section.span("challenge_valid"),
        draft_kept=section.span("draft_kept"),
        answer_characters=section.whole("answer_characters", least=200, most=20_000),
    )
    section.done()
    return limits


def _views(section: Section) -> Views:
    views = Views(
        needed=section.whole("needed", least=1, most=20),
        may_fail=section.whole("may_fail", least=0, most=4),
        networks=section.whole("networks", least=1, most=20),
    )
    # As for certificates (CA/Browser Forum Baseline Requirements 3.2.2.9): of up to five views elsewhere one may fail.
    most = 0 if views.needed < 3 else 1 if views.needed + views.may_fail <= 6 else 2
    if views.may_fail > most:
        section.fault(f"With {views.needed} needed, at most {most} may fail: more would be no quorum.", "may_fail")
    if views.networks > max(views.needed, 1):
        section.fault("More networks than views cannot be needed.", "networks")
    if views.needed > 1 and views.networks < 2:
        section.fault("Several views from one network are one view: at least 2 networks must be needed.", "networks")
    section.done()
    return views
