"""All that the page of one case shows, gathered from the rooms below, for one reader at one moment."""

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.forms import Form
from django.utils import translation
from django.utils.translation import gettext as _

from rahdari import optional
from rahdari.address import format_block
from rahdari.apply import queries as applications
from rahdari.apply import rules as evidence
from rahdari.apply import subjects
from rahdari.apply.models import Document, Endpoint
from rahdari.apply.summary import SummaryLine
from rahdari.checks import queries as check_queries
from rahdari.checks import words as findings
from rahdari.checks.models import Check, Outcome
from rahdari.confirm import queries as questions
from rahdari.confirm.models import SubscriberQuestion as OperatorQuestion
from rahdari.control import method_words
from rahdari.control import queries as proofs
from rahdari.db import together
from rahdari.journal import queries as journal
from rahdari.letters import queries as inbox
from rahdari.letters import words as letters_words
from rahdari.letters.models import Letter
from rahdari.people import queries as people
from rahdari.people.models import Role, User
from rahdari.policy import Policy, Reason
from rahdari.publish import queries as publish
from rahdari.register.models import Registration

from . import (
    addresses,
    conflicts_of_interest,
    desk,
    hearing_views,
    hearings,
    notes,
    operators,
    queries,
    remedies,
    reviewing,
    revocation,
    rules,
    serving,
    words,
)
from . import evidence as in_file
from .addresses import Address, OpenKind, ShownGroup
from .case_clock import ClockFace, clock_of, notice_due_at, notice_heard_between, policy_of, question_due_at
from .forms import DecideForm, RecordSeveralForm
from .lanes import Lane, lane_of
from .models import Case, CaseQuestion, Decision, Hearing, Notice, Recusal
from .note_models import Mention, Note
from .open_elsewhere import OpenElsewhere, others_reading
from .rules import CaseStanding, HearingState, NoticeState, QuestionState, Status
from .seconding import Second
from .similar_cases import SimilarCase, decisions_like, told_by
from .unreached_addresses import held_against, unreached_endpoints, unreached_of

TRIES_SHOWN = 20
# What stands in the way of a decision is read first.
ORDER = ("bad", "wait", "ok", "off")
LINES_OF_HISTORY = 200


@dataclass(frozen=True)
class ShownCheck:
    check: Check
    title: str
    finding: Any
    raw: str
    # The name under which the number stands on a roster.
    listed_name: str = ""
    # For a proof: what was tried, from where, and what was seen.
    tries: Sequence[method_words.Tried] = ()
    tone: str = ""
    # Of one that failed and is in nobody's way: why it is not. Of a company's number: what others under it said.
    beside: str = ""


@dataclass(frozen=True)
class ShownReason:
    reason: Reason
    text: str
    evidence: list[str]
    # Why it cannot be used now: what is not in the file, and how it gets there.
    lacking: str = ""
    is_named: bool = False


class _Read:
    """What each room says about one file. Of the papers and the letters no content is read."""

    def __init__(self, case: Case, reader: User, registration: Registration | None, *, with_posts: bool) -> None:
        application, subject = case.application, case.application.subject
        self.endpoints = applications.endpoints_of(application)
        self.papers = applications.documents_of(application)
        self.proofs = applications.proofs_of(application)
        self.checks = check_queries.checks_of(subject)
        self.firms = check_queries.lists_of_firms()
        # Of many addresses each has a page of its own.
        few = subjects.names_of_first(self.endpoints, addresses.FEW)
        self.attempts = proofs.last_attempts(few, most=TRIES_SHOWN)
        self.before = queries.decided_before(application)
        self.history = queries.history(case)
        self.similar = decisions_like(case) if case.status == Status.OPEN else Decision.objects.none()
        self.recusals = queries.recused_from(case)
        self.hearings = hearings.about_proposals(case)
        self.notes = notes.notes_about(case)
        self.mentions = notes.mentions_about(case)
        self.staff = people.staff_named_in(journal.staff_in(journal.about(subject)))
        self.letters = inbox.letters_about(subject)
        self.asked_operators = questions.questions_with_answers(subject)
        self.operators = publish.active_operators()
        self.taken_back = revocation.taken_back(case)
        self.alone = reviewing.asked_about(queries.open_notice(case))
        self.refusals_for_me, self.revocations_for_me = desk.proposed_for_me(reader)
        self.posts = people.all_posts() if with_posts else ()
        read = [each for each in vars(self).values() if isinstance(each, QuerySet)]
        delivered = letters_words.notes_about(subject)
        self.delivered = [] if delivered is None else delivered
        hooks = optional.given(__package__, "on_case") if registration is not None else []
        self.besides: list[together.Part] = [each(registration) for each in hooks]
        of_rooms = [query for each in self.besides for query in each.read]
        read += self.alone if queries.open_notice(case) is not None else ()
        together.ask(*read, *([] if delivered is None else [delivered]), *of_rooms)


