"""Reads of complaints. `complaint_for_officer` is the gatekeeper of the desk: it opens one for an officer, and records
that it did. Whoever sent one reaches it by its link, the holder by the application.

Which registration a complaint is about is found here by code, from an exact number or a proved address, and told to
nobody outside. A whole name is compared as `decide.searching` does it, when whoever decides asks for it, and leads to
the one holder who has it or to nobody: no search of ours lists namesakes.
"""

import datetime as dt
import ipaddress
import uuid
from collections.abc import Collection

from django.db.models import Count, Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from rahdari.apply import pending, subjects
from rahdari.apply import queries as applications
from rahdari.apply.models import Application, Document
from rahdari.decide import case_clock, conflicts_of_interest, reviewing, revocation, searching
from rahdari.decide import queries as cases
from rahdari.decide.due import WHILE_OPEN
from rahdari.decide.models import Case
from rahdari.decide.reviewer_models import Reviewer
from rahdari.decide.rules import Needs
from rahdari.errors import RahdariError
from rahdari.journal import actions as journal
from rahdari.people import holders
from rahdari.people import queries as people
from rahdari.people.models import User
from rahdari.policy import Reason
from rahdari.register import queries as register
from rahdari.register.models import Registration
from rahdari.register.rules import STANDING
from rahdari.vault import links
from rahdari.web.language import in_both

from . import rules
from .models import Complaint
from .rules import About, CannotDecide, Kind, Outcome

# What the links are derived for by which a sender follows a complaint, and confirms the email address.
LINK, CONFIRMS = "complaint.sender", "complaint.confirms"
# And by which files are added: the letter alone has it, so whoever opens it has the email address.
FILES = "complaint.files"
# So long a sender has to confirm the email address.
CONFIRM_WITHIN = dt.timedelta(days=7)
# One company number may have many registrations: the holder of each is asked.
MOST_FOUND = 20
# Where the journal has a look at what concerns no registration.
ABOUT_NOBODY = "desk:complaints"
UPHELD = (Outcome.FOUNDED,)


class ComplaintNotFound(RahdariError):
    """There is no such complaint, or it is not for you: nobody learns which. `.reference` is what was asked for."""

    says = "no complaint {reference!r} for this person"
    reference: str


def complaints() -> QuerySet[Complaint]:
    return Complaint.objects.select_related(
        "case__application__applicant",
        "case__application__organisation",
        "case__application__mandate",
        "registration",
        "decided_by",
        "notice",
    )


# -- what it is about ----------------------------------------------------------------------------------------------


def registrations_about(
    about: str, target: str, now: dt.datetime, *, besides: uuid.UUID | None = None
) -> list[Registration]:
    """What is in force of the number or address that was given; empty where there is nothing. `besides`: the sender as
    a holder, whose card number it is said to be."""
    found = [each for each in _named(About(about), target) if register.standing(each, now) in STANDING]
    if about == About.CARD:
        # All of them: who has one of them would learn from a limit how many there are.
        return [each for each in found if each.holder != besides]
    return found[:MOST_FOUND]


def registrations_in_name(name: str, now: dt.datetime) -> list[Registration]:
    """What is in force in this whole name, if exactly one holder has it."""
    found = register.registrations_of(holders=searching.holders_named(name))
    in_force = [each for each in found if register.standing(each, now) in STANDING]
    return in_force[:MOST_FOUND] if len({each.holder for each in in_force}) == 1 else []


def _named(about: About, target: str) -> list[Registration]:
    if about == About.ADDRESS:
        here = ipaddress.ip_network(target)
        entries = register.overlapping_active(block=here).select_related("registration")
        return list({each.registration_id: each.registration for each in entries}.values())
    if about == About.NAME:
        return []  # Whoever decides asks for that: `registrations_in_name`.
    if about == About.CARD:
        return list(register.registrations_of(holders=pending.holders_with_card(target)))
    if about == About.COMPANY:
        return list(register.registrations_of(holders=holders.holders_numbered(target)))
    found = register.registration_by_reference(target)
    return [] if found is None else [found]


