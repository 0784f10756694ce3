"""The acts of a complaint. Each locks the case, where there is one, and then the complaint, and makes a move of
`rules.MOVES` or none.

Invariants: the sender gets the same words on the same day whatever was found; the holder is asked before anybody
decides; whoever decides had no part in the case and did not send it; nothing that is registered changes here. A letter
is written in the transaction of its act.
"""

import datetime as dt
import uuid
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from rahdari import policy
from rahdari.apply import access, parts
from rahdari.apply import erasing as applications
from rahdari.apply import queries as papers
from rahdari.apply.models import Document
from rahdari.apply.screening import Screened
from rahdari.archive.actions import Box
from rahdari.db.queues import each_of
from rahdari.db.wake import wake
from rahdari.decide import case_clock, reviewing, revocation
from rahdari.decide.reviewer_models import Reviewer
from rahdari.decide.transitions import ReasonNeeded, lock, sentence
from rahdari.errors import RahdariError
from rahdari.journal import actions as journal
from rahdari.letters import actions as letters
from rahdari.people import queries as people
from rahdari.people.models import User
from rahdari.register.models import Registration
from rahdari.web.language import in_both

from . import queries, rules
from .models import Complaint, make_reference
from .rules import Outcome
from .words import about as title_of
from .words import outcome as title_of_outcome

ANSWERED, DECIDED = "complaint_answered", "complaint_decided"
# So long the sender of one with files adds them, and so many.
FILES_WITHIN, MOST_FILES = dt.timedelta(days=3), 5
# The letter about what came of it goes out within so long, or not at all.
CLOSING_GOES_OUT_WITHIN = dt.timedelta(days=30)
# What goes when the time of keeping is over: what was said, and whom it was about or from.
SAID = ("target", "words", "email", "public_body", "body_reference", "answer", "why")
TIED_TO = ("sender", "registration", "case", "part_of", "notice")


class NotPossibleNow(RahdariError):
    """The complaint does not allow this act as it stands. `.act` and `.complaint`."""

    says = "{act} is not possible for {complaint} now"
    act: str
    complaint: Complaint


class MayNotDecide(RahdariError):
    """This person may not decide the complaint. `.why` is a `rules.CannotDecide`."""

    says = "may not decide the complaint: {why}"
    why: rules.CannotDecide


class NoNameInIt(RahdariError):
    """It is about no name or number of a company, so that it contests none. `.complaint`"""

    says = "{complaint} contests no name"
    complaint: Complaint


class OutcomeNotPossible(RahdariError):
    """Nothing in force was found, so that nothing can be founded; or this kind does not end so. `.outcome`"""

    says = "{outcome} is no outcome here"
    outcome: str


# -- whoever complains ---------------------------------------------------------------------------------------------


@transaction.atomic
def send(
    *,
    id: uuid.UUID,
    kind: str,
    about: str,
    target: str,
    words: str,
    email: str = "",
    public_body: str = "",
    body_reference: str = "",
    with_files: bool = False,
    is_theirs: bool = False,
    language: str,
    now: dt.datetime,
) -> Complaint:
    """Take a complaint. `target`: the number or the proved address, in its one form; whether it is of anything is found
    in silence. `with_files`: they follow by the link of the letter. `is_theirs`: the sender has shown
    that the email address is theirs, and confirms nothing. The same form (`id`) sent twice is one. Raises
    ReasonNeeded (`text`, `email`).
    """
    if (sent := Complaint.objects.filter(pk=id).first()) is not None:
        return sent
    if (with_files or rules.must_be_confirmed(kind, about)) and not email:
        raise ReasonNeeded("email")
    complaint = Complaint(
        id=id,
        kind=kind,
        about=about,
        target=target,
        words=sentence(words),
        email=email,
        is_anonymous=not email,
        language=language,
        sender=people.person_by_email(email) if email else None,
        public_body=public_body.strip(),
        body_reference=body_reference.strip(),
        sent_at=now,
        files_until=now if with_files else None,
    )
    complaint.save(force_insert=True)
    journal.record(act="complaint.sent", actor="public", subject=complaint.subject, now=now, reason=kind)
    if rules.must_be_confirmed(kind, about) and not is_theirs:
        url = reverse("complaint:confirm", args=[complaint.receipt, queries.token_of(complaint, queries.CONFIRMS)])
        _write_to_sender(complaint, "complaint_confirm", now + queries.CONFIRM_WITHIN, now, url=url)
    else:
        _receive(complaint, now)
    return complaint


