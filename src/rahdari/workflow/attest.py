"""Between apply, attest and checks: associations are asked, their answers carried, and what follows when an
attestation is taken back.

An attestation that is revoked or over before the decision counts for nothing. After it, nothing is taken away: an
officer has the matter, and the holder a letter.
"""

import datetime as dt
from collections.abc import Iterable

from django.db.models import Exists, Q, QuerySet
from django.urls import reverse

from rahdari import policy as policies
from rahdari.apply import access, subjects
from rahdari.apply import queries as applications
from rahdari.apply.models import Application, Endpoint
from rahdari.attest import attestations as attestations_of_attest
from rahdari.attest import disputing, lists, requests, rules
from rahdari.attest import queries as attestations
from rahdari.attest.models import Attestation, AttestationReview, AttestationUse, MembershipInquiry
from rahdari.attest.queries import ASSOCIATION
from rahdari.attest.rules import AttestationState, Identifier, ReviewOutcome, Tie
from rahdari.calendar import queries as calendars
from rahdari.checks import queries as checks
from rahdari.checks.answers import CheckRequest
from rahdari.checks.contacts import REPRESENTS
from rahdari.checks.declared import ATTESTED_NOT_SHOWN
from rahdari.checks.evidence import Both, Evidence
from rahdari.checks.models import Check, Outcome
from rahdari.checks.names import is_same_name
from rahdari.checks.rules import Answer
from rahdari.db.queues import each_of
from rahdari.decide import ending
from rahdari.decide import queries as decisions
from rahdari.decide.rules import Grantable
from rahdari.inquiry.rules import SILENT
from rahdari.letters import actions as letters
from rahdari.people import queries as people
from rahdari.people.rules import Act
from rahdari.policy import CheckRule, Policy
from rahdari.register import queries as entries
from rahdari.register.models import Registration
from rahdari.register.rules import Standing

from .attest_matching import FINDINGS, KIND, about, answer, both, is_worth_asking, known_by, not_shown
from .attest_matching import look_again as look_again
from .attest_matching import look_up as look_up
from .checking import title_of
from .employment_proofs import let_another_proof_follow
from .inquiries import Asked, came_at
from .reminding import Due, Reminder
from .representing import NAMED, is_of_the_list, take_word_of_association, ties
from .step import A_MINUTE, AN_HOUR, Place, Step, together

CLOSED_WITHIN = dt.timedelta(days=1)
WITHDREW = "association_withdrew"
# The word for an attestation that nobody but its member called wrong.
DISPUTED = policies.Text("The member said that it is wrong.", "رکن نے کہا کہ یہ درست نہیں۔")


# -- asking --------------------------------------------------------------------------------------------------------


@each_of(lambda: checks.waiting_of_kind(KIND, other_than=ASSOCIATION.asked()).filter(finding=""))
def ask_associations(check: Check, now: dt.datetime) -> bool:
    """Checks that wait for an association that was not asked yet: what came meanwhile is looked up first."""
    application = subjects.application_by_subject(check.subject)
    if application is None or application.status != "submitted":
        return False
    policy = applications.frozen_policy(application)
    if policy.attesting is None:
        return False
    if not look_up(application, policy, now):
        _ask(application, policy, now, subject=f"check:{check.pk}")
    return True


def _ask(application: Application, policy: Policy, now: dt.datetime, *, subject: str) -> None:
    attesting = policy.attesting
    if attesting is None or not application.association:
        return
    requests.ask(
        association=application.association,
        subject=subject,
        service=application.service,
        name=application.holder_name,
        email=application.applicant.email,
        member_number=application.association_number,
        known_by=known_by(application),
        due_at=policies.add(start=now, allowance=attesting.answer_within, calendar=calendars.in_force()),
        now=now,
    )


