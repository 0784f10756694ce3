"""What an officer asks or announces, and the applicant's answer; and the page of a refusal."""

import datetime as dt
from contextlib import suppress
from dataclasses import dataclass, replace

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from rahdari.appeal import queries as appeals
from rahdari.applicant.answers import Answer, may_take_more_time
from rahdari.applicant.late_evidence import options_of
from rahdari.applicant.proofs import proofs_of
from rahdari.applicant.refusals import why
from rahdari.applicant.titles import words
from rahdari.apply import access, drafts, late_evidence, reapplication
from rahdari.apply import queries as apply
from rahdari.apply.form_errors import megabytes, too_many_drafts
from rahdari.apply.models import Application, Document
from rahdari.apply.sent_files import Refused, accepted, take_in
from rahdari.checks import contacts
from rahdari.checks import queries as checks
from rahdari.decide import (
    case_clock,
    hearings,
    queries,
    questions,
    refusals,
    remedies,
    reviewing,
    revocation,
    serving,
    transitions,
)
from rahdari.decide import due as decide_due
from rahdari.decide.models import Case, CaseQuestion, Notice
from rahdari.decide.rules import Status
from rahdari.decide.words import why_held
from rahdari.people.access import person
from rahdari.people.acting import Acting
from rahdari.people.rules import Act

from . import shared
from .prove import where_to_prove

# From this share of a time to answer on, the clock turns to its warning colour.
NEAR = 0.8


@dataclass(frozen=True)
class Answering:
    """An answer in the making: its form, the papers that go with it, and the files that could not be kept."""

    form: Form
    papers: list[Document]
    refused: list[Refused]
    accept: str
    megabytes: str
    # Where the address, or the work, is proved by another way; empty when nothing of it is awaited.
    other_proof: str

    @property
    def refused_words(self) -> str:
        return ngettext("%(count)s file could not be used", "%(count)s files could not be used", len(self.refused)) % {
            "count": len(self.refused)
        }


def other_proof(application: Application) -> str:
    """The ways of proving of what did not pass or still waits: of the first such address, or of the work."""
    if application.status != "submitted":
        return ""
    known = proofs_of(application)
    if any(not each.is_proved for each in known):
        return where_to_prove(application, known)
    return reverse("portal:proof", args=[application.reference]) if options_of(application, timezone.now()) else ""


def _answering(
    request: HttpRequest, application: Application, by: Acting, asked: CaseQuestion | Notice
) -> tuple[Answering, str]:
    """The answer as it is typed, and what is to be done with it: "" (show it), "again" (kept, show it anew), "send".

    Whatever is pressed, files and words are kept: nothing that was typed is lost.
    """
    policy, now = case_clock.policy_of(application), timezone.now()
    act, refused = "", []
    data: dict[str, str] = {"answer": asked.draft}
    pressed = request.method == "POST" and "more_time" not in request.POST
    if pressed:
        data = {"answer": request.POST.get("answer", asked.draft)}
        refused = take_in_papers(request, application, by, asked.subject)
        if given := request.POST.get("remove"):
            remove_paper(application, asked.subject, given, by.actor)
        act = "again" if {"remove", "add", "draft"} & set(request.POST) else "send"
    papers = list(apply.documents_of_answer(application, asked.subject))
    bound = data if act == "send" and not refused else None
    form = Answer(bound, initial=data, longest=policy.limits.answer_characters, papers=bool(papers))
    if pressed and (act == "again" or refused or not form.is_valid()):
        text = data["answer"][: policy.limits.answer_characters * 2]
        with suppress(transitions.AlreadyAnswered, transitions.NotPossibleNow):
            questions.save_answer_draft(asked=asked, text=text, actor=by.actor, now=now)
        if refused or not form.is_valid():
            act = "" if act == "send" or refused else act
    answering = Answering(
        form, papers, refused, accepted(policy), megabytes(policy.limits.document_bytes), other_proof(application)
    )
    return answering, act


