"""The text of each version of the rules, when and by whom it was announced and came into force, and what is to come."""

from collections.abc import Mapping
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
from rahdari.web.allowances import in_words
from rahdari.web.templatetags.rahdari import comma
from rahdari.web.values import plain_name

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
    takes_notice: bool


@require_safe
def announced(request: HttpRequest) -> HttpResponse:
    """What the announced rules say otherwise than those in force."""
    now = policy.current(settings.POLICY_FILE)
    found = [_announced(event, now) for event in history.announced(history.events(settings.DATA))]
    context = {"announced": found, "days": history.NOTICE.days, "rules": now}
    return render(request, "portal/public/announced.html", context)


def _announced(event: history.Event, now: Policy) -> Announced:
    after = source_of(history.text_of(settings.DATA, event.digest))
    return Announced(event, *told_apart(now, after), history.takes_notice(now.source))


def told_apart(now: Policy, after: Mapping[str, Any]) -> tuple[list[Difference], list[Difference]]:
    """What other rules say otherwise than those in force: what may go against somebody, and the rest."""
    found = changes(now.source, after)
    # A clock is named; where both know it alike, its length says more.
    alike = [name for name, clock in now.source["clocks"].items() if after.get("clocks", {}).get(name) == clock]
    lengths = {name: in_words(now.clocks[name]) for name in alike}
    against, others = (
        [_shown(each, now, lengths) for each in found if each.is_against is hits] for hits in (True, False)
    )
    return against, others


def _shown(change: Change, rules: Policy, lengths: Mapping[str, str]) -> Difference:
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
    is_clock = change.path[-1] == "clock"
    values = [_value(lengths.get(each, each) if is_clock else each) for each in (change.before, change.after)]
    return Difference(about, change.place, *values)


def _value(value: Any) -> str:
    """A name or sentence of the file may be in the other language: it is isolated, for the filter `whole`."""
    if value is None:
        return gettext("not there")
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    return comma().join(map(plain_name, value if isinstance(value, list) else [value]))


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