@each_of(attestations.requests_to_match_again)
def look_at_requests(request: MembershipInquiry, now: dt.datetime) -> bool:
    """Members were attested who may be those who wait: compare, and let what fits count."""
    application, moved = _application_of(request), False
    if application is not None and application.status in {"submitted", "granted"}:
        policy = applications.frozen_policy(application)
        if look_up(application, policy, now):
            requests.answer_request(request=request, answer=rules.Answer.ATTESTED, by="system:workflow", now=now)
            moved = True
        elif request.is_waiting:
            moved = _forget_the_no(application, request, policy, now)
    requests.mark_looked_at(request)
    return moved


def _forget_the_no(application: Application, request: MembershipInquiry, policy: Policy, now: dt.datetime) -> bool:
    """The association took its no back: what the check says follows, until it answers again."""
    check = checks.checks_of(application.subject).filter(kind=KIND).first()
    if check is None or check.finding != "association_denied":
        return False
    evidence: Evidence = {"association": _named(request, policy)}
    answer(application.subject, Answer("failed", WITHDREW, evidence, blames=False), now, anew=True)
    return True


def _named(request: MembershipInquiry, policy: Policy) -> Both:
    association = policy.attesting.association(request.association) if policy.attesting else None
    return both(association.title if association else None, request.association)


@ASSOCIATION.delivering
def deliver_answers_of_associations(request: MembershipInquiry, now: dt.datetime) -> None:
    """What associations answered, and their silence, to the checks that wait."""
    application = _application_of(request)
    if application is not None and application.status in {"submitted", "granted"}:
        _deliver(request, application, now)


def _deliver(request: MembershipInquiry, application: Application, now: dt.datetime) -> None:
    policy = applications.frozen_policy(application)
    confirmed = request.state == rules.Answer.ATTESTED
    if request.answered_by != "system:workflow":  # found in a list, where nobody saw who applies
        claim = request.attestation.claim if request.attestation is not None else None
        take_word_of_association(application, policy, claim=claim, confirmed=confirmed, now=now)
    if confirmed:
        look_up(application, policy, now, came_at=request.ended_at)
        return
    evidence: Evidence = {
        "association": _named(request, policy),
        "at": request.ended_at.isoformat() if request.ended_at else None,
        "came_at": came_at(request),
    }
    if request.why:
        evidence["why"] = request.why
    check = checks.checks_of(application.subject).filter(kind=KIND).first()
    again = check is not None and check.finding == WITHDREW
    if request.state == rules.Answer.NOT_MEMBER:
        answer(application.subject, Answer("failed", "association_denied", evidence), now, anew=again)
    elif request.state == SILENT:
        let_another_proof_follow(application.subject, now)
        answer(application.subject, Answer("failed", "association_silent", evidence, blames=False), now, anew=again)


def _nobody_waits(now: dt.datetime) -> QuerySet[Check]:
    closed = subjects.named_in("subject").filter(closed_at__gte=now - CLOSED_WITHIN).exclude(status="granted")
    return checks.waiting_checks().filter(Exists(closed), kind=KIND)


@each_of(_nobody_waits)
def withdraw_requests(check: Check, now: dt.datetime) -> bool:
    """Requests for applications that were withdrawn or closed without a grant: nobody waits for their answers."""
    request = ASSOCIATION.about(f"check:{check.pk}")
    if request is None or not request.is_waiting:
        return False
    ASSOCIATION.withdraw(request, actor="system:workflow", now=now)
    return True


PARTY = Asked(
    ASSOCIATION,
    ask=ask_associations,
    withdraw=withdraw_requests,
    deliver=deliver_answers_of_associations,
    erase=ASSOCIATION.erasing(),
)


def _application_of(request: MembershipInquiry) -> Application | None:
    check = checks.check_with_id(request.subject.removeprefix("check:"))
    return subjects.application_by_subject(check.subject) if check else None


# -- before the decision: what is shown counts, and what is over counts no more --------------------------------------


@each_of(lambda: attestations.open_uses().filter(~Exists(subjects.named_in("subject").filter(status="submitted"))))
def close_uses(use: AttestationUse, now: dt.datetime) -> bool:
    """What counted for applications that are decided now is not looked after any more; nobody waits for that."""
    attestations_of_attest.close_use(use=use, now=now)
    return False