def take_in_papers(request: HttpRequest, application: Application, by: Acting, asked: str) -> list[Refused]:
    """Keep the files that were sent along, for what was `asked`. Returns those that could not be kept."""

    def keep(name: str, content: bytes) -> None:
        sent = late_evidence.File(name, content)
        late_evidence.attach_to_answer(
            application=application, asked=asked, sent=sent, actor=by.actor, now=timezone.now()
        )

    policy = case_clock.policy_of(application)
    return take_in(request, policy, keep)[1]


def remove_paper(application: Application, asked: str, given: str, actor: str) -> None:
    found = next((each for each in apply.documents_of_answer(application, asked) if str(each.pk) == given), None)
    if found is not None:
        late_evidence.remove_from_answer(document=found, actor=actor, now=timezone.now())


def _kept(request: HttpRequest) -> HttpResponse:
    if "draft" in request.POST:
        messages.success(request, _("Your draft is kept. Nothing was sent yet."))
    return redirect(request.path)


def _clock(*, start: dt.datetime, due: dt.datetime, now: dt.datetime) -> dict[str, object]:
    """A time to answer, as the clock on the page shows it."""
    share = (now - start) / (due - start) if due > start else 1.0
    tone = "late" if share >= 1 else "near" if share >= NEAR else ""
    return {"due_at": due, "left": due - now, "used": share, "tone": tone, "is_late": share >= 1}


def _case(application: Application) -> Case:
    case = queries.case_of(application)
    if case is None:
        raise Http404
    return case


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def question(request: HttpRequest, reference: str) -> HttpResponse:
    application, by = shared.application(request, reference)
    case = _case(application)
    asked = queries.open_question(case)
    if asked is None:
        return redirect("portal:status", reference=reference)
    policy, now = case_clock.policy_of(application), timezone.now()
    if request.method == "POST" and "more_time" in request.POST:
        try:
            questions.extend_question(question=asked, actor=by.actor, now=now)
            messages.success(request, _("You have more time now. The new last day is shown below."))
        except (questions.NoMoreTime, transitions.NotPossibleNow):
            messages.info(request, why(questions.NoMoreTime))
        return redirect("portal:question", reference=reference)
    answering, act = _answering(request, application, by, asked)
    if act == "again":
        return _kept(request)
    if act == "send":
        form = answering.form
        try:
            questions.answer_question(question=asked, answer=form.cleaned_data["answer"], actor=by.actor, now=now)
        except transitions.AlreadyAnswered:
            messages.info(request, why(transitions.AlreadyAnswered))
        except (questions.TooLateToReopen, transitions.NotPossibleNow):
            messages.warning(request, why(transitions.NotPossibleNow))
        else:
            messages.success(request, _("Your answer has arrived. The officer continues with the case."))
        return redirect("portal:status", reference=reference)
    due = case_clock.question_due_at(asked)
    context = {
        "application": application,
        "answering": answering,
        "question": asked,
        "code_text": words(policy.reasons[asked.code].text) if asked.code in policy.reasons else "",
        **_clock(start=asked.asked_at, due=due, now=now),
        "clock": case_clock.clock_of(case, now),
        "came_back": serving.came_back(asked),
        "may_extend": may_take_more_time(asked, policy),
        "extension": policy.clocks["question"],
    }
    return render(request, "portal/applicant/question.html", context)


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def notice(request: HttpRequest, reference: str) -> HttpResponse:
    application, by = shared.application(request, reference)
    case = _case(application)
    told = queries.open_notice(case)
    if told is None:
        return redirect("portal:application", reference=reference)
    policy, now = case_clock.policy_of(application), timezone.now()
    if "hear" in request.POST:
        try:
            hearings.ask_for_hearing(notice=told, actor=by.actor, now=now)
            messages.success(request, _("You are heard before anything is decided. A letter tells you day and place."))
        except (hearings.NoHearing, hearings.NotOffered) as error:
            messages.warning(request, why(type(error)))
        except transitions.NotPossibleNow:
            messages.warning(request, _("Nothing is proposed any more about which you could be heard."))
        return redirect(request.path)
    answering, act = _answering(request, application, by, told)
    if act == "again":
        return _kept(request)
    if act == "send":
        form = answering.form
        try:
            refusals.answer_notice(notice=told, answer=form.cleaned_data["answer"], actor=by.actor, now=now)
        except transitions.AlreadyAnswered:
            messages.info(request, why(transitions.AlreadyAnswered))
        except transitions.NotPossibleNow:
            messages.warning(request, _("The time to answer has ended. A second officer decides on what is on file."))
        else:
            messages.success(
                request, _("Your answer has arrived. A second officer reads it before anything is decided.")
            )
        return redirect("portal:status", reference=reference)
    due = case_clock.notice_due_at(told)
    context = {
        "application": application,
        "answering": answering,
        "notice": told,
        "reasons": [remedies.reason_with_law(policy, code) for code in told.codes],
        **_clock(start=told.sent_at, due=due, now=now),
        "may_answer": told.may_answer,
        "came_back": serving.came_back(told),
        "papers": answering.papers,
        "shown_papers": apply.documents_of_answer(application, told.shown_subject)
        if told.decide_by is not None
        else (),
        "alone": _alone(case, told),
        "may_be_heard": hearings.is_offered(told),
        "may_ask_hearing": hearings.may_ask(told),
        "hearing": told.hearing,
        "hearings": hearings.hearings_of(told),
        **_about_revocation(case, told),
    }
    return render(request, "portal/applicant/notice.html", context)


