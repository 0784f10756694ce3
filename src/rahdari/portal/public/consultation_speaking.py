"""The pages by which somebody says something about a draft: the form, and the code that goes to the email address.

Whatever is wrong, nothing that was typed is lost. Mail goes out only as often as the limits say: of each household, to
each address, and of all together.
"""

import datetime as dt
import math
import uuid
from collections.abc import Mapping
from enum import StrEnum

from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from rahdari.consult import bodies, claiming, moderating, queries, speaking, telling
from rahdari.consult.models import Body, Comment, Draft
from rahdari.web import limits, visitor
from rahdari.web.values import plain_ltr

from . import consultation_effort
from . import consultation_words as words
from .consultation_forms import ClaimForm, CodeForm, SayForm
from .consultations import found_draft, language, row_of

# Comments an hour of one household, of all that are next to each other in the network; and of all, whose browsers did
# work for it, or did none. Of claims to a name far fewer: an officer looks at each.
OF_HOUSEHOLD, OF_NEIGHBOURHOOD, PER_SECONDS = 10, 60, 3600
OF_ALL = {True: 20_000, False: 1_000}
OF_ALL_CLAIMS = {True: 500, False: 50}


class _From(StrEnum):
    """From where too many come."""

    HERE = "here"
    EVERYWHERE = "everywhere"


def _too_many(request: HttpRequest, what: str = "say", of_all: Mapping[bool, int] = OF_ALL) -> _From | None:
    asked = [(visitor.household(request), OF_HOUSEHOLD), (visitor.neighbourhood(request), OF_NEIGHBOURHOOD)]
    if not all(limits.allow(f"consult.{what}:{where}", rate=rate, per=PER_SECONDS) for where, rate in asked):
        return _From.HERE
    worked = consultation_effort.is_done(request.POST.get("effort", ""))
    if not limits.allow(f"consult.{what}:all:{worked}", rate=of_all[worked], per=PER_SECONDS):
        return _From.EVERYWHERE
    return None


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def say(request: HttpRequest, reference: str) -> HttpResponse:
    return _say(request, found_draft(reference))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def say_for(request: HttpRequest, reference: str, body: uuid.UUID, token: str) -> HttpResponse:
    """The same for a ministry, board or association, by the link of its invitation."""
    draft, found = found_draft(reference), _by_link(body, token)
    return _secret(_ended(request, found) if found.ended_at else _say(request, draft, found))


@never_cache
@require_safe
def body(request: HttpRequest, body: uuid.UUID, token: str) -> HttpResponse:
    """What an invitation leads to: the drafts that are open."""
    found, now = _by_link(body, token), timezone.now()
    if found.ended_at:
        return _secret(_ended(request, found))
    drafts = [draft for draft in queries.drafts() if queries.is_open(draft, now)]
    latest = queries.latest_versions(drafts)
    rows = [row_of(draft, latest[draft.pk], now) for draft in drafts]
    context = {"body": found, "token": token, "rows": rows}
    return _secret(render(request, "portal/consult/body.html", context))


def _by_link(id: uuid.UUID, token: str) -> Body:
    found = bodies.body_by_link(id, token)
    if found is None:
        raise Http404
    return found


def _ended(request: HttpRequest, body: Body) -> HttpResponse:
    """Its author keeps the words here, too."""
    kept = request.POST.get("words", "")[: speaking.LONGEST]
    context = {"body": body, "mail": settings.CONTACT_EMAIL, "words_kept": kept}
    return render(request, "portal/consult/body_ended.html", context, status=410)


def _secret(answer: HttpResponse) -> HttpResponse:
    # The address of this page is the secret: it goes to no other site and into no search.
    answer.headers["Referrer-Policy"] = "same-origin"
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer


