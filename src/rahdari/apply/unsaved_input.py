"""What somebody typed into a form that could not be saved, because they had been signed out meanwhile.

The values are sealed with the key of personal fields before they go into the session, so the table of sessions tells
nobody anything. They are given back once, at the same address, within two hours, to whoever may open that page; an
application's address holds its unguessable reference and is open to its applicant only. Files are not kept.
"""

import base64
import binascii
import datetime as dt
import json
from typing import Any

from django.http import HttpRequest

from rahdari.vault import cipher

SLOT = "apply.kept"
WHERE = "apply.kept"
LASTS = dt.timedelta(hours=2)
LARGEST = 20_000
MOST_PAGES = 5
NEVER = frozenset({"csrfmiddlewaretoken", "seen"})


def keep(request: HttpRequest, *, now: dt.datetime) -> None:
    """Remember the posted values of this page. Too much, or nothing, is not kept."""
    values = {key: request.POST.getlist(key) for key in request.POST if key not in NEVER}
    content = json.dumps({"at": now.timestamp(), "values": values}).encode()
    if not values or len(content) > LARGEST:
        return
    sealed = base64.b64encode(cipher.seal("fields", content, where=f"{WHERE}:{request.path}")).decode()
    pages: dict[str, str] = dict(request.session.get(SLOT, {}))
    pages.pop(request.path, None)
    pages[request.path] = sealed
    request.session[SLOT] = dict(list(pages.items())[-MOST_PAGES:])


def take(request: HttpRequest, *, now: dt.datetime) -> dict[str, Any] | None:
    """The values kept for this page, once; None when there are none or they are too old."""
    pages: dict[str, str] = dict(request.session.get(SLOT, {}))
    sealed = pages.pop(request.path, None)
    if sealed is None:
        return None
    request.session[SLOT] = pages
    try:
        content = cipher.unseal("fields", base64.b64decode(sealed), where=f"{WHERE}:{request.path}")
    except (cipher.CannotDecrypt, binascii.Error):
        return None
    found = json.loads(content)
    if not 0 <= now.timestamp() - found["at"] <= LASTS.total_seconds():
        return None
    return {key: values[-1] if values else "" for key, values in found["values"].items()}
