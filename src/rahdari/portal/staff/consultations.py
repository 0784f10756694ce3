"""The officer's pages of draft rules: publish a version, answer comments, hold a hearing, adopt or withdraw.

Officers see of a comment what everybody sees. No page shows an address of email.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from rahdari import policy
from rahdari.consult import actions, answering, claiming, document, grouping, moderating, queries
from rahdari.consult.models import Comment, Draft, Hearing, Version
from rahdari.consult.rules import Hidden, Outcome, Stop
from rahdari.people import seconding
from rahdari.people.access import actor_of, officer_required, person
from rahdari.people.models import Role
from rahdari.web.posting import View, posted_from

from ..public import consultation_words as words
from ..public.consultations import found_draft, row_of, rules_changed
from .consultation_forms import (
    AnswerForm,
    CallOffForm,
    HearingForm,
    HideForm,
    MinutesForm,
    NumberForm,
    OfHearing,
    PublishForm,
    WithdrawForm,
    both_of,
)


def _actor(request: HttpRequest) -> str:
    return actor_of(person(request), Role.OFFICER)


STOPS = {
    Stop.ENDED: lambda: _("This draft has ended."),
    Stop.STILL_OPEN: lambda: _("The time for comment is not over."),
    Stop.UNANSWERED: lambda: _("Not every comment is answered."),
    Stop.APPEALED: lambda: _("Somebody disputes that a comment is hidden: a second officer looks at that first."),
    Stop.HIDDEN_LATELY: lambda: _("A comment was hidden in the last days: its author has time to dispute that first."),
    Stop.HEARING_TO_COME: lambda: _(
        "A hearing is announced and was not held yet. If it is not to be held, call it off."
    ),
    Stop.NOT_PROPOSED: lambda: _("Nobody has proposed to adopt it."),
}


def _posted(view: View) -> View:
    """An act of an officer, whose form is on the draft's page."""
    return never_cache(officer_required(posted_from("portal:desk_draft", "reference")(view)))


@never_cache
@officer_required
@require_http_methods(["GET", "HEAD", "POST"])
def drafts(request: HttpRequest) -> HttpResponse:
    """All drafts, and the form that opens a new one."""
    now = timezone.now()
    form = PublishForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid() and (published := _publish(request, form, after=0)):
        return redirect("portal:desk_draft", reference=published.reference)
    found = list(queries.drafts())
    latest = queries.latest_versions(found)
    rows = [row_of(each, latest[each.pk], now) | _waiting(each) for each in found]
    context = {"rows": rows, "form": form}
    return render(request, "portal/consult/desk_drafts.html", context, status=422 if form.errors else 200)


def _waiting(draft: Draft) -> dict[str, int]:
    """How many comments are to be answered, and how many names to be decided about."""
    return {"to_answer": queries.waiting(draft), "names": queries.names_to_decide(draft).count()}


def _publish(request: HttpRequest, form: PublishForm, *, after: int) -> Draft | None:
    """None where the form says what is wrong with the files."""
    given = form.cleaned_data
    try:
        version = actions.publish(
            text=given["draft"], policy_text=given["policy"], after=after, actor=_actor(request), now=timezone.now()
        )
    except document.DraftError as error:
        form.add_error("draft", error.problems)
    except policy.PolicyError as error:
        form.add_error("policy", [str(problem) for problem in error.problems[:10]])
    except actions.Overtaken as error:
        if error.latest:
            said = _("Version %(number)s was published meanwhile. Read it before you publish another one.")
            form.add_error("draft", said % {"number": error.latest})
        else:
            form.add_error("draft", _("This is no version of this draft: its key is another one."))
    except actions.NothingChanged as error:
        form.add_error("draft", _("It says what version %(number)s says, word for word.") % {"number": error.number})
    except actions.NotNow as error:
        form.add_error("draft", STOPS[error.why]())
    else:
        messages.success(request, _("Version %(number)s is published.") % {"number": version.number})
        return version.draft
    return None


