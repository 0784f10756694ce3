"""What was said of a draft as annotations that other programs read: W3C Web Annotation Data Model, in JSON-LD.

Pure: rows in, plain data out. An annotation names no address of email, and nothing of what is hidden but that it is; of
what is shown again it says that it was hidden.
"""

from collections.abc import Iterable
from typing import Any

from django.utils import timezone

from .models import Anchor, Comment, Version

CONTEXT = "http://www.w3.org/ns/anno.jsonld"
# How a place in JSON is named.
JSON_POINTER = "http://tools.ietf.org/rfc/rfc6901"


def collection(
    version: Version, comments: Iterable[Comment], places: dict[object, Anchor], here: str
) -> dict[str, Any]:
    """All comments on a draft, as they stand in this version. `here` is where the draft is read: its address with a
    slash at the end, or nothing for files that lie beside each other."""
    items = [annotation(each, places.get(each.pk), version, here) for each in comments]
    return {
        "@context": CONTEXT,
        "id": f"{here}annotations.jsonld",
        "type": "AnnotationCollection",
        "label": version.document.title.en,
        "total": len(items),
        "first": {"id": f"{here}annotations.jsonld#page", "type": "AnnotationPage", "startIndex": 0, "items": items},
    }


def annotation(comment: Comment, place: Anchor | None, version: Version, here: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "id": f"{here}comments/{comment.number}/" if here else f"index.{comment.language}.html#c{comment.number}",
        "type": "Annotation",
        "motivation": "commenting",
        "created": comment.proved_at.isoformat() if comment.proved_at else None,
        "target": target(comment, place, version, here),
    }
    if comment.is_hidden:
        return found | {
            "motivation": "moderating",
            "body": {"type": "TextualBody", "value": f"hidden: {comment.said_in.hidden}"},
        }
    found["body"] = {
        "type": "TextualBody",
        "value": comment.shown_words,
        "format": "text/plain",
        "language": comment.language,
    }
    if comment.was_hidden and comment.hidden_at is not None and comment.reviewed_at is not None:
        hidden, shown = (timezone.localdate(at).isoformat() for at in (comment.hidden_at, comment.reviewed_at))
        said = f"hidden from {hidden} to {shown}: {comment.was_hidden}; shown again by a second officer"
        found["body"] = [found["body"], {"type": "TextualBody", "purpose": "moderating", "value": said}]
    if comment.body is not None:
        found["creator"] = {"type": "Organization", "name": comment.body.name_text.en, "homepage": comment.body.domain}
    elif comment.shown_name:
        found["creator"] = {"type": "Person", "nickname": comment.shown_name}
    return found


def target(comment: Comment, place: Anchor | None, version: Version, here: str) -> dict[str, Any] | str:
    """Where it stands: in this version, or, when it is attached to nothing in it, in the one that it was said of."""
    gone = place is not None and place.fate == "orphaned"
    of = comment.version if gone else version
    source = f"{here}?version={of.number}" if here else f"version-{of.number}.json"
    if not comment.clause:
        return source
    clause = comment.clause if gone or place is None else place.clause
    found: dict[str, Any] = {"source": source, "selector": _passage(of, clause, comment, here)}
    if not comment.shown_exact:
        return found
    around = comment if gone or place is None else place
    found["selector"]["refinedBy"] = {
        "type": "TextQuoteSelector",
        "exact": comment.shown_exact,
        "prefix": around.prefix,
        "suffix": around.suffix,
    }
    if here:  # a page is in the language that is asked for, and a file has both
        found["state"] = {"type": "HttpRequestState", "value": f"Accept-Language: {comment.language}"}
    return found


def _passage(version: Version, clause: str, comment: Comment, here: str) -> dict[str, Any]:
    if here:
        return {"type": "FragmentSelector", "value": f"p{clause}"}
    at = [each.id for each in version.document.clauses].index(clause)
    text = f"/text/{comment.language}" if comment.shown_exact else ""
    return {"type": "FragmentSelector", "conformsTo": JSON_POINTER, "value": f"/clauses/{at}{text}"}