@transaction.atomic
def contest_by_contact(*, registration: Registration, email: str, language: str, now: dt.datetime) -> Complaint:
    """The contact that the list has for a company's number says, by the link of a letter of ours to this address, that
    a registration is not from it: a request for a correction that is looked up at once, since the page shows the
    registration. One is open at a time; the same no again revives one that was taken back."""
    if (case := queries.case_of(registration)) is not None:
        lock(case)
    said = queries.said_by(email, [registration]).get(registration.pk)
    if said is None:
        with translation.override(language):
            words = _("The contact on the list, by the link of our letter: this registration is not from us.")
        sent = send(
            id=uuid.uuid4(),
            kind=rules.Kind.CORRECTION,
            about=rules.About.ENTRY,
            target=registration.reference,
            words=words,
            email=email,
            is_theirs=True,
            language=language,
            now=now,
        )
        _look_up(sent, now)
        return sent
    said = _lock(said, "take_back")
    if said.taken_back_at is not None:
        said.taken_back_at = None
        said.save(update_fields=["taken_back_at"])
        _record(said, "said_again", "public", now)
    return said


@transaction.atomic
def take_back(*, complaint: Complaint, now: dt.datetime) -> Complaint:
    """The contact takes its no back: it contests the name no more, and an officer decides it all the same. Raises
    NotPossibleNow."""
    complaint = _lock(complaint, "take_back")
    if complaint.taken_back_at is None:
        complaint.taken_back_at = now
        complaint.save(update_fields=["taken_back_at"])
        _record(complaint, "taken_back", "public", now)
    return complaint


@transaction.atomic
def confirm(*, complaint: Complaint, now: dt.datetime) -> Complaint:
    """Its sender opened the link of the letter and pressed the button. Done twice it is done once."""
    complaint = _locked(complaint)
    if not rules.allows(complaint.state, complaint.holder_answer, "confirm"):
        return complaint
    journal.record(act="complaint.confirmed", actor="public", subject=complaint.subject, now=now)
    _receive(complaint, now)
    return complaint


def _receive(complaint: Complaint, now: dt.datetime) -> None:
    """From now on its clocks run, whatever it is about; where files follow, from the end of the time for them."""
    rules_in_force, calendar = case_clock.policy_in_force(), case_clock.calendar()
    complaint.received_at, start, told = now, now, {}
    if complaint.files_until is not None:
        complaint.files_until = start = now + FILES_WITHIN
        url = reverse("complaint:files", args=[complaint.receipt, queries.token_of(complaint, queries.FILES)])
        told = {"files_until": start, "url": url}
    complaint.answer_due_at = policy.add(start=start, allowance=rules_in_force.clocks[ANSWERED], calendar=calendar)
    complaint.due_at = policy.add(start=start, allowance=rules_in_force.clocks[DECIDED], calendar=calendar)
    complaint.save(update_fields=["received_at", "files_until", "answer_due_at", "due_at"])
    _write_to_sender(complaint, "complaint_received", complaint.due_at, now, due_at=complaint.due_at, **told)
    wake()


def add_file(*, complaint: Complaint, name: str, content: bytes, owner: str, now: dt.datetime) -> Document:
    """Judge, clean and keep a file of the sender's, as `apply` does with those of applicants; the same one twice is
    one. `owner`: from where it comes, for the limits. Raises NotPossibleNow, screening.FileRefused, TooManyDocuments.
    """
    if not complaint.takes_files(now):
        raise NotPossibleNow("add_file", complaint)
    kept = parts.judge_file(content, name=name, policy=case_clock.policy_in_force(), owner=owner)
    with parts.only_if_kept() as stored, transaction.atomic():
        complaint = _lock_for_files(complaint, "add_file", now)
        document, is_new = _keep(complaint.papers, kept, stored, now)
        if is_new:
            _record_of_sender(complaint, "added_file", now, document)
    return document