@never_cache
@officer_required
@require_safe
def draft(request: HttpRequest, reference: str) -> HttpResponse:
    return _page(request, found_draft(reference))


def _one_of_each(found: Iterable[Comment]) -> list[Comment]:
    """An answer to one of a group answers all of it that waits."""
    return list({each.like_id or each.pk: each for each in reversed(list(found))}.values())[::-1]


def _clauses(version: Version | None) -> list[tuple[str, str]]:
    """What an answer can say is different now: the clauses of the latest version that differ from an earlier one."""
    if version is None:
        return []
    earlier = version.draft.versions.filter(number__lt=version.number)
    differing = {id for each in earlier for id in version.document.differing(each.document)}
    return [(each.id, each.id) for each in version.document.clauses if each.id in differing]


def _form_of(hearing: Hearing, sent: OfHearing | None, now: dt.datetime) -> OfHearing | None:
    """What can be said of it now: that it is called off, and what was said at it. `sent` has something wrong in it."""
    if sent is not None and sent.hearing == hearing:
        return sent
    if hearing.called_off_at is not None or hearing.minutes is not None:
        return None
    return (CallOffForm if now < hearing.held_at else MinutesForm)(hearing=hearing)


def _is_mine(request: HttpRequest, actor: str, now: dt.datetime) -> bool:
    """Whether this officer did what another one is to judge."""
    return seconding.why_not(_actor(request), [actor], now) == seconding.WhyNot.SAME


def _page(
    request: HttpRequest,
    found: Draft,
    status: int = 200,
    to_hide: Comment | None = None,
    signed: Comment | None = None,
    **forms: Any,
) -> HttpResponse:
    now = timezone.now()
    version = queries.version_of(found)
    if version is None:
        raise Http404
    stop = actions.why_not(found, now)
    is_own = _is_mine(request, found.proposed_by, now)
    context = row_of(found, version, now) | {
        **rules_changed(version),
        "to_answer": queries.with_counts(
            queries.with_taken_back(found, _one_of_each(queries.to_answer(found)[:100])), alike=True
        ),
        "has_groups": queries.has_groups(found),
        "take_out": NumberForm(),
        "names": list(queries.names_to_decide(found)[:100]),
        "unanswered": queries.unanswered(found).count(),
        "to_review": [
            (
                each,
                words.hidden(each.hidden),
                _is_mine(request, each.hidden_by, now),
                queries.decided_by(each.appealed_at),
            )
            for each in queries.to_review(found)
            if each.appealed_at
        ],
        "hide": HideForm(has_ended=bool(found.ending)),
        "to_hide": to_hide,
        "signed": signed if signed != to_hide else None,
        "hearings": [(each, _form_of(each, forms.get("of_hearing"), now)) for each in found.hearings.all()],
        "stop": STOPS[stop]() if stop is not None else "",
        "may_propose": stop is None and not found.proposed_by,
        "may_adopt": stop is None and bool(found.proposed_by) and not is_own,
        "is_own": stop is None and is_own,
        "now": now,
        "publish": PublishForm(),
        "answer": AnswerForm(clauses=_clauses(version)),
        "hearing": HearingForm(now=now),
        "withdraw": WithdrawForm(),
    }
    context |= forms
    wrong = next((form for form in forms.values() if form.errors), None)
    return render(request, "portal/consult/desk_draft.html", context | {"wrong": wrong}, status=status)


@_posted
def publish_version(request: HttpRequest, reference: str) -> HttpResponse:
    found = found_draft(reference)
    form = PublishForm(request.POST, request.FILES)
    after = request.POST.get("after", "")
    if form.is_valid() and _publish(request, form, after=int(after) if after.isdecimal() else 0):
        return redirect("portal:desk_draft", reference=reference)
    return _page(request, found, 422, publish=form)