@each_of(lambda now: attestations.open_uses().filter(attestations.not_live(attestations.day_of(now))))
def drop_what_is_over(use: AttestationUse, now: dt.datetime) -> bool:
    """Attestations that counted for an application that is not decided, and expired or were revoked since."""
    application = subjects.application_by_subject(use.subject)
    return application is not None and application.status == "submitted" and _drop(use, application, now)


def _shown_since() -> QuerySet[AttestationUse]:
    company = Q(attestation__identifier_kind="company")
    company &= Q(Exists(checks.of_same_subject(kind=REPRESENTS, outcome=Outcome.PASSED)))
    card = Q(attestation__identifier_kind="card")
    card &= Q(Exists(checks.of_same_subject(kind="roster", finding="listed_and_shown")))
    return attestations.open_uses().filter(company | card, tie="")


@each_of(_shown_since)
def count_what_is_shown(use: AttestationUse, now: dt.datetime) -> bool:
    """What was attested of a number that the applicant typed, of which it is shown since that it is theirs. Looked at
    once: closed here, and open again when it counts. Returns whether something counts."""
    attestations_of_attest.close_use(use=use, now=now)
    application = subjects.application_by_subject(use.subject)
    if application is None:
        return False
    policy = applications.frozen_policy(application)
    counts = look_up(application, policy, now, came_at=application.submitted_at)
    check = checks.check_about(subject=use.subject, kind=KIND, target="")
    request = ASSOCIATION.about(f"check:{check.pk}") if check is not None else None
    if counts and request is not None:
        requests.answer_request(request=request, answer=rules.Answer.ATTESTED, by="system:workflow", now=now)
    return counts


def _not_shown_any_more() -> QuerySet[AttestationUse]:
    passed = checks.of_same_subject(kind=REPRESENTS, outcome=Outcome.PASSED)
    return attestations.open_uses().filter(~Exists(passed), tie=Tie.REPRESENTS)


@each_of(_not_shown_any_more)
def forget_what_is_not_shown(use: AttestationUse, now: dt.datetime) -> bool:
    """It is not shown any more that the applicant may apply for the company: what was attested of it counts no more."""
    attestations_of_attest.untie(use)
    application = subjects.application_by_subject(use.subject)
    attesting = applications.frozen_policy(application).attesting if application is not None else None
    if application is None or attesting is None:
        return False
    return answer(use.subject, not_shown(application, attesting, use.attestation), now, anew=True)


def _drop(use: AttestationUse, application: Application, now: dt.datetime) -> bool:
    check = checks.checks_of(use.subject).filter(kind=KIND).first()
    if check is None or check.evidence.get("attestation") != use.attestation.number:
        return False
    attesting = applications.frozen_policy(application).attesting
    if attesting is None:
        return False
    finding = "attestation_revoked" if use.attestation.revoked_at else "attestation_over"
    if check.finding in {finding, ATTESTED_NOT_SHOWN}:
        return False
    found = Answer("failed", finding, about(attesting, use.attestation, use.tie), blames=False)
    answer(use.subject, found, now, anew=True)
    return True


# -- after the decision: a matter for an officer ---------------------------------------------------------------------


@each_of(attestations.to_follow)
def follow_revocations(attestation: Attestation, now: dt.datetime) -> int:
    """Attestations that were revoked, or given back: what rests on them is for an officer, and their holder is told."""
    moved = sum(_follow(attestation, use, now) for use in attestations.uses_of(attestation))
    attestations_of_attest.stop_following(attestation)
    return moved


def _follow(attestation: Attestation, use: AttestationUse, now: dt.datetime) -> bool:
    application = subjects.application_by_subject(use.subject)
    if application is None or application.status != "granted":
        if application is not None and application.status == "submitted" and attestation.revoked_at is not None:
            return _drop(use, application, now)
        return False
    if attestation.revoked_at is None:
        return _count_again(attestation, use, application, now)
    if not use.tie and not _rests_on(application, attestation):
        return False
    matter, is_new = disputing.open_matter(
        attestation=attestation, subject=use.subject, holder=use.holder, person=use.person, now=now
    )
    if is_new and use.tie:
        _tell(application, "attestation_revoked", attestation, matter, now)
    return is_new


