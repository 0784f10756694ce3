"""An interface for programs, and its operations: each declared once with its address, scope, what it takes and gives.

The addresses, the checks (`dispatch`), the contract (`openapi`) and the table of scopes are made from these
declarations. Who calls is for the interface to say: here no person and no operator is known.
"""

import datetime as dt
import importlib
import re
import uuid
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest
from django.utils.translation import gettext as _

from rahdari.web import language

from . import problems
from .answers import Problem
from .idempotency import Attempt
from .problems import problem
from .schema import Json

NAME_IN_PATH = re.compile(r"{(\w+)}")
LONGEST_BODY = 256 * 1024


def names_in(template: str) -> list[str]:
    """What varies in an address."""
    return NAME_IN_PATH.findall(template)


@dataclass(frozen=True)
class Call[Caller]:
    """A request as an operation sees it: whose it is, when, and what was given, which is as described."""

    request: HttpRequest
    caller: Caller
    now: dt.datetime
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Any = None
    files: Mapping[str, "UploadedFile[Any]"] = field(default_factory=dict)
    # What is made new is named after the attempt, where the request has a key.
    id: uuid.UUID = field(default_factory=uuid.uuid4)

    def must_match(self, tag: str) -> None:
        """Hold `If-Match` against the tag of what stands there now. Without it nothing is held."""
        given = self.request.headers.get("If-Match", "").strip()
        if given and given != "*" and f'"{tag}"' not in [each.strip() for each in given.split(",")]:
            raise problem("changed-meanwhile", _("Read it again, look at what is different, then send your change."))

    def has(self, tag: str) -> bool:
        """Whether `If-None-Match` names the tag of what stands there now."""
        given = self.request.headers.get("If-None-Match", "")
        return f'"{tag}"' in {each.strip().removeprefix("W/") for each in given.split(",")}


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


type Run = Callable[..., Answer]


@dataclass(frozen=True)
class Operation:
    id: str
    method: str
    path: str
    scope: StrEnum | None
    summary: str
    tag: str
    run: Run
    ok: Ok
    description: str = ""
    query: Mapping[str, Json] = field(default_factory=dict)
    body: Json | None = None
    multipart: bool = False
    problems: tuple[str, ...] = ()
    matches: bool = False
    # Whether it heeds an Idempotency-Key: what is done twice would be two.
    takes_key: bool = False
    # Where it may be longer, or must be shorter, than others of the interface.
    longest_body: int = 0

    @property
    def kinds(self) -> tuple[str, ...]:
        """The problems that it may tell of."""
        found = ["too-many-requests", "broke", "away", "method-not-allowed", "invalid-request"]
        found += ["unauthorised", "missing-scope"] if self.scope is not None else []
        found += ["not-found"] if "{" in self.path else []
        found += ["too-large", "unsupported-media-type"] if self.body is not None else []
        found += ["in-progress", "key-reused"] if self.takes_key else []
        found += ["changed-meanwhile"] if self.matches else []
        found += ["not-taken"] if "after" in self.query else []
        return tuple(dict.fromkeys([*found, *self.problems]))


@dataclass(frozen=True)
class Interface:
    """All operations under one address. `who` says who calls, or raises a Problem; it is given to `call`."""

    name: str
    base: str
    title: str
    about: str
    who: Callable[[HttpRequest, Operation], Any]
    # What varies in addresses: how Django reads it, and how the contract says it.
    places: Mapping[str, tuple[str, Json]]
    # The modules that declare operations, in the order of the contract.
    modules: tuple[str, ...]
    # What each scope opens, and where tokens come from.
    scopes: Mapping[Any, str]
    tokens: str
    call: type[Call[Any]] = Call
    # Where answers to an Idempotency-Key are kept; without it none is heeded.
    attempts: type[Attempt] | None = None
    # Each act with a key is done by the database alone: it and its kept answer are one transaction.
    acts_are_whole: bool = False
    version: str = "1.0.0"
    languages: Collection[str] = language.CODES
    longest_body: int = LONGEST_BODY
    # What is posted to webhooks, by event.
    events: dict[str, Json] = field(default_factory=dict)
    # Of an operation: the addresses that its answer leads to, which part of each it names, and where that stands.
    leads: Mapping[str, tuple[tuple[str, str, str], ...]] = field(default_factory=dict)
    # Problems that have another name here, and how faults of a request are told.
    renamed: Mapping[str, str] = field(default_factory=dict)
    of_faults: Callable[..., Problem] = problems.of_faults
    declared: list[Operation] = field(default_factory=list)

    def part(self, tag: str, scope: StrEnum | None, *, keyed: bool = True) -> Callable[..., Callable[[Run], Run]]:
        """Declares operations of one kind that one scope opens: `@read("GET", path, Ok(...))` before a function
        `(call, **what varies in the address)`. The first sentence of its docstring is the summary. Without `keyed` no
        POST of them heeds an Idempotency-Key, and no answer is kept.
        """

        def operation(method: str, path: str, ok: Ok, **more: Any) -> Callable[[Run], Run]:
            def declare(run: Run) -> Run:
                summary, _, about = (run.__doc__ or "").partition("\n\n")
                facts: dict[str, Any] = {"summary": summary.removesuffix("."), "description": " ".join(about.split())}
                takes_key = keyed and method == "POST" and self.attempts is not None
                facts |= {"id": run.__name__, "tag": tag, "scope": scope, "ok": ok, "run": run, "takes_key": takes_key}
                self.declared.append(Operation(method=method, path=path, **facts, **more))
                return run

            return declare

        return operation

    def operations(self) -> list[Operation]:
        """All of them, those of rooms above last, by room: which is imported first is chance. Importing a module
        declares what it has."""
        for module in self.modules:
            importlib.import_module(module)
        of = {each.id: each.run.__module__ for each in self.declared}
        return sorted(self.declared, key=lambda each: "" if of[each.id] in self.modules else of[each.id])

    def by_path(self) -> dict[str, dict[str, Operation]]:
        found: dict[str, dict[str, Operation]] = {}
        for each in self.operations():
            found.setdefault(each.path, {})[each.method] = each
        return found

    def scopes_used(self) -> set[StrEnum]:
        """Those that open something."""
        return {each.scope for each in self.operations() if each.scope is not None}

    def problem(self, kind: str, detail: object, headers: Mapping[str, str] | None = None, **more: Any) -> Problem:
        """As it is called on this interface."""
        return problem(self.renamed.get(kind, kind), detail, headers, **more)

    def kinds_of(self, each: Operation) -> tuple[str, ...]:
        return tuple(self.renamed.get(kind, kind) for kind in each.kinds)