def _act(
    request: HttpRequest,
    found: Draft,
    act: Callable[..., object],
    done: str,
    *,
    refused: Mapping[Any, str] | None = None,
    **given: Any,
) -> HttpResponse:
    """Act as this officer, say what came of it, and go back to the draft's page. `refused` has what is said of an error
    of the act; `NotNow` and `NotSecond` say it by their reason, and any other error goes on."""
    said = refused or {}
    try:
        act(**given, actor=_actor(request), now=timezone.now())
    except tuple(said) as error:
        messages.error(request, said[type(error)])
    except actions.NotNow as error:
        messages.error(request, STOPS[error.why]())
    except seconding.NotSecond as error:
        messages.error(request, seconding.says(error.why))
    else:
        messages.success(request, done)
    return redirect("portal:desk_draft", reference=found.reference)


@_posted
def answer_comments(request: HttpRequest, reference: str) -> HttpResponse:
    found = found_draft(reference)
    form = AnswerForm(request.POST, clauses=_clauses(queries.version_of(found)))
    numbers = [int(each) for each in request.POST.getlist("comment") if each.isdecimal()]
    if not numbers:
        form.add_error(None, _("Tick the comments that you answer."))
    if not form.is_valid():
        return _page(request, found, 422, answer=form)
    given = form.cleaned_data
    try:
        return _act(
            request,
            found,
            answering.answer,
            _("The answer is published, and the authors of the comments are told."),
            refused={answering.NothingToAnswer: _("These comments are hidden, or are not there.")},
            draft=found,
            numbers=numbers,
            point=both_of(given, "point"),
            outcome=Outcome(given["outcome"]),
            text=both_of(given, "text"),
            clause=given.get("clause", ""),
        )
    except answering.NoSuchClause:
        said = _("Choose a passage whose words differ from the version that each ticked comment was written on.")
        form.add_error("clause", said)
        return _page(request, found, 422, answer=form)


@_posted
def hide_comment(request: HttpRequest, reference: str) -> HttpResponse:
    found = found_draft(reference)
    form = HideForm(request.POST, has_ended=bool(found.ending))
    comment = _named_in(form, found)
    # Whoever signs one is hidden with it, whichever number is named.
    signed, comment = comment, (comment.said_in if comment is not None else None)
    if comment is None:
        return _page(request, found, 422, hide=form)
    if form.cleaned_data["sure"] != comment.number and not comment.is_hidden:
        return _page(request, found, hide=form, to_hide=comment, signed=signed)
    done = _("The comment is hidden. Its author is told, and may dispute it.")
    if found.ending:
        done = _("The comment is hidden. Nobody is told: of a draft that has ended no address is kept.")
    refused = {moderating.NotPossible: _("It is hidden already, or a second officer had it shown again.")}
    why = Hidden(form.cleaned_data["why"])
    return _act(request, found, moderating.hide, done, refused=refused, comment=comment, why=why)


@_posted
def take_out_comment(request: HttpRequest, reference: str) -> HttpResponse:
    """It says something else than the others of its group."""
    found, form = found_draft(reference), NumberForm(request.POST)
    comment = _named_in(form, found)
    if comment is None:
        return _page(request, found, 422, take_out=form)
    refused = {grouping.NotInAGroup: _("It is in no group, or heads one. Take out those that say something else.")}
    done = _("It was taken out, with those that are like it.")
    return _act(request, found, grouping.take_out, done, refused=refused, comment=comment)


def _named_in(form: NumberForm, found: Draft) -> Comment | None:
    """None where the form says what is wrong with the number."""
    if not form.is_valid():
        return None
    comment = queries.comment(found, form.cleaned_data["number"])
    if comment is None:
        form.add_error("number", _("There is no such comment."))
    return comment


def _one_of(found: QuerySet[Comment], number: str) -> Comment:
    """The one of this number. Raises Http404 where there is none."""
    comment = found.filter(number=int(number) if number.isdecimal() and len(number) < 10 else 0).first()
    if comment is None:
        raise Http404
    return comment