def _say(request: HttpRequest, draft: Draft, speaks_for: Body | None = None) -> HttpResponse:
    now, reference = timezone.now(), draft.reference
    if not queries.is_open(draft, now):
        return _not_open(request, draft, request.POST.get("words", ""))
    version = queries.version_of(draft)
    on = request.GET.get("on", "")
    clause = version.document.clause(on) if version is not None else None
    if version is None or (on and clause is None):
        raise Http404
    text = clause.says(language()) if clause is not None else ""
    given = request.POST.copy() if request.method == "POST" else None
    newer = given is not None and given.get("version") != str(version.number)
    if given is not None and newer:
        # Its author read another text: the words are kept, and what they are about is asked again.
        given["version"], given["passage"] = str(version.number), ""
    form = SayForm(given, text=text, version=version.number, speaks_for=speaks_for)
    status = 200
    if form.is_bound:
        status = 422
        if form.is_valid() and not newer:
            sent = _send(request, draft, form, on, speaks_for)
            if sent is not None:
                return redirect("portal:prove_comment", reference=reference, comment=sent.pk)
            status = 429 if form.has_error("email", "often") else 422
    context = row_of(draft, version, now) | {"form": form, "clause": clause, "newer": newer}
    context |= {"speaks_for": speaks_for, "clauses": version.document.clauses}
    context |= {"effort": consultation_effort.asked(now), "kept": words.kept()}
    return render(request, "portal/consult/say.html", context, status=status)


def _send(request: HttpRequest, draft: Draft, form: SayForm, on: str, speaks_for: Body | None) -> Comment | None:
    """None where the form says what is wrong."""
    given = form.cleaned_data
    if (too_many := _too_many(request)) is not None:
        sentences = {
            _From.HERE: _("Too many comments came from here. Nothing is lost: send it in an hour."),
            _From.EVERYWHERE: _(
                "More comments are coming in than we take at once. Nothing is lost: send it again in a few minutes."
            ),
        }
        form.add_error("email", _often(sentences[too_many]))
        return None
    try:
        if speaks_for is not None:
            bodies.judge(speaks_for, given["email"])
        return speaking.say(
            id=given["key"] or uuid.uuid4(),
            draft=draft,
            version=given["version"],
            language=language(),
            words=given["words"],
            clause=on,
            quoted=form.quote,
            name=given["name"],
            email=given["email"],
            place=visitor.place(request),
            body=speaks_for,
            now=timezone.now(),
        )
    except speaking.NotInTheText as error:
        form.add_error("quoted", _not_there(error.count))
    except bodies.NotAtTheDomain as error:
        said = _("Enter an address at %(domain)s: the code shows that you are there.")
        form.add_error("email", said % {"domain": plain_ltr(error.domain)})
    except speaking.TooManyCodes as error:
        form.add_error("email", _often(_too_many_codes(error.wait)))
    return None


def _often(sentence: str) -> ValidationError:
    return ValidationError(sentence, code="often")


def _too_many_codes(wait: dt.timedelta) -> str:
    minutes = math.ceil(wait / dt.timedelta(minutes=1))
    said = ngettext(
        "Too many codes went to this email address. Nothing is lost: send it again in %(count)s minute.",
        "Too many codes went to this email address. Nothing is lost: send it again in %(count)s minutes.",
        minutes,
    )
    return said % {"count": minutes}


def _not_there(count: int) -> str:
    if count:
        return _("The passage has these words more than once. Copy some more of the words around them.")
    return _("The passage does not have these words. Copy them as they are there.")


