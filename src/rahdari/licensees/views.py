"""The public register of licensed providers: the list, each provider, what changes and when; also for programs."""

from collections.abc import Callable

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from rahdari import policy
from rahdari.policy import Licence, Licensee, Licensees
from rahdari.web import feeds
from rahdari.web.replicas import from_replica

from . import files, queries, rules, words

fresh = cache_control(public=True, max_age=600)
# So many changes stand on the page; the files have all.
SHOWN = 20


@require_safe
@from_replica
def providers(request: HttpRequest) -> HttpResponse:
    found, latest, language = queries.in_force(), queries.latest(), _language()
    told = queries.told()
    context = {
        "known": found,
        "rules": policy.current(settings.POLICY_FILE),
        "today": timezone.localdate(),
        "rows": [_row(each) for each in (found.providers if found is not None else ())],
        "licences": [words.terms(found, key, language) for key in found.licences] if found is not None else [],
        "users": found.users.in_language(language) if found is not None and found.users else "",
        "list": latest,
        "changes": [(each, words.change(each, language)) for each in told[:SHOWN]],
    }
    return render(request, "licensees/providers.html", context)


@require_safe
@from_replica
def provider(request: HttpRequest, key: str) -> HttpResponse:
    found, language = queries.in_force(), _language()
    one = found.provider(key) if found is not None else None
    if found is not None and one is None:
        return _reported(request, key, found)
    if found is None or one is None:
        raise Http404
    mine = {("provider", key), ("licence", one.licence)}
    told = [each for each in queries.told() if _about(each) in mine]
    context = _row(one) | {
        "known": found,
        "today": timezone.localdate(),
        "licence": words.terms(found, one.licence, language),
        "changes": [(each, words.change(each, language)) for each in told],
        **{name: _text(one, name) for name in words.TOLD},
    }
    return render(request, "licensees/provider.html", context)


def _reported(request: HttpRequest, key: str, known: Licensees) -> HttpResponse:
    """The page of one that only the bundled list of reports names: its address was given to people. Raises Http404."""
    reports = policy.current(settings.POLICY_FILE).licensees
    one = reports.provider(key) if reports is not None else None
    if reports is None or one is None:
        raise Http404
    context = {"one": one, "reported": reports.as_of, "known": known}
    return render(request, "licensees/reported.html", context, status=410)


def _about(told: queries.Told) -> tuple[str, str]:
    return ("licence" if told.change.what is rules.What.TERMS else "provider", told.change.key)


def _language() -> str:
    return (get_language() or "en")[:2]


def _text(one: Licensee | Licence, name: str) -> str:
    text = getattr(one, name)
    return str(text.in_language(_language())) if text is not None else ""


def _row(one: Licensee) -> dict[str, object]:
    today = timezone.localdate()
    said, tone = words.standing(one, today)
    return {
        "one": one,
        "standing": rules.standing(one, today),
        "words": said,
        "tone": tone,
        "source": one.reported_by.in_language(_language()),
    }


# -- for programs --------------------------------------------------------------------------------------------------

JSON, CSV = "application/json; charset=utf-8", "text/csv; charset=utf-8; header=present"
FILES: dict[str, tuple[str, Callable[[], str]]] = {
    "list.json": (JSON, lambda: files.list_json(queries.in_force(), timezone.localdate())),
    "list.csv": (CSV, lambda: files.list_csv(queries.in_force(), timezone.localdate())),
    "changes.json": (JSON, lambda: files.changes_json(queries.told())),
    "changes.csv": (CSV, lambda: files.changes_csv(queries.told())),
}


@require_safe
@fresh
@from_replica
def data(request: HttpRequest, name: str) -> HttpResponse:
    if name not in FILES:
        raise Http404
    kind, text = FILES[name]
    return HttpResponse(text(), content_type=kind)


@require_safe
@fresh
@from_replica
def rss(request: HttpRequest) -> HttpResponse:
    """What changes, each told before it counts; the newest first."""
    here = _absolute("licensees:providers")
    entries = []
    for each in queries.told():
        is_of_one = each.change.what is not rules.What.TERMS
        link = _absolute("licensees:provider", each.change.key) if is_of_one else here
        said = words.change(each, _language())
        more = [_text(each.about, name) for name in ("why", "turn_to")]
        text = " ".join(part for part in (said, *more) if part)
        entries.append(feeds.Entry(each.list.at, said, text, link, each.id))
    return feeds.answer(
        title=_("Licensed VPN providers"),
        description=_("Who has a licence, for how long, and what changes"),
        link=here,
        here=_absolute("licensees:rss"),
        entries=entries,
    )


def _absolute(name: str, *arguments: str) -> str:
    return settings.SITE_URL.rstrip("/") + reverse(name, args=arguments)