@_posted
def decide_name(request: HttpRequest, reference: str) -> HttpResponse:
    """Somebody says that the name of a comment is theirs: it is erased, or shown again."""
    found = found_draft(reference)
    comment = _one_of(queries.names_to_decide(found), request.POST.get("number", ""))
    refused = {moderating.NotPossible: _("Another officer has decided this a moment ago.")}
    erase = "erase" in request.POST
    done = _("It is decided, and the author is told.") if comment.can_be_told else _("It is decided.")
    return _act(request, found, claiming.decide, done, refused=refused, comment=comment, erase=erase)


@_posted
def review_comment(request: HttpRequest, reference: str) -> HttpResponse:
    """Another officer decides about a comment whose author disputes that it is hidden."""
    found, number = found_draft(reference), request.POST.get("number", "")
    comment = _one_of(queries.to_review(found), number)
    done = _("It is decided, and the author is told.")
    refused = {
        moderating.NotPossible: _("Another officer has decided this a moment ago."),
    }
    return _act(request, found, moderating.review, done, refused=refused, comment=comment, show="show" in request.POST)


@_posted
def announce_hearing(request: HttpRequest, reference: str) -> HttpResponse:
    found, form = found_draft(reference), HearingForm(request.POST, now=timezone.now())
    if not form.is_valid():
        return _page(request, found, 422, hearing=form)
    place, done = both_of(form.cleaned_data, "place"), _("The hearing is announced.")
    return _act(request, found, actions.announce_hearing, done, draft=found, held_at=form.held_at, place=place)


def _named_hearing(request: HttpRequest, found: Draft) -> Hearing:
    """The one whose form was sent. Raises Http404 where there is none."""
    named = [each for each in found.hearings.all() if str(each.pk) == request.POST.get("hearing")]
    if not named:
        raise Http404
    return named[0]


@_posted
def call_off_hearing(request: HttpRequest, reference: str) -> HttpResponse:
    found = found_draft(reference)
    hearing = _named_hearing(request, found)
    form = CallOffForm(request.POST, hearing=hearing)
    if not form.is_valid():
        return _page(request, found, 422, of_hearing=form)
    why, done = both_of(form.cleaned_data, "why"), _("The hearing is called off, and everybody reads why.")
    refused = {
        actions.CalledOff: _("It was called off before, and the reason that was published stays."),
        actions.HearingBegan: _("The time of the hearing has come: it cannot be called off any more."),
    }
    return _act(request, found, actions.call_off_hearing, done, refused=refused, hearing=hearing, why=why)


@_posted
def add_minutes(request: HttpRequest, reference: str) -> HttpResponse:
    found = found_draft(reference)
    hearing = _named_hearing(request, found)
    form = MinutesForm(request.POST, hearing=hearing)
    if not form.is_valid():
        return _page(request, found, 422, of_hearing=form)
    minutes, done = both_of(form.cleaned_data, "minutes"), _("The minutes are published.")
    refused = {
        actions.NotNow: _("There are minutes already, or the hearing was not held yet."),
        actions.CalledOff: _("This hearing was called off: it has no minutes."),
    }
    return _act(request, found, actions.add_minutes, done, refused=refused, hearing=hearing, minutes=minutes)


@_posted
def adopt(request: HttpRequest, reference: str) -> HttpResponse:
    """The first officer proposes, the second one agrees."""
    found = found_draft(reference)
    if "adopt" in request.POST:
        return _act(request, found, actions.adopt, _("The draft is adopted."), draft=found)
    return _act(request, found, actions.propose, _("A second officer has to agree now."), draft=found)


@_posted
def withdraw(request: HttpRequest, reference: str) -> HttpResponse:
    found, form = found_draft(reference), WithdrawForm(request.POST)
    if not form.is_valid():
        return _page(request, found, 422, withdraw=form)
    why, done = both_of(form.cleaned_data, "why"), _("The draft is withdrawn, and all who commented are told.")
    return _act(request, found, actions.withdraw, done, draft=found, why=why)
