"""One operation of the API, declared once: its address, scope, what it takes and gives. The addresses, the checks, the
contract and the table of scopes are made from these declarations.
"""

import datetime as dt
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest
from django.utils.translation import gettext as _

from rahdari.people.acting import Acting
from rahdari.people.models import User

from . import schema
from .problems import problem
from .rules import A_PAGE, LARGEST_PAGE, Scope
from .schema import Json

BASE = "/api/v1"


@dataclass(frozen=True)
class Call:
    """A request as an operation sees it: whose it is, when, and what was given, which is as described."""

    request: HttpRequest
    person: User
    now: dt.datetime
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Any = None
    files: Mapping[str, "UploadedFile[Any]"] = field(default_factory=dict)
    # What is made new is named after the attempt, where the request has a key.
    id: uuid.UUID = field(default_factory=uuid.uuid4)

    @property
    def own_actor(self) -> str:
        """How the journal names the person in their own right. For what is a holder's, the gatekeeper says as whom."""
        return Acting(self.person).actor

    def must_match(self, tag: str) -> None:
        """Hold `If-Match` against the tag of what stands there now. Without it nothing is held."""
        given = self.request.headers.get("If-Match", "").strip()
        if given and given != "*" and f'"{tag}"' not in [each.strip() for each in given.split(",")]:
            raise problem("changed-meanwhile", _("Read it again, look at what is different, then send your change."))


@dataclass(frozen=True)
class Answer:
    """What goes back: JSON, or the bytes of a file with its type."""

    body: Any = None
    status: int = 200
    tag: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | None = None
    media: str = "application/json"


@dataclass(frozen=True)
class Ok:
    """How a success looks in the contract."""

    description: str
    schema: Json | None = None
    status: int = 200
    media: str = "application/json"
    tag: bool = False


@dataclass(frozen=True)
class Operation:
    id: str
    method: str
    path: str
    scope: Scope | None
    summary: str
    tag: str
    run: Callable[..., Answer]
    ok: Ok
    description: str = ""
    query: Mapping[str, Json] = field(default_factory=dict)
    body: Json | None = None
    multipart: bool = False
    problems: tuple[str, ...] = ()
    matches: bool = False

    @property
    def takes_key(self) -> bool:
        """Whether it heeds an Idempotency-Key: what is done twice would be two."""
        return self.method == "POST"

    @property
    def kinds(self) -> tuple[str, ...]:
        """The problems that it may tell of."""
        found = ["too-many-requests", "broke", "away", "method-not-allowed"]
        found += ["unauthorised", "missing-scope"] if self.scope is not None else []
        found += ["not-found"] if "{" in self.path else []
        found += ["invalid-request", "too-large", "unsupported-media-type"] if self.body is not None else []
        found += ["invalid-request"] if self.query or self.takes_key else []
        found += ["in-progress", "key-reused"] if self.takes_key else []
        found += ["changed-meanwhile"] if self.matches else []
        found += ["not-taken"] if "after" in self.query else []
        return tuple(dict.fromkeys([*found, *self.problems]))


OPERATIONS: list[Operation] = []

# What varies in addresses: how Django reads it, and how the contract says it.
PLACES: dict[str, tuple[str, Json]] = {
    "reference": ("str", schema.text(20, 1, pattern=r"^[A-Za-z0-9-]+$")),
    "number": ("str", schema.text(20, 1, pattern=r"^[A-Za-z0-9-]+$")),
    "key": ("str", schema.text(60, 1, pattern=r"^[a-z0-9_-]+$")),
    "attestation": ("str", schema.text(20, 1, pattern=r"^[A-Za-z0-9-]+$")),
    "step": ("str", schema.text(20, 1, pattern=r"^[a-z]+$")),
    "line": ("str", schema.text(7, 1, pattern=r"^[0-9]+$")),
    "way": ("str", schema.text(20, 1, pattern=r"^[a-z-]+$")),
    **dict.fromkeys(("id", "endpoint", "entry", "document", "delivery", "connection"), ("uuid", schema.ID)),
    **dict.fromkeys(
        ("organisation", "branch", "mandate", "file", "question", "part", "applicant"), ("uuid", schema.ID)
    ),
}

PAGE: dict[str, Json] = {
    "after": schema.text(200) | {"description": "`next` of the page before."},
    "limit": schema.whole(1, LARGEST_PAGE) | {"default": A_PAGE},
}


def operation(
    method: str, path: str, *, scope: Scope | None, tag: str, summary: str, ok: Ok, **more: Any
) -> Callable[[Callable[..., Answer]], Callable[..., Answer]]:
    """Declares a function `(call, **what varies in the address)` as an operation."""

    def declare(run: Callable[..., Answer]) -> Callable[..., Answer]:
        description = " ".join((run.__doc__ or "").split())
        OPERATIONS.append(
            Operation(
                id=run.__name__,
                method=method,
                path=path,
                scope=scope,
                tag=tag,
                summary=summary,
                run=run,
                ok=ok,
                description=description,
                **more,
            )
        )
        return run

    return declare
