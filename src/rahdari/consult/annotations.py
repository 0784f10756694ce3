"""What was said of a draft as annotations that other programs read: W3C Web Annotation Data Model, in JSON-LD.

Pure: rows in, plain data out. An annotation names no address of email, and nothing of what is hidden but that it is.
"""

from collections.abc import Iterable
from typing import Any

from .models import Anchor, Comment, Version

CONTEXT = "http://www.w3.org/ns/anno.jsonld"


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
        "id": f"{here}comments/{comment.number}/",
        "type": "Annotation",
        "motivation": "commenting",
        "created": comment.proved_at.isoformat() if comment.proved_at else None,
        "target": target(comment, place, version, here),
    }
    if comment.hidden:
        return found | {
            "motivation": "moderating",
            "body": {"type": "TextualBody", "value": f"hidden: {comment.hidden}"},
        }
    found["body"] = {
        "type": "TextualBody",
        "value": comment.words,
        "format": "text/plain",
        "language": comment.language,
    }
    if comment.body is not None:
        found["creator"] = {"type": "Organization", "name": comment.body.name_text.en, "homepage": comment.body.domain}
    elif comment.shown_name:
        found["creator"] = {"type": "Person", "nickname": comment.shown_name}
    return found


def target(comment: Comment, place: Anchor | None, version: Version, here: str) -> dict[str, Any] | str:
    """Where it stands: in this version, or, when its words are gone, in the one that it was said of."""
    gone = place is not None and place.fate == "orphaned"
    number = comment.version.number if gone else version.number
    source = f"{here}?version={number}"
    if not comment.clause:
        return source
    clause = comment.clause if gone or place is None else place.clause
    if not comment.exact:
        return {"source": source, "selector": {"type": "FragmentSelector", "value": f"p{clause}"}}
    around = comment if gone or place is None else place
    return {
        "source": source,
        "state": {"type": "HttpRequestState", "value": f"Accept-Language: {comment.language}"},
        "selector": {
            "type": "FragmentSelector",
            "value": f"p{clause}",
            "refinedBy": {
                "type": "TextQuoteSelector",
                "exact": comment.exact,
                "prefix": around.prefix,
                "suffix": around.suffix,
            },
        },
    }
