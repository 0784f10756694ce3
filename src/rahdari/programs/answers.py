"""What answers to programs have in common: problem+json (RFC 9457), bearer tokens, JSON bodies, rates.

The two APIs say what their problems are and who may ask; this says how.
"""

import json
from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.request import RawPostDataException

from rahdari.web import limits

TYPE = "urn:rahdari:problem:"


class Problem(Exception):
    """Ends a request. `.status`, `.kind`, `.detail`, `.more` become the answer; without `.title`, the kind in words."""

    def __init__(
        self,
        status: int,
        kind: str,
        detail: str,
        headers: Mapping[str, str] | None = None,
        *,
        title: str = "",
        **more: Any,
    ) -> None:
        super().__init__(kind)
        self.status, self.kind, self.detail, self.headers, self.more = status, kind, detail, headers, more
        self.title = title or kind.replace("-", " ").capitalize()


def answer_of(problem: Problem) -> HttpResponse:
    content = {
        "type": f"{TYPE}{problem.kind}",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        **problem.more,
    }
    return JsonResponse(
        content, status=problem.status, content_type="application/problem+json", headers=dict(problem.headers or {})
    )


def bearer(request: HttpRequest) -> str:
    """The token that is shown; empty for none."""
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    return text.strip() if scheme.lower() == "bearer" else ""


def wait_for(key: str, *, rate: int, per: int) -> str:
    """Take one of the allowance. Empty, or for how many seconds there is no other."""
    allowance = limits.take(key, rate=rate, per=per)
    return "" if allowance.allowed else str(int(allowance.wait.total_seconds()) + 1)


def content_of(request: HttpRequest, longest: int) -> bytes | None:
    """The body; None for one that is longer."""
    try:
        content = request.read(longest + 1)
    except RawPostDataException:
        content = request.body
    return None if len(content) > longest else content


def _no_such_number(text: str) -> float:
    raise ValueError(text)


def read_json(content: bytes) -> Any:
    """Strictly JSON. Raises ValueError."""
    try:
        return json.loads(content, parse_constant=_no_such_number)
    except RecursionError:
        raise ValueError("nested too deep") from None
