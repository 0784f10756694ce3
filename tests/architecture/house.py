"""The house: which rooms there are, on which floors, and what each may reach. The import contracts derive from it.

A room that is added stands on a floor, or it does not pass. What a bounded room may reach is named; whatever else there
is, also a room that is added later, is forbidden to it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rahdari import optional

PACKAGE = Path(__file__).resolve().parents[2] / "src" / "rahdari"

# From the top down. A room imports only from floors below its own; rooms on one floor do not know each other.
FLOORS: tuple[tuple[str, ...], ...] = (
    ("__main__",),
    ("cli",),
    ("ops",),
    ("wsgi",),
    ("urls",),
    ("portal", "api", "workflow"),
    ("applicant",),
    ("complaint",),
    ("appeal", "demand", "sampling", "incident", "urgent"),
    ("decide", "maintenance"),
    ("publish", "dyndns", "mobile", "watch", "consult", "invite"),
    ("apply", "checks", "fees", "vouch", "confirm", "attest", "remote", "share"),
    ("control",),
    ("letters", "calendar"),
    ("people",),
    ("register", "sms"),
    ("inquiry",),
    ("archive", "figures", "licensees"),
    ("journal",),
    ("programs",),
    ("web",),
    ("db", "tables", "delivery"),
    ("vault",),
    ("vantage",),
    ("policy", "feed", "probe", "preflight"),
    ("address", "optional"),
    ("errors",),
)
# What every room may import, also one that ships alone.
EVERYWHERE = frozenset({"errors"})
# These stand beside the house, and are bounded below; settings import no room.
BESIDE = ("agent", "client", "difference", "push", "lookup", "settings")
# A regulator may leave them out.
OPTIONAL = tuple(optional.ROOMS)
FACTS = frozenset({"address", "feed", "policy", "probe", "preflight"})
# Below the rooms that know persons.
GROUND = FACTS | {"optional", "vault", "db", "tables", "web", "programs", "vantage", "journal", "archive", "delivery"}
GROUND |= {"figures", "licensees"}
WITHOUT_DJANGO = (
    *sorted(FACTS),
    *("optional", "vantage", "agent", "push", "lookup", "client", "difference"),
    *("watch.facts", "watch.verdicts", "figures.protection", "figures.definitions", "figures.cells", "figures.files"),
    *("figures.checking", "figures.check_commands"),
)
WITH_LAYERS_INSIDE = (
    *("journal", "archive", "register", "people", "sms", "letters", "apply", "remote", "vouch", "share", "control"),
    *("checks", "fees", "confirm", "attest", "decide", "appeal", "demand", "sampling", "complaint", "api", "publish"),
    *("inquiry", "calendar", "incident", "urgent", "maintenance", "consult", "licensees", "invite"),
)
INSIDE = ("(urls)", "(views) | (api) | (commands)", "(forms)", "(actions)", "(queries)", "(models)", "(rules)")


@dataclass(frozen=True)
class Bound:
    """Rooms that reach these rooms and no other of ours, not even through others."""

    id: str
    name: str
    rooms: tuple[str, ...]
    reach: frozenset[str]


BOUNDS = (
    Bound(
        "feed-knows-no-person",
        "What is published cannot reach a person, an application, a document or a case, not even through others",
        ("publish",),
        GROUND | {"register"},
    ),
    Bound(
        "figures-know-no-person",
        "What counts reaches no room that knows a person: it reads listed columns alone",
        ("figures",),
        frozenset({"address", "policy", "optional", "db", "web", "journal"}),
    ),
    Bound("register-knows-no-person", "The register lies under people", ("register",), GROUND),
    Bound(
        "watch-knows-no-person",
        "What is measured cannot reach a person, an application, a proof or a case",
        ("watch",),
        GROUND | {"register"},
    ),
    Bound(
        "commenters-are-not-registered-people",
        "What is said of draft rules cannot reach a person, an application or a registration",
        ("consult",),
        GROUND,
    ),
    Bound(
        "invitations-follow-nobody",
        "What invites cannot reach a person, an application or a registration",
        ("invite",),
        GROUND,
    ),
    Bound(
        "lines-are-not-published",
        "The room of mobile lines publishes nothing",
        ("mobile",),
        GROUND | {"register", "people", "sms", "letters", "calendar", "apply", "confirm", "inquiry"},
    ),
    Bound(
        "desk-knows-no-applicant",
        "The desk of operators does not know who asked, or why",
        ("confirm",),
        GROUND | {"register", "people", "sms", "letters", "calendar", "inquiry"},
    ),
    Bound(
        "associations-see-no-file",
        "The desk of associations knows no application, no check and no case",
        ("attest",),
        GROUND | {"register", "people", "sms", "letters", "calendar", "inquiry"},
    ),
    Bound(
        "verifier-knows-no-applicant",
        "Control and checks do not know who asked, or why",
        ("control", "checks"),
        GROUND | {"register", "people", "sms", "letters"},
    ),
    Bound(
        "incidents-know-no-application",
        "Whoever mends a connection does not know who has it, or why",
        ("incident",),
        GROUND
        | {"register", "people", "sms", "letters", "calendar", "inquiry", "confirm", "publish", "watch"}
        | {"maintenance"},
    ),
    Bound(
        "planned-work-knows-no-application",
        "Whoever announces work does not know who has a connection, or why",
        ("maintenance",),
        GROUND | {"register", "people", "sms", "letters", "calendar", "inquiry", "confirm", "publish"},
    ),
    Bound("agent-ships-alone", "The agent reaches address, feed, probe and preflight", ("agent",), FACTS - {"policy"}),
    Bound(
        "difference-knows-no-register",
        "The kit that compares reaches address and probe",
        ("difference",),
        frozenset({"address", "probe"}),
    ),
    Bound("client-ships-alone", "The applicants' client reaches feed", ("client",), frozenset({"feed"})),
    Bound(
        "vantage-holds-nothing",
        "A vantage reaches address, feed and probe",
        ("vantage",),
        FACTS - {"policy", "preflight"},
    ),
    Bound(
        "preflight-knows-addresses",
        "A planned change is read and judged by itself",
        ("preflight",),
        frozenset({"address"}),
    ),
    Bound("push-holds-nothing", "The push process reaches address and feed", ("push",), frozenset({"address", "feed"})),
    Bound(
        "lookup-holds-nothing",
        "The lookup process reaches address and feed",
        ("lookup",),
        frozenset({"address", "feed"}),
    ),
)
# The processes that ship or stand alone: only what starts them imports them.
ALONE = frozenset({"agent", "push", "lookup", "client", "difference"})
STARTS_THEM = frozenset({"ops", "cli", "__main__", "urls", "wsgi"})


def rooms(package: Path = PACKAGE) -> set[str]:
    """All that stands in the package: folders with an `__init__.py`, and modules."""
    folders = {each.parent.name for each in package.glob("*/__init__.py")}
    return folders | {each.stem for each in package.glob("*.py")} - {"__init__"}


def forbidden(bound: Bound, package: Path = PACKAGE) -> set[str]:
    """The rooms that these rooms cannot reach."""
    return rooms(package) - bound.reach - set(bound.rooms) - EVERYWHERE


def contracts(package: Path = PACKAGE) -> Iterator[dict[str, Any]]:
    """The contracts as import-linter takes them, for the rooms of this package."""
    yield {
        "id": "floors",
        "name": "A room imports only from floors below its own",
        "type": "layers",
        "containers": ["rahdari"],
        "layers": [" | ".join(floor) for floor in FLOORS],
        "exhaustive": True,
        "exhaustive_ignores": list(BESIDE),
    }
    for bound in BOUNDS:
        yield _forbidden(bound.id, bound.name, bound.rooms, forbidden(bound, package))
    yield _forbidden(
        "nobody-imports-the-agent",
        "No room imports the agent, push, lookup, the client or the kit that compares",
        rooms(package) - ALONE - STARTS_THEM,
        ALONE,
    )
    yield {
        **_forbidden("facts-without-django", "These do without Django and without a database", WITHOUT_DJANGO, ()),
        "forbidden_modules": ["django", "psycopg", "allauth"],
    }
    for room in OPTIONAL:
        own, others = of_room(room, package)
        for needs_it in (each for each, needed in optional.NEEDS.items() if needed == room):
            others -= of_room(needs_it, package)[0]
        yield {
            **_forbidden(f"without-{room}", f"Nothing that stays imports {room}, which can be left out", others, own),
            "as_packages": "False",
            "allow_indirect_imports": "True",
        }
    for room in WITH_LAYERS_INSIDE:
        yield {
            "id": f"order-inside-{room}",
            "name": f"Inside {room}: views, api and commands above actions, queries, models, rules",
            "type": "layers",
            "containers": [f"rahdari.{room}"],
            "layers": list(INSIDE),
        }


def of_room(room: str, package: Path = PACKAGE) -> tuple[set[str], set[str]]:
    """The modules that go when this room is left out: its own, and what it adds to others, which have its name or begin
    with it (`workflow/fees.py`, `ops/attest_samples.py`). And those that stay."""
    own, others = set(), set()
    for path in package.rglob("*.py"):
        parts = [part for part in path.relative_to(package).with_suffix("").parts if part != "__init__"]
        goes = any(part == room or part.startswith(f"{room}_") for part in parts)
        goes = goes and (parts[0] == room or parts[0] not in FACTS | set(BESIDE))
        (own if goes else others).add(".".join(parts))
    return own, others - {""}


def _forbidden(id: str, name: str, sources: Any, targets: Any) -> dict[str, Any]:
    return {
        "id": id,
        "name": name,
        "type": "forbidden",
        "source_modules": [f"rahdari.{room}" for room in sorted(sources)],
        "forbidden_modules": [f"rahdari.{room}" for room in sorted(targets)],
    }
