"""The applicants' interface, `/api/v1/`: who calls, with which scopes, and which modules declare its operations."""

from dataclasses import dataclass

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from rahdari import optional
from rahdari.people.acting import Acting
from rahdari.people.models import User
from rahdari.programs import answers, schema, tokens
from rahdari.programs import operation as programs
from rahdari.programs.operation import Interface, Operation
from rahdari.programs.problems import problem
from rahdari.programs.schema import Json

from . import openapi_links, queries, rules
from .events import EVENTS, TEST, shape_of
from .models import AccessToken, IdempotentRequest
from .rules import A_PAGE, LARGEST_PAGE, Scope

WITHOUT = optional.left_out()
# `problem_map` says what becomes of errors of the rooms.
MODULES = (
    *(
        "problem_map",
        "public",
        "applications",
        "parts",
        "proofs",
        "contacts",
        "clients",
        "representing",
        "case_answers",
        "appeals",
        "complaints",
        "incidents",
    ),
    *(
        "registrations",
        "measurement",
        "looks",
        "planned_work",
        "dyndns",
        "mobile",
        "address_files",
        "share",
        "remote",
        "urgent",
    ),
    *("organisations", "mandates", "attest", "fees", "letters", "webhooks"),
)
SCOPES = {
    Scope.APPLICATIONS_READ: "Read your applications and their documents.",
    Scope.APPLICATIONS_WRITE: "Begin, answer, send and withdraw applications; answer officers.",
    Scope.ENDPOINTS_PROVE: "Prove control of addresses, and make the passwords of connections whose address changes.",
    Scope.REGISTRATIONS_READ: "Read registrations and their certificates.",
    Scope.REGISTRATIONS_WRITE: "Change and renew registrations, and let one go on.",
    Scope.REGISTRATIONS_END: "End and pause registrations.",
    Scope.INVOICES_READ: "Read invoices and receipts.",
    Scope.LETTERS_READ: "Read letters.",
    Scope.ORGANISATIONS_READ: "Read your organisations, their branches, and mandates given and held.",
    Scope.ORGANISATIONS_WRITE: "Add, change and end branches, and say which addresses belong to them.",
    Scope.MANDATES_MANAGE: "Give, accept and end mandates.",
    Scope.SHARING_MANAGE: "See who asks to share an address, answer, and stop sharing.",
    Scope.REMOTE_MANAGE: "Make and end links for people who work from home.",
    Scope.MEASUREMENTS_MANAGE: "Agree that an address is measured, stop it, and report what your own program sees.",
    Scope.WEBHOOKS_MANAGE: "Make, change, try and end webhooks.",
}
PLACES: dict[str, tuple[str, Json]] = {
    "reference": ("str", schema.text(20, 1, pattern=r"^[A-Za-z0-9-]+$")),
    "number": ("str", schema.text(20, 1, pattern=r"^[A-Za-z0-9-]+$")),
    "key": ("str", schema.text(60, 1, pattern=r"^[a-z0-9_-]+$")),
    "attestation": ("str", schema.text(20, 1, pattern=r"^[A-Za-z0-9-]+$")),
    "step": ("str", schema.text(20, 1, pattern=r"^[a-z]+$")),
    "line": ("str", schema.text(7, 1, pattern=r"^[0-9]+$")),
    "method": ("str", schema.text(20, 1, pattern=r"^[a-z-]+$")),
    **dict.fromkeys(("id", "endpoint", "entry", "document", "delivery", "connection"), ("uuid", schema.ID)),
    **dict.fromkeys(
        ("organisation", "branch", "mandate", "file", "question", "part", "applicant"), ("uuid", schema.ID)
    ),
}
PAGE: dict[str, Json] = {
    "after": schema.text(200) | {"description": "`next` of the page before."},
    "limit": schema.whole(1, LARGEST_PAGE) | {"default": A_PAGE},
}


@dataclass(frozen=True)
class Call(programs.Call[User]):
    @property
    def person(self) -> User:
        return self.caller

    @property
    def own_actor(self) -> str:
        """How the journal names the person in their own right. For what is a holder's, the gatekeeper says as whom."""
        return Acting(self.caller).actor


def _who(request: HttpRequest, wanted: Operation) -> User:
    now = timezone.now()
    token = queries.token_shown(answers.bearer(request), now=now) if wanted.scope is not None else None
    tokens.hold_rate(
        request, token, room="api", rate=rules.RATE, per=rules.PER, unknown_rate=rules.UNKNOWN_RATE, now=now
    )
    if token is not None:
        _hold_scope(token, wanted)
        return token.owner
    if wanted.scope is None:
        return User()
    detail = _("Make a token on the page “Programs”, and send it as Authorization: Bearer TOKEN.")
    raise problem("unauthorised", detail, {"WWW-Authenticate": "Bearer"})


def _hold_scope(token: AccessToken, wanted: Operation) -> None:
    if wanted.scope not in token.scopes:
        name = str(wanted.scope)
        raise problem(
            "missing-scope",
            _("This needs a token with the scope %(scope)s.") % {"scope": name},
            {"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{name}"'},
            scope=name,
        )


API = Interface(
    name="api",
    base="/api/v1",
    title="Rahdari: applicants and holders",
    about="What an applicant or holder does on the pages, for programs. Errors are problem+json (RFC 9457); lists have "
    "cursors; a POST with an Idempotency-Key is done once; a change with If-Match loses nobody's work. "
    "docs/api.md walks through it.",
    who=_who,
    places=PLACES,
    modules=tuple(f"{__package__}.{name}" for name in MODULES if name not in WITHOUT),
    scopes=SCOPES,
    tokens="From the page “Programs”.",
    call=Call,
    attempts=IdempotentRequest,
    events={event: shape_of(event) for event in (*EVENTS, TEST)},
    leads=openapi_links.LEADS,
)