@transaction.atomic
def remove_file(*, complaint: Complaint, id: str, now: dt.datetime) -> None:
    """Take out a file and erase it; done twice it is done once. Raises NotPossibleNow."""
    complaint = _lock_for_files(complaint, "remove_file", now)
    if (found := _take_out(complaint.papers, id, now)) is not None:
        _record_of_sender(complaint, "removed_file", now, found)


@transaction.atomic
def end_files(*, complaint: Complaint, now: dt.datetime) -> Complaint:
    """That was all: it is looked up without waiting longer. Raises NotPossibleNow."""
    complaint = _lock_for_files(complaint, "end_files", now)
    complaint.files_until = now
    complaint.save(update_fields=["files_until"])
    _record_of_sender(complaint, "ended_files", now)
    wake()
    return complaint


@each_of(queries.to_look_up)
def look_up(complaint: Complaint, now: dt.datetime) -> bool:
    """Find what it is about, and ask the holder. A company may have several registrations: of each its holder is asked,
    and the sender has one receipt."""
    return _look_up(complaint, now)


def _look_up(complaint: Complaint, now: dt.datetime) -> bool:
    locked = _locked(complaint)
    if not rules.allows(locked.state, locked.holder_answer, "look_up"):
        return False
    if locked.takes_files(now):
        return False
    besides = locked.sender.holder_ref if locked.sender is not None else None
    _link_all(locked, queries.registrations_about(locked.about, locked.target, now, besides=besides), now)
    return True


@transaction.atomic
def ask_holder(*, complaint: Complaint, officer: User, now: dt.datetime) -> Complaint:
    """Ask the one holder who has the name that is complained of. The officer has seen whose it is: to be asked tells
    a holder of this name that no other has it. The time to answer begins now. Nobody is asked where none has the name,
    or several have. Raises NotPossibleNow, MayNotDecide."""
    complaint = _lock(complaint, "ask_holder")
    if complaint.about != rules.About.NAME or complaint.part_of_id is not None:
        raise NotPossibleNow("ask_holder", complaint)
    if (cannot := queries.why_not(complaint, officer)) is not None:
        raise MayNotDecide(cannot)
    found = queries.registrations_in_name(complaint.target, now)
    if found:
        allowance, calendar = case_clock.policy_in_force().clocks[ANSWERED], case_clock.calendar()
        complaint.answer_due_at = policy.add(start=now, allowance=allowance, calendar=calendar)
        _link_all(complaint, found, now)
        wake()
    _record(complaint, "compared_name", queries.actor_for(officer), now)
    return complaint


def _link_all(complaint: Complaint, found: list[Registration], now: dt.datetime) -> None:
    copies = [_copy(complaint) for _each in found[1:]]
    _link(complaint, found[0] if found else None, now)
    for each, registration in zip(copies, found[1:], strict=True):
        _link(each, registration, now)


def _copy(complaint: Complaint) -> Complaint:
    given = {field.attname: getattr(complaint, field.attname) for field in Complaint._meta.concrete_fields}
    given |= {"id": uuid.uuid4(), "reference": make_reference(), "receipt": make_reference(), "email": ""}
    given |= {"copy_of_id": complaint.pk, "contested_at": None}
    return Complaint(**given | dict.fromkeys(("registration_id", "case_id", "part_of_id")))


def _link(complaint: Complaint, registration: Registration | None, now: dt.datetime) -> None:
    complaint.registration = registration
    complaint.case = None if registration is None else queries.case_of(registration)
    if complaint.case is not None:
        lock(complaint.case)
    # One that contests a name stands by itself.
    complaint.part_of = queries.same_that_is_open(complaint) if complaint.contested_at is None else None
    complaint.looked_up_at = complaint.looked_up_at or now
    if complaint._state.adding:
        complaint.save(force_insert=True)
    else:
        complaint.save(update_fields=["registration", "case", "part_of", "looked_up_at", "answer_due_at"])
    if complaint.part_of is not None:
        _record(complaint, "joined", "clock", now)
        return
    _record(complaint, "received", "clock", now, reason=complaint.about)
    if complaint.case is not None:
        _write_to_holder(complaint, "complaint_to_answer", now, due_at=complaint.answer_due_at)