def _alone(case: Case, told: Notice) -> reviewing.Alone | None:
    """Where nobody else in the office may decide it: who does."""
    told.case = case
    return reviewing.alone_with(told)


def _about_revocation(case: Case, told: Notice) -> dict[str, object]:
    """Where a registration is to be taken back: until when that is decided, and what is suspended before."""
    if case.status != Status.DECIDED:
        return {}
    told.case = case
    return {
        "revocation": True,
        "decide_by": case_clock.decided_until(told),
        "first_hours": revocation.hours_before_hearing(case_clock.policy_of(case.application)),
        "taken_first": revocation.last_before_hearing(case),
    }


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def apply_anew(request: HttpRequest, reference: str) -> HttpResponse:
    """A new application that begins with what the refused one said."""
    application, by = shared.application(request, reference, Act.APPLY)
    if request.method != "POST":
        return redirect("portal:refusal", reference=reference)
    if queries.refusal_of(application) is None:
        return redirect("portal:application", reference=reference)
    try:
        draft = reapplication.apply_anew(
            refused=application,
            applicant=person(request),
            actor=by.actor,
            now=timezone.now(),
            mandate=by.mandate,
        )
    except drafts.ServiceNotOpen:
        messages.warning(request, _("This service is closed now. Apply again when it is open."))
    except drafts.TooManyDrafts as error:
        messages.error(request, too_many_drafts(error.limit))
    else:
        return redirect("portal:tasks", reference=draft.reference)
    return redirect("portal:refusal", reference=reference)


@login_required
@never_cache
@require_safe
def refusal(request: HttpRequest, reference: str) -> HttpResponse:
    application = shared.application(request, reference).row
    refused = queries.refusal_of(application)
    if refused is None:
        return redirect("portal:application", reference=reference)
    now = timezone.now()
    made = queries.counting(application, list(checks.checks_of(application.subject)), now)
    made = list(filter(contacts.is_told, made))
    refused.decision.case.application = application
    until = appeals.appeal_until(refused.decision)
    refused = replace(refused, appeal_until=until or refused.appeal_until)
    context = {
        "application": application,
        "refusal": refused,
        "has_not_arrived": until is None,
        "is_by_reviewer": refused.decision.decided_by.startswith("reviewer:"),
        "contact": case_clock.policy_of(application).contact,
        "passed": sum(check.outcome == "passed" for check in made),
        "made": len(made),
        **_clock(start=refused.at, due=refused.appeal_until, now=now),
        "endpoints": apply.endpoints_of(application),
        "readable_until": decide_due.readable_until(application),
        "held": why_held(application, now),
        "may_apply": access.may(person(request), Act.APPLY, application=application),
        "appeals": appeals.appeals_of(application),
        "hearings": hearings.hearings_of(refused.decision.notice) if refused.decision.notice else (),
    }
    return render(request, "portal/applicant/refusal.html", context)