def case_of(registration: Registration) -> Case | None:
    """The case that the registration rests on."""
    application = subjects.last_granted_for(registration)
    return None if application is None else cases.case_of(application)


def same_that_is_open(complaint: Complaint) -> Complaint | None:
    """An earlier one that says the same of the same registration, whoever sent it: the holder is asked once."""
    if complaint.registration_id is None:
        return None
    found = Complaint.objects.filter(
        kind=complaint.kind,
        about=complaint.about,
        registration=complaint.registration_id,
        looked_up_at__isnull=False,
        decided_at__isnull=True,
        part_of__isnull=True,
    )
    return found.order_by("received_at", "id").first()


def said_by(email: str, found: Collection[Registration]) -> dict[uuid.UUID, Complaint]:
    """What the sender at this address says of these registrations, and nobody has decided, each by its registration."""
    asked = complaints().filter(registration__in=found, about=About.ENTRY, looked_up_at__isnull=False)
    return {
        each.registration_id: each
        for each in asked.filter(decided_at__isnull=True).order_by("sent_at", "id")
        if each.registration_id is not None and each.email == email
    }


def papers_of(complaint: Complaint) -> list[Document]:
    """The files that came with it."""
    return list(applications.papers_of(complaint.papers)) if complaint.files_until is not None else []


def answer_papers_of(complaint: Complaint) -> list[Document]:
    """The files that the holder sends with the answer. Whoever decides sees them when the answer was sent."""
    return list(applications.papers_of(complaint.answer_papers)) if complaint.case_id is not None else []


def sent_answer_papers_of(complaint: Complaint) -> list[Document]:
    """Those of an answer that was sent."""
    return answer_papers_of(complaint) if complaint.answered_at is not None else []


def papers_for_holder(complaint: Complaint) -> list[Document]:
    """Those that the holder sees, of all who said the same: what is held against somebody, they read."""
    if not rules.KINDS[Kind(complaint.kind)].holder_sees_files:
        return []
    return [paper for each in (complaint, *said_again(complaint)) for paper in papers_of(each)]


def said_again(complaint: Complaint) -> list[Complaint]:
    """Those that say the same of the same registration, in their order."""
    return list(complaint.others.order_by("received_at", "id"))


# -- whoever sent it, and the holder -------------------------------------------------------------------------------


def token_of(complaint: Complaint, purpose: str = LINK) -> str:
    """What the link holds by which its sender follows it; or confirms the email address, which the letter alone has."""
    return links.token(purpose, complaint.receipt)


def complaint_for_sender(*, receipt: str, token: str, purpose: str = LINK) -> Complaint:
    """Raises ComplaintNotFound, also where the link is not the right one."""
    found = Complaint.objects.filter(receipt=receipt.replace("\0", "")).first()
    if found is None or not links.matches(purpose, found.receipt, token):
        raise ComplaintNotFound(receipt)
    return found


def complaints_of(application: Application) -> list[Complaint]:
    """What its holder is asked, or was; the newest first. The caller has made sure that the application is theirs."""
    found = complaints().filter(case__application=application, part_of__isnull=True, received_at__isnull=False)
    return list(found.filter(erased_at__isnull=True).order_by("-received_at", "id"))


def to_answer(registration: Registration) -> list[Complaint]:
    """What the holder of the registration is asked, and has not answered."""
    return list(_to_answer().filter(registration=registration).select_related("case__application"))


def to_answer_among(registrations: QuerySet[Registration]) -> QuerySet[Complaint, tuple[str, str, dt.datetime | None]]:
    """The same of all of these: of each its number, that of the application, and until when there is time."""
    found = _to_answer().filter(registration__in=registrations.values("pk"))
    return found.values_list("reference", "case__application__reference", "answer_due_at")