# -- the holder ----------------------------------------------------------------------------------------------------


@transaction.atomic
def answer(*, complaint: Complaint, words: str, actor: str, now: dt.datetime) -> Complaint:
    """The holder answers, once; also after the time for it, until it is decided. Raises NotPossibleNow,
    ReasonNeeded."""
    complaint = _lock(complaint, "answer")
    complaint.answer, complaint.answered_at = sentence(words), now
    complaint.save(update_fields=["answer", "answered_at"])
    _record(complaint, "answered", actor, now)
    return complaint


def add_answer_file(
    *, complaint: Complaint, name: str, content: bytes, owner: uuid.UUID, actor: str, now: dt.datetime
) -> Document:
    """Judge, clean and keep a file that goes with the holder's answer, as those of the sender; nobody reads it before
    the answer is sent. `owner`: the person who sends it, for the limits. Raises NotPossibleNow, screening.FileRefused,
    TooManyDocuments.
    """
    if not rules.allows(complaint.state, complaint.holder_answer, "add_answer_file"):
        raise NotPossibleNow("add_answer_file", complaint)
    kept = parts.judge_file(content, name=name, policy=case_clock.policy_in_force(), owner=owner)
    with parts.only_if_kept() as stored, transaction.atomic():
        complaint = _lock(complaint, "add_answer_file")
        document, is_new = _keep(complaint.answer_papers, kept, stored, now)
        if is_new:
            _record(complaint, "added_answer_file", actor, now, document=document)
    return document


@transaction.atomic
def remove_answer_file(*, complaint: Complaint, id: str, actor: str, now: dt.datetime) -> None:
    """Take a file out of the answer and erase it; done twice it is done once. Raises NotPossibleNow."""
    complaint = _lock(complaint, "remove_answer_file")
    if (found := _take_out(complaint.answer_papers, id, now)) is not None:
        _record(complaint, "removed_answer_file", actor, now, document=found)


# -- whoever decides -----------------------------------------------------------------------------------------------


@transaction.atomic
def decide(
    *,
    complaint: Complaint,
    officer: User,
    outcome: str,
    why: str,
    code: str = "",
    evidence: str = "",
    now: dt.datetime,
) -> Complaint:
    """Decide it. With a `code` the registration is proposed to be taken back, by the procedure of every revocation:
    notice, hearing, a second officer. Without one what is founded was mended by the holder. Raises NotPossibleNow,
    MayNotDecide, OutcomeNotPossible, ReasonNeeded, and as `revocation.propose_revocation` does.
    """
    complaint = _lock(complaint, "decide")
    if (cannot := queries.why_not(complaint, officer)) is not None:
        raise MayNotDecide(cannot)
    possible = set(rules.KINDS[rules.Kind(complaint.kind)].outcomes)
    if complaint.case is None:
        possible -= {Outcome.FOUNDED}
    if outcome not in possible:
        raise OutcomeNotPossible(outcome)
    complaint.why = sentence(why)
    complaint.decided_at, complaint.decided_by, complaint.outcome = now, officer, outcome
    if outcome == Outcome.FOUNDED and code and code not in {reason.code for reason in queries.codes_for(complaint)}:
        raise ReasonNeeded("codes")
    complaint.save(update_fields=["why", "decided_at", "decided_by", "outcome"])
    complaint.others.update(decided_at=now, decided_by=officer, outcome=outcome)
    reviewing.end(complaint.subject, now)
    # After it was decided: whoever proposes has a part in the case from then on.
    if outcome == Outcome.FOUNDED and code and complaint.case is not None:
        complaint.notice = revocation.propose_revocation(
            case=complaint.case, officer=officer, code=code, text=complaint.why, evidence=evidence, now=now
        )
        complaint.save(update_fields=["notice"])
    _record(complaint, "decided", queries.actor_for(officer), now, reason=outcome)
    if complaint.case is not None:
        _write_to_holder(
            complaint,
            "complaint_decided",
            now,
            outcome=in_both(lambda: title_of_outcome(outcome)),
            text=complaint.why,
            proposed=complaint.notice is not None,
        )
    wake()
    return complaint


