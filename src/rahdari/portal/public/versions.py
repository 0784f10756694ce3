"""The text of each version of the rules, when and by whom it was announced and came into force, and what is to come."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language, gettext
from django.views.decorators.http import require_safe

from rahdari import policy
from rahdari.policy import Policy, history
from rahdari.policy.changes import Change, changes
from rahdari.policy.loading import source_of

from .rules import CLOCKS, KEPT


@dataclass(frozen=True)
class Difference:
    """`about`: what it is of, in words, where there are some; `place` is where it stands in the file."""

    about: str
    place: str
    before: str
    after: str


@dataclass(frozen=True)
class Announced:
    """Rules that are to come. `against` are its differences that may go against somebody, `others` the rest."""

    event: history.Event
    against: list[Difference]
    others: list[Difference]


@require_safe
def announced(request: HttpRequest) -> HttpResponse:
    """What the announced rules say otherwise than those in force."""
    now = policy.current(settings.POLICY_FILE)
    found = [_announced(event, now) for event in history.announced(history.events(settings.DATA))]
    context = {"announced": found, "days": history.NOTICE.days, "rules": now}
    return render(request, "portal/public/announced.html", context)


def _announced(event: history.Event, now: Policy) -> Announced:
    after = source_of(history.text_of(settings.DATA, event.digest))
    against = history.against_somebody(now.source, after)
    others = [each for each in changes(now.source, after) if each not in against]
    return Announced(event, [_shown(each, now) for each in against], [_shown(each, now) for each in others])


def _shown(change: Change, rules: Policy) -> Difference:
    section, name, *_rest = (*change.path, "")
    language, about = get_language(), ""
    if section == "clocks":
        about = str(CLOCKS.get(name, ""))
    elif section == "retention":
        about = str(KEPT.get(name, ""))
    elif section == "services" and name in rules.services:
        about = rules.services[name].title.in_language(language)
    elif section == "reasons" and name in rules.reasons:
        about = rules.reasons[name].text.in_language(language)
    return Difference(about, change.place, _value(change.before), _value(change.after))


def _value(value: Any) -> str:
    if value is None:
        return gettext("not there")
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


@require_safe
def events(request: HttpRequest) -> HttpResponse:
    """Which rules were announced and came into force, when and by whom, for programs."""

    def text_of(event: history.Event) -> str:
        return request.build_absolute_uri(reverse("portal:rules_version", args=[event.digest]))

    rows = [event.as_data() | {"text": text_of(event)} for event in history.events(settings.DATA)]
    return JsonResponse({"in_force": policy.current(settings.POLICY_FILE).digest, "events": rows})


@require_safe
def version(request: HttpRequest, digest: str) -> HttpResponse:
    """The text of one that was announced or came into force."""
    if digest == policy.current(settings.POLICY_FILE).digest:
        return in_force(request)
    if not any(event.digest == digest for event in history.events(settings.DATA)):
        raise Http404
    return _text(history.text_of(settings.DATA, digest))


@require_safe
def in_force(request: HttpRequest) -> HttpResponse:
    """The policy file, as it is in force."""
    mine = settings.POLICY_FILE
    return _text(mine if mine is not None and mine.exists() else policy.BUNDLED)


def _text(path: Path) -> HttpResponse:
    return HttpResponse(path.read_text(encoding="utf-8"), content_type="text/plain; charset=utf-8")
