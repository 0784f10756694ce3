"""A consultation as files that are read without us: `rahdari consult archive DRAFT FOLDER`.

Invariant: nothing in the folder leads outside of it or needs a program of ours: HTML 5 with its style inside, in both
languages; each version as JSON, each policy file to the byte; comments as CSV and as W3C annotations; the log of what
was hidden; and the digests of all of it. No address of email is in it. Days and times are those of the register's zone.
"""

import csv
import datetime as dt
import hashlib
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.template.loader import render_to_string
from django.utils import timezone

from . import annotations, changes, moderating, queries
from .models import Draft, Version

COLUMNS = (
    "number day version clause language quoted name body words signatures like fate clause_now hidden answer".split()
)


def write(draft: Draft, folder: Path, now: dt.datetime) -> list[str]:
    """Write the archive into a folder that is new or empty; return the names of its files. Raises FileExistsError."""
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise FileExistsError(folder)
    names = []
    for name, content in files(draft, now):
        (folder / name).write_bytes(content)
        names.append(name)
    return names


def files(draft: Draft, now: dt.datetime) -> Iterator[tuple[str, bytes]]:
    kept: dict[str, str] = {}
    for name, content in _files(draft, now):
        kept[name] = hashlib.sha256(content).hexdigest()
        yield name, content
    # As `sha256sum --check SHA256SUMS` reads it.
    yield "SHA256SUMS", "".join(f"{digest}  {name}\n" for name, digest in kept.items()).encode()


def _files(draft: Draft, now: dt.datetime) -> Iterator[tuple[str, bytes]]:
    versions = list(draft.versions.order_by("number"))
    latest = versions[-1]
    comments = queries.with_counts(queries.comments_on(latest))
    for language in ("en", "ur"):
        page = render_to_string(f"consult/archive.{language}.html", _facts(draft, versions, comments, language, now))
        yield f"index.{language}.html", page.encode()
    for version in versions:
        yield f"version-{version.number}.json", _json(version.document.frozen() | {"digest": version.digest})
        yield f"version-{version.number}.policy.toml", version.policy_text.encode()
    yield "comments.csv", _table(comments).encode()
    log = [dict(zip(moderating.LOG, row, strict=True)) for row in moderating.log(draft)]
    yield "moderation.csv", _csv(moderating.LOG, log).encode()
    yield "annotations.jsonld", _json(annotations.collection(latest, comments, queries.places(latest), ""))


def _json(data: Any) -> bytes:
    return (json.dumps(data, ensure_ascii=False, indent=1) + "\n").encode()


def _facts(
    draft: Draft, versions: list[Version], comments: list[Any], language: str, now: dt.datetime
) -> dict[str, Any]:
    latest = versions[-1]
    passages = [
        {
            "id": each.id,
            "title": each.title.in_language(language),
            "pieces": changes.pieces(each.said(language), each.says(language)),
            "comments": [comment for comment in comments if comment.on == each.id],
        }
        for each in latest.document.clauses
    ]
    answers = [
        {"answer": each, "point": each.point_text.in_language(language), "text": each.said.in_language(language)}
        for each in queries.answers(draft)
    ]
    hearings = [
        {
            "held_at": each.held_at,
            "place": each.place_text.in_language(language),
            "minutes": each.minutes_text.in_language(language) if each.minutes_text else "",
            "called_off_at": each.called_off_at,
            "why": each.called_off_text.in_language(language) if each.called_off_text else "",
        }
        for each in draft.hearings.all()
    ]
    document = latest.document
    return {
        "draft": draft,
        "state": draft.state(now),
        "now": now,
        "zone": timezone.get_current_timezone_name(),
        "versions": versions,
        "latest": latest,
        "title": document.title.in_language(language),
        "lead": document.lead.in_language(language),
        "why": document.why.in_language(language),
        "withdrawn": (draft.why or {}).get(language, ""),
        "passages": passages,
        "whole": [comment for comment in comments if comment.on == queries.WHOLE],
        "nowhere": [comment for comment in comments if comment.on == queries.NOWHERE],
        "answers": answers,
        "hearings": hearings,
    }


def _table(comments: list[Any]) -> str:
    rows = []
    for each in comments:
        said = {"quoted": each.shown_exact, "name": each.shown_name, "words": each.shown_words}
        rows.append(
            {
                "number": each.number,
                "day": timezone.localdate(each.proved_at).isoformat(),
                "version": each.version.number,
                "clause": each.clause,
                "language": each.language,
                "body": each.body.domain if each.body else "",
                "signatures": each.signed,
                "like": each.like.number if each.like else "",
                "fate": each.fate,
                "clause_now": each.on if each.clause else "",
                "hidden": each.hidden,
                "answer": each.answer.number if each.answer else "",
            }
            | {name: _harmless(text) for name, text in said.items()}
        )
    return _csv(COLUMNS, rows)


def _csv(columns: list[str], rows: list[dict[str, Any]]) -> str:
    out = io.StringIO()
    table = csv.DictWriter(out, columns, lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    return out.getvalue()


def _harmless(text: str) -> str:
    """What a stranger wrote is no formula to a spreadsheet."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