@transaction.atomic
def contest(*, complaint: Complaint, officer: User, contested: bool, now: dt.datetime) -> Complaint:
    """The public check says from now on that the name is contested, or because of this complaint no more. Ends when
    the complaint is decided; done twice it is done once. Raises NotPossibleNow, MayNotDecide, NoNameInIt."""
    complaint = _lock(complaint, "contest")
    if complaint.part_of_id is not None:
        raise NotPossibleNow("contest", complaint)
    if (cannot := queries.why_not(complaint, officer)) is not None:
        raise MayNotDecide(cannot)
    if complaint.about not in rules.CONTESTS:
        raise NoNameInIt(complaint)
    if contested != (complaint.contested_at is not None):
        complaint.contested_at = now if contested else None
        complaint.save(update_fields=["contested_at"])
        _record(complaint, "contested" if contested else "not_contested", queries.actor_for(officer), now)
    return complaint


@transaction.atomic
def name_reviewer(*, complaint: Complaint, supervisor: User, reviewer: User, who: str, now: dt.datetime) -> Reviewer:
    """Nobody in the office may decide the complaint: somebody from outside does, and reads this one file for it.
    Raises NotPossibleNow, and as `reviewing.name_reviewer` does.
    """
    complaint = _lock(complaint, "name_reviewer")
    named = reviewing.name_reviewer(
        matter=queries.matter_of(complaint), supervisor=supervisor, reviewer=reviewer, who=who, now=now
    )
    _record(complaint, "named_reviewer", queries.actor_for(supervisor), now)
    return named


# -- the clock -----------------------------------------------------------------------------------------------------


@each_of(queries.unconfirmed)
def forget(complaint: Complaint, now: dt.datetime) -> bool:
    """Nobody confirmed it: nothing is left of it."""
    locked = _locked(complaint)
    if not rules.allows(locked.state, locked.holder_answer, "forget"):
        return False
    locked.delete()
    journal.record(act="complaint.forgot", actor="clock", subject=complaint.subject, now=now)
    return True


@each_of(queries.unanswered)
def let_answer_lapse(complaint: Complaint, now: dt.datetime) -> bool:
    """The holder said nothing in time: it can be decided. Nothing else follows from that."""
    locked = _locked(complaint)
    if not rules.allows(locked.state, locked.holder_answer, "let_answer_lapse"):
        return False
    locked.lapsed_at = now
    locked.save(update_fields=["lapsed_at"])
    _record(locked, "answer_lapsed", "clock", now)
    return True


@each_of(queries.out_of_time)
def run_out(complaint: Complaint, now: dt.datetime) -> bool:
    """The office missed its time: the complaint is marked, and what is registered stays as it is."""
    locked = _locked(complaint)
    if not rules.allows(locked.state, locked.holder_answer, "let_time_run_out") or locked.overdue_at is not None:
        return False
    locked.overdue_at = now
    locked.save(update_fields=["overdue_at"])
    _record(locked, "ran_out", "clock", now)
    return True


@each_of(queries.to_tell)
def tell(complaint: Complaint, now: dt.datetime) -> bool:
    """Write to its sender, on the day that the receipt named."""
    locked = _locked(complaint)
    if not rules.allows(locked.state, locked.holder_answer, "tell") or locked.told_at is not None:
        return False
    locked.told_at = now
    locked.save(update_fields=["told_at"])
    remedy = case_clock.policy_in_force().remedies.get("ombudsman")
    _write_to_sender(locked, "complaint_closed", now + CLOSING_GOES_OUT_WITHIN, now, complaint=remedy)
    journal.record(act="complaint.told", actor="clock", subject=locked.subject, now=now)
    return True


def erase(complaint: Complaint, box: Box, now: dt.datetime) -> None:
    """All that says who sent it, what it said and of which registration. That there was one, of which kind, and what
    came of it stays. In the caller's transaction."""
    box.take([complaint])
    reviewing.erase_who(complaint.subject, box)
    for name in SAID:
        setattr(complaint, name, "")
    for name in TIED_TO:
        setattr(complaint, name, None)
    complaint.erased_at = now
    complaint.save(update_fields=[*SAID, *TIED_TO, "erased_at"])
    applications.erase_papers_of(asked=complaint.answer_papers, box=box, now=now)
    # Those that were sent with it go with the last of its copies.
    first = complaint.copy_of_id or complaint.pk
    if not Complaint.objects.filter(Q(pk=first) | Q(copy_of=first), erased_at__isnull=True).exists():
        applications.erase_papers_of(asked=complaint.papers, box=box, now=now)
    journal.record(act="complaint.erased", actor="clock", subject=complaint.subject, now=now)