def _to_answer() -> QuerySet[Complaint]:
    found = Complaint.objects.filter(part_of__isnull=True, looked_up_at__isnull=False, case__isnull=False)
    return found.filter(decided_at__isnull=True, answered_at__isnull=True).order_by("answer_due_at", "id")


def complaint_for_holder(*, application: Application, reference: str) -> Complaint:
    found = next((each for each in complaints_of(application) if each.reference == reference), None)
    if found is None:
        raise ComplaintNotFound(reference)
    return found


def reports_about(application: Application) -> list[bool]:
    """Of each that somebody confirmed and nobody found to be unfounded: whether files came with it that the holder
    sees (`decide.evidence.REPORTS`)."""
    found = Complaint.objects.filter(case__application=application, received_at__isnull=False, erased_at__isnull=True)
    return [bool(papers_for_holder(each)) for each in found.filter(outcome__in=["", Outcome.FOUNDED])]


def settled_at(application: Application) -> dt.datetime | None:
    """Nothing of a file is erased while a complaint about it is open (`decide.due.UNSETTLED`)."""
    found = Complaint.objects.filter(case__application=application, received_at__isnull=False, decided_at__isnull=True)
    return WHILE_OPEN if found.exists() else None


# -- the desk ------------------------------------------------------------------------------------------------------


def open_complaints() -> QuerySet[Complaint]:
    """Those due first in front, each with how many said the same."""
    found = complaints().filter(looked_up_at__isnull=False, decided_at__isnull=True, part_of__isnull=True)
    return found.annotate(others_count=Count("others")).order_by("due_at", "id")


def open_for(officer: User) -> list[Complaint]:
    """None about the officer's own registrations."""
    is_own = conflicts_of_interest.own_of(officer)
    return [each for each in open_complaints()[:200] if each.case is None or not is_own(each.case.application)]


def open_ones() -> QuerySet[Complaint]:
    return Complaint.objects.filter(looked_up_at__isnull=False, decided_at__isnull=True, part_of__isnull=True)


def with_part_in(complaint: Complaint, found: Collection[User]) -> set[uuid.UUID]:
    """Those of them who had a part in the case, or sent the complaint or one like it."""
    out = reviewing.with_part_in(complaint.case, found) if complaint.case is not None else set()
    senders = {complaint.sender_id, *complaint.others.values_list("sender", flat=True)}
    return out | {each.pk for each in found if not people.accounts_of(each).isdisjoint(senders)}


def with_part_of(user: User, found: Collection[Complaint]) -> set[uuid.UUID]:
    """The same of many complaints for one person, in two questions: the keys of those complaints."""
    cases = reviewing.cases_with_part_of(user, [each.case for each in found if each.case is not None])
    accounts = people.accounts_of(user)
    sent = Complaint.objects.filter(sender__in=accounts, part_of__in=[each.pk for each in found])
    own = {each.pk for each in found if each.case_id in cases or each.sender_id in accounts}
    return own | {key for key in sent.values_list("part_of", flat=True) if key is not None}


def why_not(complaint: Complaint, user: User) -> CannotDecide | None:
    """Why this person may not decide it; None: they may."""
    return rules.may_decide(
        had_part=user.pk in with_part_in(complaint, [user]),
        is_officer=people.is_officer(user),
        is_reviewer=Reviewer.is_named(complaint.subject, user),
    )


def matter_of(complaint: Complaint) -> reviewing.Matter:
    """What somebody from outside decides where nobody in the office may."""
    senders = {complaint.sender_id, *complaint.others.values_list("sender", flat=True)}
    return reviewing.Matter(
        complaint.subject,
        complaint.case,
        Needs.COMPLAINT,
        complaint.reference,
        in_both(lambda: _("A complaint")),
        reverse("complaint:complaint", args=[complaint.reference]),
        complaint.due_at,
        besides=[each for each in senders if each is not None],
    )


def actor_for(user: User) -> str:
    """How the journal names whoever decides."""
    return cases.actor_of(user) if people.is_officer(user) else reviewing.actor_of(user)


