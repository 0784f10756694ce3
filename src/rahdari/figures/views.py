"""The pages of figures, for everybody: the last month, each month by itself, what is counted and how, and the files."""

from collections.abc import Callable

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from rahdari.web import feeds
from rahdari.web.replicas import from_replica
from rahdari.web.values import month as month_words

from . import files, queries
from .definitions import load
from .protection import BASE, THRESHOLD
from .queries import Month
from .shown import SHOWN, headline, shown

fresh = cache_control(public=True, max_age=600)


@require_safe
@from_replica
def figures(request: HttpRequest) -> HttpResponse:
    months = queries.months()
    return _page(request, months[0] if months else None, months)


@require_safe
@from_replica
def month(request: HttpRequest, name: str) -> HttpResponse:
    months = queries.months()
    found = next((each for each in months if each.name == name), None)
    if found is None:
        raise Http404
    return _page(request, found, [each for each in months if each.month <= found.month], all_months=months)


def _page(
    request: HttpRequest, found: Month | None, months: list[Month], *, all_months: list[Month] | None = None
) -> HttpResponse:
    language = get_language() or "en"
    context = {
        "month": found,
        "figures": shown(found, months) if found is not None else [],
        "headline": headline(found) if found is not None else [],
        "months": all_months or months,
        "shown": SHOWN,
        "threshold": THRESHOLD,
        "rounded_to": BASE,
        "notes": [
            (edition, edition.why_ur if language.startswith("ur") else edition.why_en)
            for edition in (found.editions if found is not None else ())
            if edition.why_en
        ],
        "published_on": load().published_on,
    }
    return render(request, "figures/figures.html", context)


@require_safe
def definitions(request: HttpRequest) -> HttpResponse:
    language = get_language() or "en"
    found = [
        {
            "figure": each,
            "title": each.title.in_language(language),
            "words": each.words.in_language(language),
            "unit": each.unit.in_language(language),
            "denominator": each.denominator.in_language(language),
            "total": load().figures[each.is_total.partition(".")[0]].title.in_language(language)
            if each.is_total
            else "",
        }
        for each in load().figures.values()
    ]
    return render(request, "figures/definitions.html", {"found": found, "threshold": THRESHOLD, "rounded_to": BASE})


# -- for programs --------------------------------------------------------------------------------------------------

JSON, CSV = "application/json; charset=utf-8", "text/csv; charset=utf-8; header=present"
FILES: dict[str, tuple[str, Callable[[], str]]] = {
    files.FIGURES: (CSV, lambda: files.figures_csv(told())),
    files.EDITIONS: (CSV, lambda: files.editions_csv(told())),
    files.DEFINITIONS: (CSV, lambda: files.definitions_csv(load())),
    files.PACKAGE: (JSON, files.package_json),
    files.CSVW: ("application/csvm+json; charset=utf-8", files.csvw_json),
    files.EVERYTHING: (JSON, lambda: files.everything_json(told(), load())),
}


def told() -> list[files.Told]:
    """Every edition of every month, the oldest first."""
    return [
        files.Told(
            each.month.isoformat(), edition.number, edition.at.isoformat(), edition.why_en, edition.why_ur, edition.rows
        )
        for each in reversed(queries.months())
        for edition in each.editions
    ]


@require_safe
@fresh
@from_replica
def data(request: HttpRequest, name: str) -> HttpResponse:
    if name not in FILES:
        raise Http404
    kind, text = FILES[name]
    return HttpResponse(text(), content_type=kind)


def _absolute(name: str, *arguments: str) -> str:
    return settings.SITE_URL.rstrip("/") + reverse(name, args=arguments)


@require_safe
@fresh
@from_replica
def rss(request: HttpRequest) -> HttpResponse:
    """Months and corrections, the newest first."""
    entries = []
    for each in queries.months():
        for edition in each.editions:
            words = {"month": month_words(each.month)}
            title = _("Figures of %(month)s") if edition.number == 1 else _("Figures of %(month)s, corrected")
            why = edition.why_ur if (get_language() or "").startswith("ur") else edition.why_en
            link, id = _absolute("figures:month", each.name), f"{each.name}-{edition.number}"
            entries.append(feeds.Entry(edition.at, title % words, why, link, id))
    return feeds.answer(
        title=_("Figures of the register"),
        description=_("Each month, and each correction"),
        link=_absolute("figures:figures"),
        here=_absolute("figures:rss"),
        entries=entries,
    )
