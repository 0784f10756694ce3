"""Every text of every room has its Urdu, and it passes the mechanical checks."""

import os
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import polib
import pytest
from django.apps import apps
from django.core.management import call_command

from rahdari import policy
from rahdari.policy.shapes import Text
from tests import urdu
from tests.needs import needs_program

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ROOT / "src" / "rahdari"
CATALOGUES = sorted(ROOMS.glob("*/locale/ur/LC_MESSAGES/django.po"))
SPEAKING = sorted(path.parent.name for path in ROOMS.glob("*/apps.py"))
EACH = pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parents[3].name)

type Key = tuple[str | None, str]


def forms(entry: polib.POEntry) -> Iterator[tuple[str, str, str]]:
    """English, Urdu, and the placeholder that this form may leave out."""
    if not entry.msgid_plural:
        yield entry.msgid, entry.msgstr, ""
        return
    for number, english in ((0, entry.msgid), (1, entry.msgid_plural)):
        # The form for one may say "one" without its figure; %(max)d and the like are counts of Django's own sentences.
        counts = [place for place in urdu.PLACE.findall(entry.msgid) if place[0] in {"count", "counter", "limit_value"}]
        yield english, entry.msgstr_plural.get(number, ""), f"%({counts[0][0]})s" if number == 0 and counts else ""


class TestCatalogue:
    @EACH
    def test_says_everything_in_good_urdu(self, path: Path) -> None:
        problems = []
        for entry in polib.pofile(str(path)):
            if entry.obsolete:
                problems.append(f"{entry.msgid!r} is not used any more")
                continue
            if entry.fuzzy:
                problems.append(f"{entry.msgid!r} is marked fuzzy")
            for english, text, count in forms(entry):
                found = urdu.pair_problems(english, text, count_may_go=count)
                problems += [f"{problem}, for {english[:80]!r}" for problem in found]
        assert problems == []

    @EACH
    def test_has_the_header_that_its_plurals_need(self, path: Path) -> None:
        header = polib.pofile(str(path)).metadata
        assert header["Language"] == "ur"
        assert header["Plural-Forms"] == "nplurals=2; plural=(n != 1);"

    @EACH
    def test_passes_the_checks_of_gettext(self, path: Path) -> None:
        msgfmt = needs_program("msgfmt", "apt-get install gettext")
        done = subprocess.run([msgfmt, "--check-format", "-o", os.devnull, str(path)], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    @pytest.mark.parametrize("room", SPEAKING)
    def test_holds_each_text_of_its_room_and_no_other(
        self, room: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        needs_program("xgettext", "apt-get install gettext")
        copy = tmp_path / room
        shutil.copytree(ROOMS / room, copy, ignore=shutil.ignore_patterns("*.po", "*.mo", "__pycache__", "static"))
        (copy / "locale").mkdir(exist_ok=True)
        monkeypatch.chdir(copy)
        call_command("makemessages", locale=["ur"], no_location=True, no_wrap=True, verbosity=0)
        in_source = keys(copy / "locale/ur/LC_MESSAGES/django.po")
        in_catalogue = keys(ROOMS / room / "locale/ur/LC_MESSAGES/django.po")
        assert sorted(map(str, in_source - in_catalogue)) == []
        assert sorted(map(str, in_catalogue - in_source)) == []


def keys(path: Path) -> set[Key]:
    if not path.exists():
        return set()
    return {(entry.msgctxt, entry.msgid) for entry in polib.pofile(str(path)) if not entry.obsolete}


class TestCatalogues:
    def test_say_the_same_in_every_room(self) -> None:
        said: defaultdict[Key, defaultdict[tuple[str, ...], list[str]]] = defaultdict(lambda: defaultdict(list))
        for path in CATALOGUES:
            for entry in polib.pofile(str(path)):
                if not entry.obsolete:
                    translations = tuple(entry.msgstr_plural.values()) or (entry.msgstr,)
                    said[entry.msgctxt, entry.msgid][translations].append(path.parents[3].name)
        # Catalogues are merged into one: of two translations one would be shown in both places.
        assert {key: dict(found) for key, found in said.items() if len(found) > 1} == {}

    def test_win_over_those_of_the_libraries(self) -> None:
        order = [config.name for config in apps.get_app_configs()]
        ours = {
            (entry.msgctxt, entry.msgid): (order.index(f"rahdari.{path.parents[3].name}"), entry.msgstr)
            for path in CATALOGUES
            for entry in polib.pofile(str(path))
        }
        lost = []
        for place, config in enumerate(apps.get_app_configs()):
            theirs = Path(config.path) / "locale/ur/LC_MESSAGES/django.po"
            if config.name.startswith("rahdari.") or not theirs.exists():
                continue
            # An app that stands earlier in INSTALLED_APPS wins over one that stands later.
            lost += [
                (config.name, entry.msgid)
                for entry in polib.pofile(str(theirs))
                if entry.msgstr and (our := ours.get((entry.msgctxt, entry.msgid)))
                if place < our[0] and entry.msgstr != our[1]
            ]
        assert lost == []


def texts(value: object, seen: set[int] | None = None) -> Iterator[Text]:
    """Every pair of English and Urdu within a policy."""
    seen = set() if seen is None else seen
    if id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, Text):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from texts(part, seen)
    elif isinstance(value, tuple | list | frozenset | set):
        for part in value:
            yield from texts(part, seen)
    elif hasattr(value, "__dataclass_fields__"):
        for name in value.__dataclass_fields__:
            yield from texts(getattr(value, name), seen)


class TestPolicy:
    def test_speaks_good_urdu(self) -> None:
        found = list(texts(policy.current(None)))
        assert len(found) > 40
        problems = [
            f"{problem}, for {text.en[:80]!r}" for text in found for problem in urdu.pair_problems(text.en, text.ur)
        ]
        assert problems == []
