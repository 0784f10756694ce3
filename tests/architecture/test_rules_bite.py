"""A rule that cannot fail holds nothing: each is shown a fault that was planted."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from . import rules
from .linter import lint_imports

ROOT = Path(__file__).resolve().parents[2]

FAULTS: list[tuple[Callable[[Path], list[str]], str, str, str]] = [
    (
        rules.a_room_is_entered_by_what_is_public,
        "portal/fault.py",
        "from rahdari.apply import views\n",
        "enters apply by views",
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
        rules.a_value_in_a_link_keeps_its_spaces,
        "decide/templates/decide/fault.html",
        '<a class="textlink" href="/">{% if x %}{% blocktranslate with n=x|ltr trimmed %}Open {{ n }}'
        "{% endblocktranslate %}{% endif %}</a>",
        "has no <span> around",
    ),
    (
        rules.links_beside_each_other_keep_a_distance,
        "decide/templates/decide/fault.html",
        '<p><a class="btn" href="/">{{ x }}</a> {% if y %}<a class="textlink" href="/">Other</a>{% endif %}</p>',
        "has two links or buttons side by side",
    ),
    (
        rules.a_title_says_once_that_something_is_wrong,
        "decide/templates/decide/fault.html",
        '{% block title %}{% if form.errors %}{% translate "Error:" %} {% endif %}A title{% endblock title %}',
        "says it in its title and so twice",
    ),
    (
        rules.a_title_says_once_that_something_is_wrong,
        "decide/templates/decide/fault.html",
        "{% block title %}A title{% endblock title %}{% error_summary form other_form %}",
        "does not say other_form.errors",
    ),
    (
        rules.only_the_edge_asks_the_time,
        "register/fault.py",
        "from django.utils import timezone\nnow = timezone.now()\n",
        "asks the clock",
    ),
    (
        rules.a_use_case_knows_no_request,
        "applicant/fault.py",
        "from django.http import HttpRequest\n",
        "knows a surface: django.http",
    ),
    *(
        (
            rules.locks_and_wake_ups_have_one_place,
            "share/fault.py",
            f"def act(cursor, name):\n    cursor.execute({written})\n",
            "has a lock or a wake-up of its own",
        )
        for written in (
            '"SELECT pg_advisory_xact_lock(hashtextextended(%s, 13))", [name]',
            '"SELECT pg_try_advisory_lock(13)"',
            '"NOTIFY rahdari_workflow"',
            'f"NOTIFY {name}"',
            '"SELECT pg_notify(%s, %s)", [name, ""]',
        )
    ),
    (rules.no_file_outgrows_a_mind, "address/fault.py", "x = 1\n" * 801, "has 801 lines"),
]

IMPORTS = [
    ("register/fault.py", "from rahdari.people import queries\n", "A room imports only from floors below its own"),
    ("apply/fault.py", "from rahdari.checks import queries\n", "A room imports only from floors below its own"),
    ("publish/fault.py", "from rahdari.people import queries\n", "What is published cannot reach a person"),
    ("publish/fault.py", "from rahdari.mobile import queries\n", "What is published cannot reach a person"),
    ("register/fault.py", "from rahdari.mobile import models\n", "The register lies under people"),
    ("mobile/fault.py", "from rahdari.publish import actions\n", "The room of mobile lines publishes nothing"),
    ("checks/fault.py", "from rahdari.apply import queries\n", "Control and checks do not know who asked"),
    ("confirm/fault.py", "from rahdari.apply import queries\n", "The desk of operators does not know who asked"),
    ("attest/fault.py", "from rahdari.apply import queries\n", "The desk of associations knows no application"),
    ("feed/fault.py", "import django\n", "do without Django"),
    ("agent/fault.py", "from rahdari.policy import load\n", "The agent reaches address, feed, probe and preflight"),
    ("push/fault.py", "from rahdari.publish import keys\n", "The push process reaches address and feed"),
    ("lookup/fault.py", "from rahdari.publish import keys\n", "The lookup process reaches address and feed"),
    ("lookup/fault.py", "from rahdari.push import access\n", "The lookup process reaches address and feed"),
    ("push/fault.py", "from rahdari.lookup import views\n", "The push process reaches address and feed"),
    ("lookup/fault.py", "import psycopg\n", "without a database"),
    ("portal/fault.py", "from rahdari.agent import state\n", "No room imports the agent"),
    ("fees/fault.py", "from rahdari.agent import state\n", "No room imports the agent"),
    ("agent/fault.py", "from rahdari.fees import rules\n", "The agent reaches address, feed, probe and preflight"),
    ("client/fault.py", "from rahdari.share import rules\n", "The applicants' client reaches feed"),
    ("vantage/fault.py", "from rahdari.mobile import rules\n", "A vantage reaches address, feed and probe"),
    ("push/fault.py", "from rahdari.attest import rules\n", "The push process reaches address and feed"),
    ("lookup/fault.py", "from rahdari.api import rules\n", "The lookup process reaches address and feed"),
    ("register/models.py", "from rahdari.register import actions\n", "Inside register"),
    ("api/fault.py", "from rahdari.portal import navigation\n", "A room imports only from floors below its own"),
    ("portal/fault.py", "from rahdari.api import rules\n", "A room imports only from floors below its own"),
    ("portal/fault.py", "from rahdari.workflow import terms\n", "A room imports only from floors below its own"),
    ("applicant/fault.py", "from rahdari.portal import navigation\n", "A room imports only from floors below its own"),
    ("decide/fault.py", "from rahdari.applicant import stages\n", "A room imports only from floors below its own"),
    ("workflow/fault.py", "from rahdari.remote import queries\n", "Nothing that stays imports remote"),
    ("decide/fault.py", "from . import remote\n", "Nothing that stays imports remote"),
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
    tmp_path: Path, rule: Callable[[Path], list[str]], place: str, text: str, said: str
) -> None:
    """In a package of this one file: these rules look at each file by itself."""
    plant(tmp_path, place, text)
    (line,) = rule(tmp_path)
    assert line.startswith(place) and said in line


def test_every_rule_is_shown_a_fault() -> None:
    assert {fault[0] for fault in FAULTS} == set(rules.ALL)


def test_planted_imports_are_seen(tmp_path: Path, package: Path) -> None:
    """All in one copy, since the linter reads all of it each time; each in a file of its own, by which it is known."""
    planted = []
    for number, (place, text, contract) in enumerate(IMPORTS):
        named = place.replace("fault", f"fault_{number}")
        plant(package, named, text)
        planted.append((f"rahdari.{named.removesuffix('.py').removesuffix('/__init__').replace('/', '.')}", contract))
    details = details_of(lint_imports(tmp_path))
    unseen = [
        f"{module}: {contract}"
        for module, contract in planted
        if not any(
            re.search(rf"^- +{re.escape(module)}(?: |$)", said, re.MULTILINE)
            for heading, said in details.items()
            if contract in heading
        )
    ]
    assert unseen == []


def details_of(report: str) -> dict[str, str]:
    """What a report says of each broken contract, by its name."""
    parts = re.split(r"^(.+)\n-+$", report.partition("Broken contracts\n")[2], flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))