class CasePage:
    def __init__(self, case: Case, *, reader: User, now: dt.datetime, language: str) -> None:
        self.case, self.reader, self.now, self.language = case, reader, now, language
        self.application = case.application
        self.policy: Policy = policy_of(self.application)
        self.service = self.policy.services[self.application.service]

    @cached_property
    def _read(self) -> "_Read":
        """What the page shows of all rooms, in one statement."""
        registration = self.application.registration or (self.decision.registration if self.decision else None)
        return _Read(self.case, self.reader, registration, with_posts=self.may_pass)

    # -- facts -----------------------------------------------------------------------------------------------------

    @cached_property
    def standing(self) -> CaseStanding:
        return self.case.standing

    @cached_property
    def clock(self) -> ClockFace:
        return clock_of(self.case, self.now)

    @property
    def for_me(self) -> int:
        """For the navigation: how many proposals the reader may decide."""
        return desk.counted((self._read.refusals_for_me, self._read.revocations_for_me))

    @cached_property
    def endpoints(self) -> list[Endpoint]:
        return list(self._read.endpoints)

    @property
    def endpoints_and_runs(self) -> list[tuple[Endpoint, SummaryLine]]:
        """Each address with what runs there."""
        return [(endpoint, applications.what_runs_at(endpoint)) for endpoint in self.endpoints]

    @cached_property
    def operators(self) -> list[str]:
        return list(dict.fromkeys(one.operator_name for one in self.endpoints if one.operator_name))

    @cached_property
    def documents(self) -> list[tuple[str, Document]]:
        titles = {rule.key: rule.title.in_language(self.language) for rule in self.service.documents}
        return [
            (titles.get(one.rule) or self.evidence_title or one.rule, one)
            for one in self._read.papers
            if not evidence.goes_with_an_answer(one.rule)
        ]

    @cached_property
    def _papers(self) -> dict[str, list[Document]]:
        found: dict[str, list[Document]] = {}
        for one in self._read.papers:
            found.setdefault(one.rule, []).append(one)
        return found

    def papers_of(self, asked: CaseQuestion | Notice) -> list[Document]:
        """What was sent with an answer. Until that is sent, or its time is over, it is the applicant's own."""
        waits = isinstance(asked, CaseQuestion) and asked.state == QuestionState.OPEN
        waits = waits or (isinstance(asked, Notice) and asked.state == NoticeState.RUNNING)
        return [] if waits else self._papers.get(asked.subject, [])

    def paper(self, wanted: str) -> tuple[str, Document] | None:
        """The title and the paper, if it is one of those that the page lists and is still kept."""
        asked: list[CaseQuestion | Notice] = [*self.case.questions.all(), *self.case.notices.all()]
        came = [numbered for each in asked for numbered in enumerate(self.papers_of(each), start=1)]
        title = _("File %(number)s that came with the answer")
        found = self.documents + [(title % {"number": number}, paper) for number, paper in came]
        found += [(title, each) for title, each in self.shown_papers]
        kept = (each for each in found if each[1].noted_from_id is None and each[1].erased_at is None)
        return next((each for each in kept if str(each[1].pk) == wanted), None)

    @property
    def shown_papers(self) -> list[tuple[str, Document]]:
        """What officers added to proposals to take the registration back, each with its title."""
        return [
            (words.shown_paper(notice), paper)
            for notice in self.case.notices.all()
            for paper in self._papers.get(notice.shown_subject, [])
        ]

    @property
    def notice_papers(self) -> list[Document]:
        return self.papers_of(self.notice) if self.notice else []

    @cached_property
    def besides(self) -> dict[str, Any]:
        """What optional rooms say of the registration that this application is about."""
        return {name: shown for each in self._read.besides for name, shown in each.shown().items()}

    @property
    def evidence_title(self) -> str:
        kind = self.service.evidence_kind(self.application.evidence_kind)
        return kind.title.in_language(self.language) if kind else ""

    @property
    def evidence_text(self) -> str:
        kind = self.service.evidence_kind(self.application.evidence_kind)
        return evidence.words_shown(kind, self.application.evidence_text)

    @cached_property
    def later_proofs(self) -> list[tuple[str, str]]:
        """Proofs that came after sending: what each is called, and its words."""
        found = []
        for proof in self._read.proofs:
            kind, document = self.service.evidence_kind(proof.kind), self.service.document(proof.kind)
            named = kind or document
            title = named.title.in_language(self.language) if named else proof.kind
            found.append((title, evidence.words_shown(kind, proof.text)))
        return found

    @property
    def service_title(self) -> str:
        return self.service.short.in_language(self.language)

    @cached_property
    def granted_before(self) -> int:
        return int(self._read.before[0]["granted"])

    @cached_property
    def refused_before(self) -> int:
        return int(self._read.before[0]["refused"])

    # -- checks ----------------------------------------------------------------------------------------------------

    @cached_property
    def all_checks(self) -> list[Check]:
        return list(self._read.checks)

    @property
    def is_grouped(self) -> bool:
        """Whether there are too many addresses to show on one page all that was found about each."""
        return len(self.endpoints) > addresses.FEW

    @cached_property
    def addresses(self) -> list[Address]:
        return addresses.in_order(self.endpoints, self.all_checks, self.language)

    @cached_property
    def groups(self) -> list[ShownGroup]:
        return addresses.first_of(self.addresses) if self.is_grouped else []

    def address_of(self, check: uuid.UUID) -> Address | None:
        """The address that has a page of its own on which this check stands."""
        found = (each for each in self.addresses for one in each.checks if one.pk == check)
        return next(found, None) if self.is_grouped else None

    @cached_property
    def open_kinds(self) -> list[OpenKind]:
        return addresses.open_kinds(self.addresses)

    @cached_property
    def checks(self) -> list[ShownCheck]:
        """Those that the page of the case shows whole, what is in the way first: without those of single addresses,
        when they are many."""
        elsewhere = {each.subject for each in self.endpoints} if self.is_grouped else set()
        here = [check for check in self.all_checks if check.target not in elsewhere]
        return self.shown(sorted(here, key=lambda check: ORDER.index(self.tone_of[check.pk])))

    @cached_property
    def tone_of(self) -> dict[uuid.UUID, str]:
        return addresses.tones_of(self.all_checks, queries.counting(self.application, self.all_checks, self.now))

    def several_form(self, data: Mapping[str, Any] | None = None) -> RecordSeveralForm:
        """For the checks of this page that have not passed; with one alone its own form is enough."""
        found = [(str(each.check.pk), self._title_with_target(each)) for each in self.checks if each.tone != "ok"]
        return RecordSeveralForm(data, checks=found if len(found) > 1 else ())

    @property
    def found_in_words(self) -> str:
        """What stands against the application, of its checks and of the operators that were asked, as the applicant
        would read it in a sentence. What blames nobody is not there."""
        with translation.override(self.application.applicant.language):
            found = [findings.of_check(each.check) for each in self.checks if each.check.reason_code]
            denied = [each for each in self._read.asked_operators if in_file.is_denial(each)]
            said = [f"{name}: {answer}" for _, name, _, answer in operators.answers_about(denied, self._read.operators)]
            return "\n".join([*map(addresses.plain, found), *said])

    def _title_with_target(self, shown: ShownCheck) -> str:
        """Beside each other, checks of several addresses are told apart by the address."""
        addresses = {each.subject: each.address_text for each in self.endpoints}
        address = addresses.get(shown.check.target) if len(addresses) > 1 else None
        return f"{shown.title}: \u2066{address}\u2069" if address else shown.title

    def shown(self, checks: Iterable[Check]) -> list[ShownCheck]:
        return [
            ShownCheck(
                check,
                findings.title_of(check, self.language),
                findings.of_check(check),
                "\n".join(f"{key}: {self._written(value)}" for key, value in check.evidence.items() if key != "before"),
                self._listed_name(check),
                self._tries(check),
                self.tone_of[check.pk],
                self._besides.get(check.pk, "") or findings.of_holders(check),
            )
            for check in checks
        ]

    @cached_property
    def _besides(self) -> dict[uuid.UUID, str]:
        found = queries.failed_besides(self.application, self.all_checks, self.now)
        return {check.pk: words.beside(what) for check, what in found}

    def _written(self, value: Any) -> str:
        """A value of the evidence as text: one that is there in both languages in the reader's."""
        if isinstance(value, Mapping):
            if value.keys() == {"en", "ur"}:
                return str(value[self.language])
            return ", ".join(f"{key} {self._written(each)}" for key, each in value.items())
        if isinstance(value, list):
            return ", ".join(map(self._written, value))
        return "" if value is None else str(value)

    @staticmethod
    def _listed_name(check: Check) -> str:
        """With which name the given one disagrees. It is somebody's, so whoever is shown it is on record."""
        if check.kind != "roster" or check.outcome != Outcome.FAILED or check.evidence.get("name") != "different":
            return ""
        row = check_queries.row_behind(check)
        return row.name if row is not None else ""

    @property
    def shows_listed_names(self) -> bool:
        return any(shown.listed_name for shown in self.checks)

    def _tries(self, check: Check) -> list[method_words.Tried]:
        if check.kind != "control":
            return []
        subject = check.facts.get("control_subject") or check.target
        if not self.is_grouped and subject in {each.subject for each in self.endpoints}:
            found = [each for each in self._read.attempts if each.challenge.subject == subject]
        else:
            found = list(proofs.attempts_about(subject)[:TRIES_SHOWN])
        return [method_words.of_try(attempt) for attempt in found]

    @cached_property
    def tones(self) -> Counter[str]:
        """How many checks there are of each tone."""
        return Counter(self.tone_of.values())

    @property
    def failed(self) -> int:
        """Those too that are in nobody's way."""
        return self.tones["bad"] + self.tones["off"]

    @cached_property
    def history(self) -> list[words.HistoryLine]:
        found = words.history(self._read.history, reader=self.reader, staff=self._read.staff)
        return found[:LINES_OF_HISTORY]

    @cached_property
    def open_elsewhere(self) -> Sequence[OpenElsewhere]:
        """Which colleagues read the same case now."""
        return others_reading(self._read.history, reader=self.reader, staff=self._read.staff, now=self.now)

    @cached_property
    def letters(self) -> list[tuple[Letter, str, list[letters_words.DeliveryStanding]]]:
        """What was written about the file, and whether it arrived."""
        delivered = self._read.delivered
        return [
            (letter, inbox.title_of(letter), letters_words.reached(letter, delivered)) for letter in self._read.letters
        ]

    # -- who may do what -------------------------------------------------------------------------------------------

    @property
    def is_mine(self) -> bool:
        return self.case.assigned_to_id == self.reader.pk

    @property
    def is_open(self) -> bool:
        return self.standing.status == Status.OPEN

    @property
    def may_take(self) -> bool:
        return self.is_open and self.case.assigned_to_id is None

    @property
    def may_decide(self) -> bool:
        return self.is_mine and rules.allows(self.standing, "propose_refusal")

    @property
    def may_record(self) -> bool:
        return self.is_mine and self.is_open

    @property
    def may_pass(self) -> bool:
        return self.is_open and (self.is_mine or (people.is_supervisor(self.reader) and bool(self.case.assigned_to_id)))

    @property
    def may_recuse(self) -> bool:
        return self.application.status != "withdrawn" and rules.allows(self.standing, "recuse")

    @cached_property
    def recusals(self) -> list[Recusal]:
        """Who has no part in the case any more, and why."""
        return list(self._read.recusals)

    @cached_property
    def notes(self) -> list[tuple[Note, list[User], str]]:
        """Each with whom it is meant for, and why the holder does not read it."""
        meant: dict[Any, list[User]] = {}
        for each in self._read.mentions:
            meant.setdefault(each.note_id, []).append(each.officer)
        return [(note, meant.get(note.pk, []), words.why_kept_back(note.kept_back)) for note in self._read.notes]

    @property
    def mentions_not_seen(self) -> list[Mention]:
        """Those of the reader."""
        return [each for each in self._read.mentions if each.officer_id == self.reader.pk and each.seen_at is None]

    @cached_property
    def colleagues(self) -> list[User]:
        """Officers and supervisors other than the reader who have no part in the application, each once."""
        found = {
            post.user_id: post.user
            for post in (self._read.posts if self.may_pass else people.all_posts())
            if post.role in {Role.OFFICER, Role.SUPERVISOR} and post.user_id != self.reader.pk
        }
        own = conflicts_of_interest.with_part_in(self.application, found.values())
        apart = [user for user in found.values() if user.pk not in own]
        return sorted(apart, key=lambda user: (user.name, str(user.pk)))

    @cached_property
    def similar(self) -> list[SimilarCase]:
        """How earlier cases were decided in which the same was in the way; nothing once this one is decided."""
        return told_by(self._read.similar)

    @cached_property
    def grantable(self) -> rules.Assessment:
        found = queries.missing_for_grant(self.case, self.now, self.all_checks)
        return held_against(found, self.application, self._unreached)

    @cached_property
    def _unreached(self) -> list[Endpoint]:
        return unreached_endpoints(self.application, self.endpoints, self._read.operators)

    # -- operators that were asked ---------------------------------------------------------------------------------

    @cached_property
    def operators_asked(self) -> list[tuple[OperatorQuestion, str, str, str]]:
        return operators.answers_about(self._read.asked_operators, self._read.operators)

    @cached_property
    def may_ask_operator(self) -> bool:
        if not self.may_record:
            return False
        asked, known = self._read.asked_operators, list(self._read.operators)
        return bool(operators.to_ask(self.application, asked, self.endpoints, known))

    @cached_property
    def may_restore(self) -> bool:
        is_decided = self.standing.status == Status.DECIDED
        return is_decided and revocation.to_restore(self.case, self.now, self._read.taken_back) is not None

    @cached_property
    def may_revoke(self) -> bool:
        """Whether the registration that came of the case can be taken back, or restored."""
        is_decided = self.standing.status == Status.DECIDED
        return is_decided and (self.may_restore or revocation.registration_of(self.case, self.now) is not None)

    # -- who would get it, or gets it ------------------------------------------------------------------------------

    @cached_property
    def nowhere(self) -> list[tuple[str, str]]:
        """Addresses that would reach no operator, or reach none: by which the form names each, and its text."""
        if self.standing.status == Status.OPEN:
            return [(each.subject, each.address_text) for each in self._unreached]
        if self.decision is None or self.decision.registration is None:
            return []
        return [
            (each.origin, format_block(each.block))
            for each in unreached_of(self.decision.registration, self._read.operators)
        ]

    @property
    def may_name_network(self) -> bool:
        return bool(self.nowhere) and (self.is_mine or self.standing.status == Status.DECIDED)

    @cached_property
    def operators_to_name(self) -> list[tuple[str, str]]:
        return [(slug, name) for slug, name, _asn in publish.with_networks(self._read.operators)]

    @property
    def why_no_grant(self) -> str:
        return words.missing(self.grantable.missing) if isinstance(self.grantable, rules.NotYet) else ""

    # -- codes -----------------------------------------------------------------------------------------------------

    def _usable(self, kind: str) -> list[Reason]:
        return list(self.policy.reasons_of_kind(kind, confirm_allowed=settings.REASONS_TO_CONFIRM_ALLOWED))

    @cached_property
    def questions(self) -> list[ShownReason]:
        return [self._shown(reason) for reason in self._usable("question")]

    @cached_property
    def refusals(self) -> list[ShownReason]:
        return [self._shown(reason) for reason in self._refusals]

    @property
    def not_in_file(self) -> int:
        """For how many refusals something is not in the file yet."""
        return sum(bool(shown.lacking) for shown in self.refusals)

    @cached_property
    def _refusals(self) -> list[Reason]:
        """Without those that cannot fit the service (the fee of one that is free, a list that was not asked), and those
        that an appeal found wrong in this case."""
        usable = [reason for reason in self._usable("refusal") if in_file.fits(self.application, reason)]
        return [reason for reason in usable if reason.code not in remedies.barred_codes(self.case)]

    def _waiting(self, kind: str) -> list[str]:
        """Codes that are off until somebody confirms them: they are not offered, and the page says so."""
        usable = {reason.code for reason in self._usable(kind)}
        known = self.policy.reasons_of_kind(kind, confirm_allowed=True)
        return [reason.code for reason in known if reason.code not in usable]

    @property
    def questions_waiting(self) -> list[str]:
        return self._waiting("question")

    @property
    def refusals_waiting(self) -> list[str]:
        return self._waiting("refusal")

    @cached_property
    def _file(self) -> in_file.File:
        return in_file.File(
            self.application,
            self.now,
            notice=self.notice,
            checks=self.all_checks,
            papers=list(self._read.papers),
            asked_operators=list(self._read.asked_operators),
            asked_applicant=list(self.case.questions.all()),
        )

    def _shown(self, reason: Reason) -> ShownReason:
        return ShownReason(
            reason,
            reason.text.in_language(self.language),
            words.evidence(self.policy, (reason.code,), self.language),
            " ".join(words.comes(key) for key in in_file.missing(self._file, reason)),
            in_file.is_named(reason),
        )

    def shown_reasons(self, reasons: Iterable[Reason]) -> list[ShownReason]:
        """What each of these needs in the file, and what of it is not there."""
        return [self._shown(reason) for reason in reasons]

    @property
    def names_evidence(self) -> bool:
        return any(shown.is_named for shown in self.refusals)

    def decide_form(self, data: Mapping[str, Any] | None = None) -> DecideForm:
        return DecideForm(data, questions=self._usable("question"), refusals=self._refusals)

    # -- question, notice, decision --------------------------------------------------------------------------------

    @cached_property
    def question(self) -> CaseQuestion | None:
        return queries.open_question(self.case)

    @property
    def question_text(self) -> str:
        return self.policy.reasons[self.question.code].text.in_language(self.language) if self.question else ""

    @property
    def question_due_at(self) -> dt.datetime | None:
        return question_due_at(self.question) if self.question else None

    @cached_property
    def question_came_back(self) -> bool:
        return self.question is not None and serving.came_back(self.question)

    @property
    def asked(self) -> list[tuple[CaseQuestion, str, list[Document]]]:
        return [
            (one, self.policy.reasons[one.code].text.in_language(self.language), self.papers_of(one))
            for one in self.case.questions.all()
            if one.state == QuestionState.NONE
        ]

    @cached_property
    def notice(self) -> Notice | None:
        return queries.open_notice(self.case)

    @property
    def notice_due_at(self) -> dt.datetime | None:
        return notice_due_at(self.notice) if self.notice else None

    @property
    def notice_reasons(self) -> list[remedies.RefusedFor]:
        codes = self.notice.codes if self.notice else (self.decision.codes if self.decision else [])
        return [remedies.reason_with_law(self.policy, code) for code in codes]

    @property
    def notice_is_ripe(self) -> bool:
        return self.notice is not None and self.notice.state == NoticeState.RIPE

    @cached_property
    def hearings(self) -> list[Hearing]:
        """Those about proposals of the case, the first in front; of one that was dropped, what was said."""
        about = self.notice.subject if self.notice else ""
        return [each for each in self._read.hearings if each.closed_at is not None or each.matter == about]

    @property
    def waits_for_hearing(self) -> bool:
        return self.is_open and self.standing.hearing == HearingState.ASKED

    def hearing_forms(self, data: Any = None) -> dict[str, Form]:
        if self.notice is None or not self.waits_for_hearing:
            return {}
        self.notice.case = self.case
        return hearing_views.forms_of(self.notice, data, notice_heard_between(self.notice, self.now), self.now)

    @cached_property
    def notice_came_back(self) -> bool:
        if self.notice is None:
            return False
        self.notice.case = self.case
        return serving.came_back(self.notice)

    @cached_property
    def hearing_came_back(self) -> bool:
        """Of the hearing that is set and not over."""
        planned = next((each for each in self.hearings if each.closed_at is None), None)
        if planned is None:
            return False
        planned.case = self.case
        return not serving.was_told(planned)

    @property
    def i_proposed(self) -> bool:
        return self.notice is not None and self.notice.proposed_by_id == self.reader.pk

    @cached_property
    def cannot_second(self) -> rules.CannotSecond | None:
        if self.notice is None:
            return None
        self.notice.case = self.case
        return Second(self.reader, self.now).cannot(self.notice)

    @cached_property
    def alone(self) -> reviewing.Alone | None:
        """Where nobody in the office may second the proposal."""
        return reviewing.alone_with(self.notice, self._read.alone)

    @property
    def may_name_reviewer(self) -> bool:
        return self.alone is not None and people.is_supervisor(self.reader)

    @property
    def may_second(self) -> bool:
        return self.notice_is_ripe and self.cannot_second is None

    @property
    def why_not_second(self) -> str:
        return words.why_not_second(self.cannot_second) if self.cannot_second else ""

    @property
    def in_an_organisations_name(self) -> bool:
        """Whether the rule left it to an officer because of the name alone, or would have."""
        return self.is_open and queries.is_in_an_organisations_name(
            self.application, self._read.firms, self._read.operators
        )

    @property
    def returned(self) -> bool:
        """Whether the last thing that became of the case is a grant that could not be entered."""
        decisions = list(self.case.decisions.all())
        return self.is_open and bool(decisions) and decisions[-1].voided_at is not None

    @cached_property
    def decision(self) -> Decision | None:
        return queries.decision_of(self.case)

    @property
    def lane(self) -> Lane | None:
        return lane_of(self.case, self.decision)
