"""Draft rules, for everybody: the list, a draft passage by passage, what is said of it and what is answered.

No page here asks who is there: no account, no cookie that counts. What is hidden is shown as hidden, with the reason.
"""

import csv
import datetime as dt
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.feedgenerator import Atom1Feed
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from rahdari.applicant.links import absolute
from rahdari.consult import annotations, changes, moderating, queries
from rahdari.consult.changes import Piece
from rahdari.consult.document import Clause, Document
from rahdari.consult.models import Comment, Draft, Version
from rahdari.consult.rules import Outcome, State
from rahdari.policy.loading import source_in
from rahdari.web import feeds

from . import consultation_words as words
from .versions import told_apart

# Of each passage so many comments stand on the draft's page; so many on a page of all of them.
FEW, A_PAGE, FEED_LENGTH = 3, 50, 50


@dataclass(frozen=True)
class Passage:
    """A clause as it is compared: with the rule in force, or with an earlier version."""

    clause: Clause
    pieces: list[Piece]
    said: int = 0
    few: list[Comment] = field(default_factory=list)
    # Only the earlier version has it.
    is_gone: bool = False

    @property
    def more(self) -> int:
        return self.said - len(self.few)

    @property
    def is_changed(self) -> bool:
        return changes.is_changed(self.pieces)


def language() -> str:
    return (get_language() or "en")[:2]


def found_draft(reference: str) -> Draft:
    try:
        return queries.draft_by_reference(reference)
    except queries.DraftNotFound:
        raise Http404 from None


def found_version(request: HttpRequest, draft: Draft) -> Version:
    """The version that `?version=` names, or the latest."""
    given = request.GET.get("version", "")
    version = queries.version_of(draft, int(given) if given.isdecimal() and len(given) < 5 else None)
    if version is None:
        raise Http404
    return version