def _not_open(request: HttpRequest, draft: Draft, words: str, most: int = 0) -> HttpResponse:
    """Its author keeps the words. `most`: the address has said so much of the draft, and no more is taken from it."""
    context = {"draft": draft, "words_kept": words[: speaking.LONGEST], "most": most}
    return render(request, "portal/consult/not_open.html", context, status=409 if words else 200)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def prove(request: HttpRequest, reference: str, comment: uuid.UUID) -> HttpResponse:
    draft = found_draft(reference)
    found = queries.comment_by_id(draft, comment)
    if found is None:
        raise Http404
    if found.number is not None:
        return redirect("portal:consultation_comment", reference=reference, number=found.number)
    form = CodeForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            proved = speaking.prove(comment=found, code=form.cleaned_data["code"], now=timezone.now())
        except speaking.NotOpen:
            return _not_open(request, draft, found.words)
        except speaking.TooManyOfAddress as error:
            return _not_open(request, draft, found.words, error.most)
        except speaking.WrongCode as error:
            form.add_error("code", _wrong(error.left))
        else:
            if proved.pk != found.pk and proved.name != found.name:
                # An address signs once, under the name that it chose then.
                said = {"draft": draft, "comment": found, "before": proved}
                return render(request, "portal/consult/not_open.html", said, status=409)
            return redirect("portal:consultation_comment", reference=reference, number=proved.number)
    context = {"draft": draft, "comment": found, "form": form}
    return render(request, "portal/consult/prove.html", context, status=422 if form.is_bound else 200)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def dispute(request: HttpRequest, reference: str, comment: uuid.UUID, token: str) -> HttpResponse:
    """What the letter leads to: its author reads what was hidden, or that somebody claims the name, and may say that
    this is wrong; so may whoever signed what is hidden. One does not take the way to the other."""
    draft = found_draft(reference)
    found = queries.comment_by_id(draft, comment)
    if found is None or found.number is None or not telling.is_author(found, token):
        raise Http404
    claim = found.claimed if found.claimed and not found.claimed.outcome else None
    about, now = found.said_in, timezone.now()
    if request.method == "POST":
        try:
            if "name" in request.POST:
                claim = claiming.contest(comment=found, now=now)
            else:
                about = moderating.dispute(comment=about, now=now)
        except moderating.NotPossible:
            return redirect("portal:consultation_comment", reference=reference, number=found.number)
    context = {
        "draft": draft,
        "comment": about,
        "name": found.name,
        "claim": claim,
        "why": words.hidden(about.hidden) if about.hidden else "",
        "due_at": queries.decided_by(about.appealed_at) if about.appealed_at else None,
        "now": now,
    }
    return _secret(render(request, "portal/consult/dispute.html", context))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def claim(request: HttpRequest, reference: str, number: int) -> HttpResponse:
    """Somebody is named who did not write it: they say so with a code that goes to an address, and read here what came
    of it. `?ticket=` names the code that is to be typed."""
    draft, now = found_draft(reference), timezone.now()
    found = queries.comment(draft, number)
    if found is None or not (found.is_named or found.claimed):
        raise Http404
    ticket, given = request.GET.get("ticket", ""), request.POST if request.method == "POST" else None
    form: ClaimForm | CodeForm = CodeForm(given) if ticket else ClaimForm(given)
    status = 422 if form.is_bound else 200
    if found.claimed is None and form.is_bound and form.is_valid():
        try:
            if ticket:
                claiming.claim(comment=found, ticket=ticket, code=form.cleaned_data["code"], now=now)
                return redirect("portal:claim_name", reference=reference, number=number)
            if (sent := _send_claim_code(request, found, form, now)) is not None:
                return redirect(f"{request.path}?ticket={sent}")
            status = 429
        except speaking.WrongCode as error:
            ended = _("This code does not work any more. Ask for another one.")
            form.add_error("code", _wrong(error.left) if error.left else ended)
        except moderating.NotPossible:
            # It was claimed, or hidden, meanwhile.
            return redirect("portal:consultation_comment", reference=reference, number=number)
    context = {
        "form": form,
        "ticket": ticket,
        "draft": draft,
        "comment": found,
        "claim": found.claimed,
        "may_claim": found.claimed is None,
        "late": found.claimed is not None and now > found.claimed.due_at,
        "span": words.terms()["name"],
        "effort": consultation_effort.asked(now),
        "mail": settings.CONTACT_EMAIL,
    }
    return render(request, "portal/consult/claim.html", context, status=status)


def _send_claim_code(
    request: HttpRequest, comment: Comment, form: ClaimForm | CodeForm, now: dt.datetime
) -> str | None:
    """Its ticket; None where the form says why none was sent."""
    if (too_many := _too_many(request, "claim", OF_ALL_CLAIMS)) is not None:
        sentences = {
            _From.HERE: _("Too many names were claimed from here. Try it in an hour."),
            _From.EVERYWHERE: _("More names are being claimed than we take at once. Try it again in a few minutes."),
        }
        form.add_error("email", _often(sentences[too_many]))
        return None
    try:
        email, place = form.cleaned_data["email"], visitor.place(request)
        return claiming.send_code(comment=comment, email=email, place=place, language=language(), now=now)
    except speaking.TooManyCodes as error:
        form.add_error("email", _often(_too_many_codes(error.wait)))
        return None


def _wrong(left: int) -> str:
    if not left:
        return _("This code does not work any more. Send your comment again for a new one.")
    said = ngettext(
        "This is not the code. You can try %(count)s more time.",
        "This is not the code. You can try %(count)s more times.",
        left,
    )
    return said % {"count": left}
