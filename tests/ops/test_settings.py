"""How the settings read the address of the database, that a database which hangs is not waited for, which engine
renders the pages, and that the example of deploy/ has every setting."""

import argparse
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.checks import run_checks
from django.db import OperationalError
from django.db.backends.postgresql.base import DatabaseWrapper

from rahdari.ops import commands, doctor_settings, serving
from rahdari.ops.checks import NOTE, WRONG
from rahdari.settings import engine
from rahdari.settings.base import PATIENCE, PREPARED, THE_ONE_THAT_WRITES, database, replica
from tests.needs import needs_package

TREE = Path(__file__).parents[2]
# What Django puts into each database of the settings.
USUAL = {"ATOMIC_REQUESTS": False, "AUTOCOMMIT": True, "TIME_ZONE": None, "TEST": {}}


class TestDatabase:
    def test_is_read_from_an_address(self) -> None:
        read = database("postgresql://someone:a%40b@db.example:6432/register?sslmode=verify-full")
        assert (read["USER"], read["PASSWORD"], read["HOST"]) == ("someone", "a@b", "db.example")
        assert (read["PORT"], read["NAME"]) == ("6432", "register")
        assert read["OPTIONS"] == PATIENCE | THE_ONE_THAT_WRITES | PREPARED | {"sslmode": "verify-full"}

    def test_of_several_servers_has_all_of_them(self) -> None:
        read = database("postgresql://someone:a%40b@one.example:6432,[2001:db8::2]:6433/register")
        assert (read["USER"], read["PASSWORD"], read["NAME"]) == ("someone", "a@b", "register")
        assert (read["HOST"], read["PORT"]) == ("one.example,2001:db8::2", "6432,6433")

    def test_with_a_word_that_nobody_knows_is_refused_by_that_word(self) -> None:
        with pytest.raises(ValueError, match="conect_timeout"):
            database("postgresql:///register?conect_timeout=2")

    def test_has_the_patience_that_its_address_gives(self) -> None:
        options = database("postgresql:///register?connect_timeout=2")["OPTIONS"]
        assert isinstance(options, dict) and options["connect_timeout"] == "2"

    @pytest.mark.parametrize("url", ["mysql://db.example/x", "register", ""])
    def test_of_another_kind_is_refused_with_the_form_it_must_have(self, url: str) -> None:
        with pytest.raises(ValueError, match="must begin with postgresql://"):
            database(url)

    @pytest.mark.django_db
    def test_that_takes_the_connection_and_says_nothing_is_given_up(self) -> None:
        """As a stopped process or a full machine does. Without patience of our own this test would never end."""
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = f"postgresql://x@127.0.0.1:{silent.getsockname()[1]}/x?connect_timeout=2&sslmode=disable"
            wrapper = DatabaseWrapper(USUAL | database(url))
            with pytest.raises(OperationalError, match="timeout"):
                wrapper.ensure_connection()

    def test_that_is_only_read_may_be_a_standby_and_is_never_written(self) -> None:
        options = replica("postgresql://someone@db2.example/register?sslmode=verify-full")["OPTIONS"]
        assert isinstance(options, dict) and options["sslmode"] == "verify-full"
        assert options["target_session_attrs"] == "any" and "read_only=on" in options["options"]


RENDER = """
import sys
if "{gone}":
    sys.modules["django_rust_templates"] = None
import django
from django.conf import settings
from django.template import engines
django.setup()
(used,) = engines.all()
page = used.from_string("{{{{ word }}}}").render({{"word": "<"}})
print(settings.TEMPLATES[0]["BACKEND"], settings.FORM_RENDERER, page)
"""


class TestEngine:
    """Of the templates: asked for by RAHDARI_TEMPLATES."""

    @pytest.fixture
    def without_rust(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "django_rust_templates", None)
        monkeypatch.setenv("RAHDARI_TEMPLATES", "rust")

    @pytest.mark.parametrize(
        ("asked", "gone", "used"),
        [("", "", engine.DJANGO), ("rust", "", engine.RUST), ("rust", "gone", engine.DJANGO)],
    )
    def test_renders_pages(self, asked: str, gone: str, used: tuple[str, str]) -> None:
        if used == engine.RUST:
            needs_package("django_rust_templates", "pip install 'rahdari[templates]'")
        child = subprocess.run(
            [sys.executable, "-c", RENDER.format(gone=gone)],
            env=os.environ | {"RAHDARI_TEMPLATES": asked, "DJANGO_SETTINGS_MODULE": "rahdari.settings.test"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert child.stdout == f"{' '.join(used)} &lt;\n" and child.stderr == ""

    @pytest.mark.usefixtures("without_rust")
    def test_that_is_missing_is_told_once_by_who_starts_the_pages(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr(serving, "serve_web", lambda **_: None)
        assert commands.run_web(argparse.Namespace(host="127.0.0.1", port=1, workers=2, threads=4)) == 0
        (said,) = capsys.readouterr().err.splitlines()
        assert "Django's renders the pages" in said and "pip install 'rahdari[templates]'" in said

    @pytest.mark.usefixtures("without_rust")
    def test_that_is_missing_is_told_by_the_doctor(self) -> None:
        (finding,) = doctor_settings.check_engine({"RAHDARI_TEMPLATES": "rust"})
        assert finding.state == NOTE and "Django's renders the pages" in finding.text
        assert not list(doctor_settings.check_engine({}))

    def test_that_nobody_knows_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("RAHDARI_TEMPLATES", "jinja")
        with pytest.raises(ValueError, match=r"RAHDARI_TEMPLATES is jinja\. Set it to django or rust"):
            engine.classes()
        (finding,) = doctor_settings.check_engine(os.environ)
        assert finding.state == WRONG


class TestExample:
    # What processes tell each other, and what stands in no file.
    OURS = {"RAHDARI_WEB_THREADS"}

    def read_by_the_processes(self) -> set[str]:
        folders = (TREE / "src" / "rahdari" / name for name in ("settings", "lookup", "push", "ops/backup"))
        files = [path for folder in folders for path in sorted(folder.rglob("*.py"))]
        files += [TREE / "src" / "rahdari" / name for name in ("optional.py", "ops/postgres.py")]
        text = "".join(path.read_text() for path in files)
        return set(re.findall(r"\w+\(\s*[\"'](RAHDARI_[A-Z_]+)[\"']", text)) - self.OURS

    def test_names_every_setting_and_no_other(self) -> None:
        example = (TREE / "deploy" / "rahdari.env").read_text()
        named = set(re.findall(r"^#?(RAHDARI_[A-Z_]+)=", example, re.MULTILINE))
        assert len(named) > 20
        assert named == self.read_by_the_processes() | {"RAHDARI_DATA"}

    def test_is_explained(self) -> None:
        page = (TREE / "docs" / "install.md").read_text(encoding="utf-8")
        explained = set(re.findall(r"^\| (.*?) \|", page, re.MULTILINE))
        told = {name for cell in explained for name in re.findall(r"`(RAHDARI_[A-Z_]+)`", cell)}
        assert self.read_by_the_processes() <= told


def test_django_finds_nothing_to_warn_of() -> None:
    assert [str(each) for each in run_checks() if not each.is_silenced()] == []
