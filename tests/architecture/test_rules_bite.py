"""A rule that cannot fail holds nothing: each is shown a copy of the package with one fault planted in it."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from . import rules
from .linter import lint_imports

ROOT = Path(__file__).resolve().parents[2]

FAULTS: list[tuple[Callable[[Path], list[str]], str, str, str]] = [
    (
        rules.a_room_is_entered_by_its_face,
        "portal/fault.py",
        "from rahdari.apply import screening\n",
        "enters apply by screening",
    ),
    (
        rules.no_room_queries_another_rooms_model,
        "decide/fault.py",
        "from rahdari.apply.models import Application\nrows = Application.objects.all()\n",
        "queries a model of apply",
    ),
    (
        rules.no_template_uses_another_rooms,
        "decide/templates/decide/fault.html",
        '{% include "portal/public/check.html" %}',
        "uses portal/public/check.html",
    ),
    (
        rules.only_the_edge_asks_the_time,
        "register/fault.py",
        "from django.utils import timezone\nnow = timezone.now()\n",
        "asks the clock",
    ),
    (
        rules.nothing_is_made_for_blocking,
        "agent/fault.py",
        "def render_blocklist() -> None: ...\n",
        "named for blocking",
    ),
    (rules.the_agent_renders_no_verdict, "agent/nft_fault.py", 'RULE = "ip daddr @rahdari drop"\n', "renders drop"),
    (rules.no_file_outgrows_a_mind, "address/fault.py", "x = 1\n" * 501, "has 501 lines"),
]

IMPORTS = [
    ("register/fault.py", "from rahdari.people import queries\n", "A room imports only from floors below its own"),
    ("apply/fault.py", "from rahdari.verify import queries\n", "A room imports only from floors below its own"),
    ("publish/fault.py", "from rahdari.people import queries\n", "What is published cannot reach a person"),
    ("publish/fault.py", "from rahdari.mobile import queries\n", "A mobile line is told to its own operator alone"),
    ("register/fault.py", "from rahdari.mobile import models\n", "A mobile line is told to its own operator alone"),
    ("mobile/fault.py", "from rahdari.publish import actions\n", "The room of mobile lines publishes nothing"),
    ("verify/fault.py", "from rahdari.apply import queries\n", "Verify does not know who asked"),
    ("proof/fault.py", "import django\n", "do without Django"),
    ("agent/fault.py", "from rahdari.policy import load\n", "The agent imports address, proof and probe"),
    ("push/fault.py", "from rahdari.publish import keys\n", "The push process imports proof and address"),
    ("lookup/fault.py", "from rahdari.publish import keys\n", "The lookup process imports proof and address"),
    ("lookup/fault.py", "from rahdari.push import access\n", "The lookup process imports proof and address"),
    ("push/fault.py", "from rahdari.lookup import views\n", "The push process imports proof and address"),
    ("lookup/fault.py", "import psycopg\n", "without a database"),
    ("portal/fault.py", "from rahdari.agent import state\n", "No room imports the agent"),
    ("register/models.py", "from rahdari.register import actions\n", "Inside register"),
    ("attic/__init__.py", "", "A room imports only from floors below its own"),
]


@pytest.fixture
def package(tmp_path: Path) -> Path:
    copy = tmp_path / "src" / "rahdari"
    shutil.copytree(
        ROOT / "src" / "rahdari", copy, ignore=shutil.ignore_patterns("__pycache__", "*.mo", "static", "data")
    )
    return copy


def plant(package: Path, place: str, text: str) -> None:
    path = package / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text + (path.read_text() if path.exists() else ""))


@pytest.mark.parametrize(("rule", "place", "text", "said"), FAULTS, ids=[fault[0].__name__ for fault in FAULTS])
def test_a_planted_fault_is_seen(
    package: Path, rule: Callable[[Path], list[str]], place: str, text: str, said: str
) -> None:
    before = rule(package)
    plant(package, place, text)
    assert [line for line in rule(package) if line not in before and said in line]


def test_every_rule_is_shown_a_fault() -> None:
    assert {fault[0] for fault in FAULTS} == set(rules.ALL)


@pytest.mark.parametrize(
    ("place", "text", "contract"), IMPORTS, ids=[f"{place}-{text[:40].strip()}" for place, text, _ in IMPORTS]
)
def test_a_planted_import_is_seen(tmp_path: Path, package: Path, place: str, text: str, contract: str) -> None:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    plant(package, place, text)
    broken = [line for line in _lines(lint_imports(tmp_path)) if line.endswith("BROKEN")]
    assert any(contract in line for line in broken), broken


def _lines(report: str) -> list[str]:
    """The contracts of a report, each on one line (long names are wrapped)."""
    lines: list[str] = []
    for line in report.splitlines():
        if lines and not lines[-1].endswith(("KEPT", "BROKEN")) and lines[-1]:
            lines[-1] += " " + line.strip()
        else:
            lines.append(line.strip())
    return lines