def _rests_on(application: Application, attestation: Attestation) -> bool:
    """Whether it counted though nothing shows that it is the applicant's: so it was before that was asked."""
    check = checks.check_about(subject=application.subject, kind=KIND, target="")
    if check is None or check.evidence.get("attestation") != attestation.number:
        return False
    return check.finding in FINDINGS.values()


def _count_again(attestation: Attestation, use: AttestationUse, application: Application, now: dt.datetime) -> bool:
    check = checks.checks_of(application.subject).filter(kind=KIND).first()
    attesting = applications.frozen_policy(application).attesting
    if check is None or attesting is None or check.finding != "attestation_revoked":
        return False
    weight = attesting.weight(attestation.association, attestation.claim, application.service)
    if weight == "alone":
        before = check.evidence.get("before", {}).get("evidence", {})
        evidence: Evidence = {
            **about(attesting, attestation, use.tie),
            "weight": weight,
            "name": before.get("name", "not_compared"),
        }
        answer(application.subject, Answer("passed", "attested", evidence), now, anew=True)
    return True


def _tell(
    application: Application, template: str, attestation: Attestation, matter: AttestationReview, now: dt.datetime
) -> None:
    attesting = applications.policy_in_force().attesting
    association = attesting.association(attestation.association) if attesting else None
    found = [each.title for each in attesting.revocations if each.key == attestation.revocation] if attesting else []
    url = reverse("attest:theirs", args=[attestation.number])
    facts: dict[str, object] = {"text": matter.decision}
    if template == "attestation_revoked":
        facts = {"text": attestation.explanation, "reason": found[0] if found else DISPUTED}
        until = attestations.object_until(attestation)
        facts |= {"due_at": until} if until is not None else {}
    elif template == "attestation_another_proof":
        facts["due_at"] = matter.proof_due_at
        url = reverse("portal:proof", args=[application.reference])
    for person in people.people_to_notify(application.holder_ref, Act.PAPERS):
        letters.write_once(
            to=person,
            template=template,
            about=application.subject,
            once=f"{template}:{matter.number}",
            context={
                "reference": application.reference,
                "association": association.title if association else attestation.association,
                "url": url,
                **access.on_behalf(application),
                **facts,
            },
            now=now,
        )


@each_of(attestations.reviews_to_apply)
def apply_outcomes(matter: AttestationReview, now: dt.datetime) -> None:
    """What officers decided: tell the holder; where another proof is asked for, it is awaited. Nothing ends here."""
    application = subjects.application_by_subject(matter.subject) if matter.subject else None
    if application is not None:
        use = attestations.use_about(matter)
        tie = use.tie if use is not None else ""
        if matter.outcome == ReviewOutcome.ANOTHER_PROOF:
            attesting = applications.frozen_policy(application).attesting
            if attesting is not None:
                evidence = about(attesting, matter.attestation, tie)
                found = Answer("failed", "attestation_revoked", evidence, blames=False)
                answer(application.subject, found, now, anew=True)
            _tell(application, "attestation_another_proof", matter.attestation, matter, now)
        elif tie:
            _tell(application, "attestation_decided", matter.attestation, matter, now)
    if matter.outcome != ReviewOutcome.ANOTHER_PROOF:
        disputing.close_matter(matter=matter, why=matter.outcome, now=now)
    disputing.mark_applied(matter=matter, now=now)


@each_of(attestations.matters_that_await_proof)
def close_proved_matters(matter: AttestationReview, now: dt.datetime) -> bool:
    """Close a matter whose application is proved otherwise, or is gone. Returns whether it was closed."""
    application = subjects.application_by_subject(matter.subject)
    if application is None or isinstance(decisions.assessment_of(application, now), Grantable):
        disputing.close_matter(matter=matter, why="proved" if application else "gone", now=now)
        return True
    return False


