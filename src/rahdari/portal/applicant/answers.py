"""What an officer asks or announces, and the applicant's answer; and the page of a refusal."""

import datetime as dt

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from rahdari.apply import queries as apply
from rahdari.apply.models import Application
from rahdari.decide import actions, queries
from rahdari.decide.models import Case
from rahdari.people.access import actor_of, person
from rahdari.verify import queries as checks

from . import shared

# From this share of a time to answer on, the clock turns to its warning colour.
NEAR = 0.8


class Answer(forms.Form):
    """Free text, bounded by the policy."""

    answer = forms.CharField(
        label=gettext_lazy("Your answer"),
        help_text=gettext_lazy("One or two sentences are enough."),
        widget=forms.Textarea(attrs={"rows": 5, "dir": "auto"}),
        error_messages={"required": gettext_lazy("Write an answer")},
    )

    def __init__(self, *args: object, longest: int, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.longest = longest

    def clean_answer(self) -> str:
        answer: str = self.cleaned_data["answer"].strip()
        if len(answer) > self.longest:
            raise forms.ValidationError(
                _("Shorten the answer to %(limit)s characters. It has %(count)s.")
                % {"limit": self.longest, "count": len(answer)}
            )
        return answer


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
    application = shared.application(request, reference)
    case = _case(application)
    asked = queries.open_question(case)
    if asked is None:
        return redirect("portal:status", reference=reference)
    policy, now, actor = queries.policy_of(application), timezone.now(), actor_of(person(request))
    form = Answer(request.POST if "answer" in request.POST else None, longest=policy.limits.answer_characters)
    if request.method == "POST" and "more_time" in request.POST:
        try:
            actions.extend_question(question=asked, actor=actor, now=now)
            messages.success(request, _("You have more time now. The new last day is shown below."))
        except (actions.NoMoreTime, actions.NotPossibleNow):
            messages.info(request, _("More time was given already."))
        return redirect("portal:question", reference=reference)
    if request.method == "POST" and form.is_valid():
        try:
            actions.answer_question(question=asked, answer=form.cleaned_data["answer"], actor=actor, now=now)
        except actions.AlreadyAnswered:
            messages.info(request, _("Your first answer has arrived already, and it counts."))
        except (actions.TooLateToReopen, actions.NotPossibleNow):
            messages.warning(request, _("It is too late for this answer. Apply again: it costs nothing."))
        else:
            messages.success(request, _("Your answer has arrived. The officer goes on with it."))
        return redirect("portal:status", reference=reference)
    due = queries.question_due_at(asked)
    context = {
        "application": application,
        "form": form,
        "question": asked,
        "code_text": shared.words(policy.reasons[asked.code].text) if asked.code in policy.reasons else "",
        **_clock(start=asked.asked_at, due=due, now=now),
        "clock": queries.clock_of(case, now),
        "may_extend": asked.extended < policy.extensions_of_a_question and asked.lapsed_at is None,
        "extension": policy.clocks["question"],
    }
    return render(request, "portal/applicant/question.html", context)


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def notice(request: HttpRequest, reference: str) -> HttpResponse:
    application = shared.application(request, reference)
    case = _case(application)
    told = queries.open_notice(case)
    if told is None:
        return redirect("portal:application", reference=reference)
    policy, now = queries.policy_of(application), timezone.now()
    form = Answer(request.POST or None, longest=policy.limits.answer_characters)
    if request.method == "POST" and form.is_valid():
        try:
            actions.answer_notice(
                notice=told, answer=form.cleaned_data["answer"], actor=actor_of(person(request)), now=now
            )
        except actions.AlreadyAnswered:
            messages.info(request, _("Your first answer has arrived already, and it counts."))
        except actions.NotPossibleNow:
            messages.warning(request, _("The time to answer is over. A second officer looks at what is on file."))
        else:
            messages.success(
                request, _("Your answer has arrived. A second officer reads it before anything is decided.")
            )
        return redirect("portal:status", reference=reference)
    due = queries.notice_due_at(told)
    context = {
        "application": application,
        "form": form,
        "notice": told,
        "reasons": [queries.reason_with_law(policy, code) for code in told.codes],
        **_clock(start=told.sent_at, due=due, now=now),
        "may_answer": told.answered_at is None and told.ran_out_at is None,
    }
    return render(request, "portal/applicant/notice.html", context)


@login_required
@never_cache
@require_safe
def refusal(request: HttpRequest, reference: str) -> HttpResponse:
    application = shared.application(request, reference)
    refused = queries.refusal_of(application)
    if refused is None:
        return redirect("portal:application", reference=reference)
    now = timezone.now()
    made = [check for check in checks.checks_of(application.subject) if check.required or check.outcome == "passed"]
    context = {
        "application": application,
        "refusal": refused,
        "passed": sum(check.outcome == "passed" for check in made),
        "made": len(made),
        **_clock(start=refused.at, due=refused.appeal_until, now=now),
        "endpoints": apply.endpoints_of(application),
    }
    return render(request, "portal/applicant/refusal.html", context)