@require_safe
def consultations(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    found = list(queries.drafts())
    latest = queries.latest_versions(found)
    rows = [row_of(draft, latest[draft.pk], now) for draft in found]
    # Open ones first.
    rows.sort(key=lambda row: row["state"] != State.OPEN)
    context = {
        "rows": rows,
        "open": sum(row["state"] == State.OPEN for row in rows),
        "terms": words.terms(),
        "kept": words.kept(),
    }
    return render(request, "portal/consult/consultations.html", context)


def row_of(draft: Draft, version: Version, now: dt.datetime) -> dict[str, Any]:
    state = draft.state(now)
    return {
        "draft": draft,
        "version": version,
        "title": version.document.title.in_language(language()),
        "state": state,
        "words": words.state(state),
        "tone": words.TONES[state],
        "late": state == State.ANSWERING and now > queries.answers_due(draft),
        "in_force": state == State.ADOPTED and queries.in_force().digest == version.policy_digest,
    }


def rules_changed(version: Version) -> dict[str, Any]:
    """What the policy file of a version says otherwise than the rules in force; nothing once its draft has ended."""
    if version.draft.ending:
        return {}
    against, others = told_apart(queries.in_force(), source_in(version.policy_text))
    return {"against": against, "others": others}


@require_safe
def consultation(request: HttpRequest, reference: str) -> HttpResponse:
    now, draft = timezone.now(), found_draft(reference)
    version = found_version(request, draft)
    latest = queries.version_of(draft) or version
    is_latest = version == latest
    before = _compared_with(request, draft, version)
    here = queries.heads(queries.comments_on(version))
    said = queries.counted(here) if is_latest else {}
    few: dict[str, list[Comment]] = {}
    for comment in queries.with_counts(queries.latest_of_each(here, FEW), alike=True) if is_latest else ():
        few.setdefault(comment.on, []).append(comment)  # type: ignore[attr-defined]
    context = row_of(draft, version, now) | {
        "document": version.document,
        "passages": passages(version.document, before.document if before else None, said, few),
        "before": before,
        "is_latest": is_latest,
        # The one that was adopted, whichever is read.
        "latest": latest,
        "in_force": row_of(draft, latest, now)["in_force"],
        "versions": list(draft.versions.order_by("number")),
        "hearings": list(draft.hearings.all()),
        "takes_comments": is_latest and queries.is_open(draft, now),
        "whole": {"said": said.get(queries.WHOLE, 0), "few": few.get(queries.WHOLE, [])},
        "nowhere": {"said": said.get(queries.NOWHERE, 0), "few": few.get(queries.NOWHERE, [])},
        "effect": words.effect(version.replayed),
        **rules_changed(version),
        "moderated": queries.moderated(draft).exists(),
        "answered": draft.answers.exists(),
        "places": {"whole": queries.WHOLE, "nowhere": "none"},
        "left": words.days_left(draft, now),
        "terms": words.terms(),
    }
    return render(request, "portal/consult/consultation.html", context)


def _compared_with(request: HttpRequest, draft: Draft, version: Version) -> Version | None:
    """An earlier version, if it is asked for by `?against=`; None: the rule in force."""
    given = request.GET.get("against", "")
    if not given.isdecimal() or len(given) > 4 or int(given) >= version.number:
        return None
    return queries.version_of(draft, int(given))


def passages(
    found: Document, before: Document | None, said: dict[str, int], few: dict[str, list[Comment]]
) -> list[Passage]:
    rows = []
    spoken = language()
    for clause in found.clauses:
        old = clause.said(spoken)
        if before is not None:
            earlier = before.clause(clause.id)
            old = earlier.says(spoken) if earlier is not None else ""
        pieces = changes.pieces(old, clause.says(spoken))
        rows.append(Passage(clause, pieces, said.get(clause.id, 0), few.get(clause.id, [])))
    gone = [each for each in before.clauses if found.clause(each.id) is None] if before is not None else []
    return rows + [Passage(each, changes.pieces(each.says(spoken), ""), is_gone=True) for each in gone]


@require_safe
def comments(request: HttpRequest, reference: str) -> HttpResponse:
    """All that was said, or all on one passage (`?on=`), each group once; or all of one group (`?like=`)."""
    draft = found_draft(reference)
    version = found_version(request, draft)
    on = request.GET.get("on", "")
    found: QuerySet[Any] = queries.comments_on(version)
    head = _head(draft, request.GET.get("like", ""))
    if head is not None:
        found = queries.group(found, head)
    else:
        found = queries.heads(found)
        found = found.filter(on=queries.NOWHERE if on == "none" else on) if on else found
    page = Paginator(found.order_by("number"), A_PAGE).get_page(request.GET.get("page"))
    page.object_list = queries.with_counts(page.object_list, alike=head is None)
    for each in page:
        is_compared = head is not None and each.like_id and not head.is_hidden
        each.pieces = changes.pieces(head.shown_words, each.shown_words) if head is not None and is_compared else []
    context = row_of(draft, version, timezone.now()) | {
        "page": page,
        "head": head,
        "sent": queries.sent(head) if head is not None else 0,
        "of": urlencode({"like": head.number} if head is not None else {"on": on}),
        "clause": version.document.clause(on),
        "is_whole": on == queries.WHOLE,
        "is_nowhere": on == "none",
    }
    return render(request, "portal/consult/comments.html", context)


def _head(draft: Draft, number: str) -> Comment | None:
    """At whose group somebody looks. None: at none."""
    if not number:
        return None
    found = queries.comment(draft, int(number)) if number.isdecimal() and len(number) < 10 else None
    if found is None or found.part_of_id is not None or found.like_id is not None:
        raise Http404
    return found


@require_safe
def comment(request: HttpRequest, reference: str, number: int) -> HttpResponse:
    """One comment, its words in the draft as it stands now, and what is answered: the place that letters lead to."""
    draft = found_draft(reference)
    version = found_version(request, draft)
    found = queries.comments_on(version).filter(number=number).first() or queries.comment(draft, number)
    if found is None:
        raise Http404
    [found], on = queries.with_counts([found]), getattr(found, "on", "")
    queries.with_taken_back(draft, [each for each in (found, found.part_of) if each is not None])
    context = row_of(draft, version, timezone.now()) | {
        "comment": found,
        "clause": version.document.clause(on),
        "clause_then": found.version.document.clause(found.clause),
        "first": found.part_of,
        "mail": settings.CONTACT_EMAIL,
    }
    return render(request, "portal/consult/comment.html", context)


@require_safe
def answers(request: HttpRequest, reference: str) -> HttpResponse:
    draft = found_draft(reference)
    version = found_version(request, draft)
    found = queries.answers(draft)
    latest = queries.version_of(draft) or version
    rows = []
    for answer in found:
        pieces, said, is_gone = [], words.outcome(answer.outcome), False
        if answer.outcome == Outcome.CHANGED:
            # As it was when the first of the comments was written, and as it is now.
            then, now = (each.document.clause(answer.clause) for each in (answer.since, latest))
            pieces = changes.pieces(*(each.says(language()) if each else "" for each in (then, now)))
            is_gone = now is None
            if latest.document.reads_as(answer.since.document, answer.clause):
                pieces, said = [], words.taken_back()
        rows.append({"answer": answer, "words": said, "pieces": pieces, "is_gone": is_gone})
    context = row_of(draft, version, timezone.now()) | {
        "rows": rows,
        "latest": latest,
        "changed": sum(bool(row["pieces"]) for row in rows),
        "unanswered": queries.unanswered(draft).count(),
    }
    return render(request, "portal/consult/answers.html", context)


@require_safe
def moderation(request: HttpRequest, reference: str) -> HttpResponse:
    """What was hidden of this draft, why, and what a second officer said of it: nobody's name, nobody's words."""
    draft = found_draft(reference)
    version = found_version(request, draft)
    rows = [
        {"comment": each, "why": words.hidden(each.hidden_for) if each.hidden_for else ""}
        for each in queries.moderated(draft)
    ]
    context = row_of(draft, version, timezone.now()) | {"rows": rows}
    return render(request, "portal/consult/moderation.html", context)


@require_safe
def moderation_csv(request: HttpRequest, reference: str) -> HttpResponse:
    """The same for programs."""
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    out = csv.writer(answer)
    out.writerow(moderating.LOG)
    out.writerows(moderating.log(found_draft(reference)))
    return answer


@require_safe
def annotations_jsonld(request: HttpRequest, reference: str) -> HttpResponse:
    """What was said, as W3C annotations of the latest version."""
    draft = found_draft(reference)
    version = found_version(request, draft)
    here = absolute(reverse("portal:consultation", args=[reference]))
    found = annotations.collection(version, queries.comments_on(version), queries.places(version), here)
    kind = 'application/ld+json; profile="http://www.w3.org/ns/anno.jsonld"'
    return JsonResponse(found, content_type=kind, json_dumps_params={"ensure_ascii": False})


@require_safe
def policy_text(request: HttpRequest, reference: str) -> HttpResponse:
    """The policy file that the draft would become, to the byte."""
    version = found_version(request, found_draft(reference))
    answer = HttpResponse(version.policy_text, content_type="text/plain; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{version.draft.reference}-{version.number}.toml"'
    return answer


@require_safe
def feed(request: HttpRequest) -> HttpResponse:
    """New drafts, versions and ends, as Atom."""
    here = absolute(reverse("portal:consultations"))
    entries = []
    for version in Version.objects.select_related("draft").order_by("-published_at")[:FEED_LENGTH]:
        draft, title = version.draft, version.document.title.in_language(language())
        entries.append(_entry(draft, version.published_at, title, words.published(draft, version), version.number))
    for draft in Draft.objects.exclude(ending="").order_by("-ended_at")[:FEED_LENGTH]:
        last = queries.version_of(draft)
        if last is not None and draft.ended_at is not None:
            title = last.document.title.in_language(language())
            entries.append(_entry(draft, draft.ended_at, title, words.state(draft.ending), draft.ending))
    return feeds.answer(
        title=_("Draft rules"),
        description=_("New drafts and versions, and what came of them"),
        link=here,
        here=absolute(reverse("portal:consultations_feed")),
        entries=sorted(entries, key=lambda each: each.at)[-FEED_LENGTH:],
        kind=Atom1Feed,
    )


def _entry(draft: Draft, at: dt.datetime, title: str, said: str, key: int | str) -> feeds.Entry:
    link = absolute(reverse("portal:consultation", args=[draft.reference]))
    id = f"{absolute(reverse('portal:consultations'))}{draft.reference}/{key}"
    return feeds.Entry(at, f"{title}: {said}", said, link, id)