# -- shared --------------------------------------------------------------------------------------------------------


def _locked(complaint: Complaint) -> Complaint:
    """The complaint as it is now, locked after its case."""
    if complaint.case is not None:
        lock(complaint.case)
    Complaint.objects.select_for_update().values_list("pk").get(pk=complaint.pk)
    return queries.complaints().get(pk=complaint.pk)


def _lock(complaint: Complaint, act: str) -> Complaint:
    """The same, if it allows this act. Raises NotPossibleNow."""
    locked = _locked(complaint)
    if not rules.allows(locked.state, locked.holder_answer, act):
        raise NotPossibleNow(act, locked)
    return locked


def _lock_for_files(complaint: Complaint, act: str, now: dt.datetime) -> Complaint:
    """The same, while its sender may add files. Raises NotPossibleNow."""
    locked = _lock(complaint, act)
    if not locked.takes_files(now):
        raise NotPossibleNow(act, locked)
    return locked


def _keep(asked: str, kept: Screened, stored: list[Document], now: dt.datetime) -> tuple[Document, bool]:
    """The file under this name, and whether it is a new one. Raises TooManyDocuments."""
    present = papers.papers_of(asked)
    if (same := present.filter(sha256=kept.sha256).first()) is not None:
        return same, False
    if present.count() >= MOST_FILES:
        raise parts.TooManyDocuments(MOST_FILES)
    return parts.keep_document(None, asked, kept, stored, now=now), True


def _take_out(asked: str, id: str, now: dt.datetime) -> Document | None:
    """The file that was taken out and erased; None where there is none."""
    found = next((each for each in papers.papers_of(asked) if str(each.pk) == id), None)
    return found if found is not None and parts.take_out(found, now) else None


def _record_of_sender(complaint: Complaint, act: str, now: dt.datetime, file: Document | None = None) -> None:
    detail = {} if file is None else {"document": str(file.pk)}
    journal.record(act=f"complaint.{act}", actor="public", subject=complaint.subject, now=now, detail=detail)


def _record(
    complaint: Complaint,
    act: str,
    actor: str,
    now: dt.datetime,
    *,
    reason: str = "",
    document: Document | None = None,
) -> None:
    """About the application, so that its history shows it; about the complaint alone where there is none."""
    case = complaint.case
    journal.record(
        act=f"complaint.{act}",
        actor=actor,
        subject=complaint.subject if case is None else case.application.subject,
        now=now,
        reason=reason,
        detail={"complaint": complaint.reference, **({} if document is None else {"document": str(document.pk)})},
    )


def _write_to_sender(
    complaint: Complaint, template: str, expires_at: dt.datetime, now: dt.datetime, /, **context: Any
) -> None:
    if not complaint.email:
        return
    letters.write_to_outsider(
        address=complaint.email,
        language=complaint.language,
        template=template,
        about=complaint.subject,
        context={
            "reference": complaint.receipt,
            "url": reverse("complaint:receipt", args=[complaint.receipt, queries.token_of(complaint)]),
            **context,
        },
        expires_at=max(expires_at, now + queries.CONFIRM_WITHIN),
        now=now,
    )


def _write_to_holder(complaint: Complaint, template: str, now: dt.datetime, **context: Any) -> None:
    assert complaint.case is not None and complaint.registration is not None  # noqa: S101 - the callers looked
    application = complaint.case.application
    for reader in access.readers_of(application):
        letters.write_letter(
            to=reader,
            template=template,
            about=application.subject,
            context={
                "reference": complaint.reference,
                "registration": complaint.registration.reference,
                "about": in_both(lambda: title_of(complaint.about)),
                "url": reverse("portal:complaint", args=[application.reference, complaint.reference]),
                **access.on_behalf(application),
                **context,
            },
            now=now,
        )