# -- suspended because it had expired --------------------------------------------------------------------------------


@each_of(lambda: entries.suspended())
def restore_what_is_attested_anew(registration: Registration, now: dt.datetime) -> bool:
    """Registrations that officers suspended because evidence had expired, whose association has said it again since."""
    taken, last = ending.suspension_of(registration), subjects.last_granted_for(registration)
    if taken is None or last is None or not attestations.attested_anew(last.subject, taken.at, now):
        return False
    return ending.restore_renewed(registration=registration, now=now)


# -- what the workflow asks for ----------------------------------------------------------------------------------------


def _request(
    rule: CheckRule, application: Application, endpoints: list[Endpoint], policy: Policy
) -> Iterable[CheckRequest]:
    if policy.attesting is not None and is_worth_asking(application, policy.attesting):
        yield CheckRequest(kind=rule.kind, target="", title=title_of(rule), reason=rule.reason, required=rule.required)


def names_the_applicant(application: Application, check: Check, policy: Policy, now: dt.datetime) -> Answer | None:
    """What an association has said, under the very address that the applicant signs in with, of the company that the
    list has for the number: of this name, and more than a supporting word."""
    number = application.number_for(check.facts.get("roster", "")) or ""
    listed = checks.look_up(check.facts.get("roster", ""), number)
    if policy.attesting is None or application.mandate_id is not None or listed is None or not listed.name:
        return None
    mail = attestations.index_of(Identifier("email", application.applicant.email))
    for each in policy.attesting.asked_for(application.service):
        for attestation in attestations.candidates(association=each.key, indexes=[mail]):
            named = is_same_name(listed.name, attestation.name) and is_of_the_list(check)
            is_live = attestation.state(attestations.day_of(now)) is AttestationState.LIVE
            if named and is_live and ties(application, policy, each.key, attestation.claim):
                both: Both = {"en": each.title.en, "ur": each.title.ur}
                evidence: Evidence = {"association": both, "attestation": attestation.number}
                return Answer("passed", NAMED, evidence)
    return None


def _ends_soon(use: AttestationUse, day: dt.datetime) -> Due | None:
    """What an association said ends: the registration stands, and its renewal will rest on something else."""
    attesting = applications.policy_in_force().attesting
    application = subjects.application_by_subject(use.subject)
    if application is None or attesting is None:
        return None
    registration = application.registration or entries.registration_from(application.subject)
    if registration is None or entries.standing(registration, day) is not Standing.VALID:
        return None
    last = subjects.last_granted_for(registration)
    if last is None or last.pk != application.pk:
        return None  # it rests on a later application, maybe on another attestation
    association = attesting.association(use.attestation.association)
    return Due(
        about=application.subject,
        key=f":{use.attestation.number}:{use.attestation.valid_until:%Y-%m-%d}",
        people=people.people_to_notify(application.holder_ref),
        context={
            "registration": registration.reference,
            "valid_until": registration.valid_until,
            "association": association.title if association else use.attestation.association,
            "until": use.attestation.valid_until,
            "url": reverse("attest:theirs", args=[use.attestation.number]),
        },
    )


erase_about = requests.erase_about
REQUESTS = {KIND: _request}
REMINDER = Reminder("attestation", "attestation_ends_soon", attestations.uses_ending_between, _ends_soon)
STEPS = {
    Place.DELIVERY: (Step("attest -> checks: members attested", look_at_requests),),
    Place.CHECKS: (Step("attest -> checks: what is over", together(close_uses, drop_what_is_over)),),
    Place.BEFORE_DECISIONS: (
        Step("attest -> checks: what is shown", together(count_what_is_shown, forget_what_is_not_shown)),
    ),
    Place.REGISTERED: (
        Step("attest: what was revoked", follow_revocations),
        Step("attest: what officers decided", together(apply_outcomes, close_proved_matters)),
        Step("attest: what is attested anew", restore_what_is_attested_anew, rests=A_MINUTE),
        Step("attest: delete old lists", lists.delete_old_lists, rests=AN_HOUR),
    ),
}