def codes_for(complaint: Complaint) -> list[Reason]:
    """The codes by which the registration may be proposed to be taken back."""
    if complaint.case is None:
        return []
    possible = rules.codes_for(complaint.kind, complaint.about)
    frozen = case_clock.policy_of(complaint.case.application)
    return [reason for reason in revocation.codes_of(frozen) if reason.code in possible]


def complaint_for_officer(*, user: User, reference: str, now: dt.datetime) -> Complaint:
    """The complaint, with the read on record. Raises ComplaintNotFound."""
    found = complaints().filter(reference=reference.replace("\0", ""), looked_up_at__isnull=False)
    complaint = found.filter(part_of__isnull=True).first()
    if complaint is None or not (people.is_officer(user) or Reviewer.is_named(complaint.subject, user)):
        raise ComplaintNotFound(reference)
    case = complaint.case
    if case is not None:
        if conflicts_of_interest.own_of(user)(case.application):
            raise ComplaintNotFound(reference)
        journal.record(
            act="complaint.read",
            actor=actor_for(user),
            subject=case.application.subject,
            now=now,
            reason="complaint",
            ground=cases.ground_of(case),
            detail={"complaint": complaint.reference},
        )
    return complaint


def record_paper_read(complaint: Complaint, paper: Document, user: User, now: dt.datetime) -> None:
    """In the history of the application, where one was found."""
    case = complaint.case
    journal.record(
        act="apply.read_document",
        actor=actor_for(user),
        subject=ABOUT_NOBODY if case is None else case.application.subject,
        now=now,
        reason="complaint",
        ground=complaint.reference if case is None else cases.ground_of(case),
        detail={"document": str(paper.pk), "rule": paper.rule},
    )


# -- for the workflow ----------------------------------------------------------------------------------------------


def unconfirmed(now: dt.datetime) -> QuerySet[Complaint]:
    """Which nobody confirmed in time."""
    found = Complaint.objects.filter(received_at__isnull=True, sent_at__lt=now - CONFIRM_WITHIN)
    return found.order_by("sent_at", "id")


def to_look_up(now: dt.datetime) -> QuerySet[Complaint]:
    """Received, no file to come, and not yet known of which registration."""
    found = Complaint.objects.filter(received_at__isnull=False, looked_up_at__isnull=True)
    found = found.filter(Q(files_until__isnull=True) | Q(files_until__lte=now))
    return found.order_by("received_at", "id")


def unanswered(now: dt.datetime) -> QuerySet[Complaint]:
    """The holder's time to answer is over."""
    found = Complaint.objects.filter(looked_up_at__isnull=False, decided_at__isnull=True, part_of__isnull=True)
    found = found.filter(case__isnull=False, answered_at__isnull=True, lapsed_at__isnull=True, answer_due_at__lt=now)
    return found.order_by("answer_due_at", "id")


def out_of_time(now: dt.datetime) -> QuerySet[Complaint]:
    """Open past its time, and not yet marked. What was not looked up yet is looked up first."""
    found = Complaint.objects.filter(looked_up_at__isnull=False, decided_at__isnull=True, part_of__isnull=True)
    return found.filter(overdue_at__isnull=True, due_at__lt=now).order_by("due_at", "id")


def to_tell(now: dt.datetime) -> QuerySet[Complaint]:
    """Decided, and the day has come that was named to its sender."""
    found = Complaint.objects.filter(decided_at__isnull=False, told_at__isnull=True, due_at__lte=now)
    return found.order_by("due_at", "id")


def not_upheld_before(moment: dt.datetime | None) -> QuerySet[Complaint]:
    """Told before then, and not upheld. None: they are kept."""
    if moment is None:
        return Complaint.objects.none()
    found = Complaint.objects.filter(erased_at__isnull=True, told_at__lt=moment).exclude(outcome__in=UPHELD)
    return found.order_by("told_at", "id")
