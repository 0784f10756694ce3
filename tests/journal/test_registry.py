"""Each act is declared once, by its room: nothing else is recorded, and what is declared is recorded somewhere."""

import ast
import re
import sys
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy, override

from rahdari import workflow  # noqa: F401 - it loads each kind of inquiry
from rahdari.inquiry.kinds import Kind
from rahdari.inquiry.rules import ACTS
from rahdari.journal import actions, registry
from rahdari.journal.models import JournalEntry
from rahdari.journal.registry import EVERYBODY, Act

PACKAGE = Path(registry.__file__).parents[1]
KEY = re.compile(r"[a-z]+\.[a-z0-9_]+")


class TestRecord:
    @pytest.mark.django_db
    @pytest.mark.parametrize("act", ["apply.took_a_walk", "attest.read", "", "apply"])
    def test_refuses_an_act_that_is_not_declared(self, act: str) -> None:
        with pytest.raises(registry.UndeclaredAct, match=r"declare it in the acts\.py of its room"):
            actions.record(act=act, actor="person:1", subject="application:1", now=timezone.now())
        assert not JournalEntry.objects.exists()

    @pytest.mark.django_db
    def test_refuses_a_read_for_which_no_holder_asks(self) -> None:
        facts: dict[str, Any] = {"actor": "operator:sample-fibre", "now": timezone.now()}
        with pytest.raises(actions.ReadOfNobody):
            actions.record(act="confirm.downloaded", subject="operator:sample-fibre", **facts)
        with pytest.raises(actions.ReadOfNobody):
            actions.record_list(act="confirm.listed", where="operator:sample-fibre", shown=["question:1"], **facts)
        assert not JournalEntry.objects.exists()

    @pytest.mark.django_db
    def test_keeps_a_long_list_in_several_rows(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(actions, "AT_ONCE", 2)
        shown = ["application:1", "application:2", "application:1", "application:3"]
        actions.record_list(
            act="confirm.listed", actor="operator:x", where="operator:x", shown=shown, now=timezone.now()
        )
        rows = JournalEntry.objects.order_by("id").values_list("detail__shown", flat=True)
        assert list(rows) == [["application:1", "application:2"], ["application:3"]]


class TestAnAct:
    @pytest.mark.parametrize(
        "facts",
        [
            {"key": "took_case"},
            {"key": "decide.took_case", "sentence": "Case taken"},
            {"key": "decide.took_case", "shown_to": EVERYBODY},
            {"key": "decide.took_case", "why": "To see"},
        ],
    )
    def test_without_its_name_or_sentence_does_not_load(self, facts: dict[str, object]) -> None:
        with pytest.raises(ValueError, match=r"took_case: (an act|of a read)"):
            Act(**facts)  # type: ignore[arg-type]

    def test_is_declared_once(self) -> None:
        with pytest.raises(ValueError, match="declared twice"):
            registry.declare(Act("decide.took_case"))

    def test_that_is_known_no_more_has_no_words(self) -> None:
        assert registry.words_of("decide.of_an_earlier_version") == Act("decide.of_an_earlier_version")

    def test_has_its_words_in_both_languages(self) -> None:
        assert untranslated(registry.declared().values()) == []

    def test_without_its_words_in_urdu_is_found(self) -> None:
        planted = Act("decide.took_a_walk", gettext_lazy("Took a walk that nobody translated"), EVERYBODY)
        assert untranslated([planted]) == ["decide.took_a_walk: Took a walk that nobody translated"]
        assert untranslated([Act("decide.took_a_walk", "Not marked", EVERYBODY)]) == ["decide.took_a_walk: Not marked"]


def untranslated(acts: Iterable[Act]) -> list[str]:
    found = []
    for act in acts:
        for words in act.words():
            with override("ur"):
                said = str(words)
            if not isinstance(words, Promise) or not re.search("[\u0600-\u06ff]", said):
                found.append(f"{act.key}: {words}")
    return found


# -- what the code records -------------------------------------------------------------------------------------------


def modules(package: Path) -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(package.rglob("*.py")):
        if "migrations" not in path.parts and path.name != "acts.py":
            yield path.relative_to(package).parts[0], ast.parse(path.read_text(encoding="utf-8"))


def name_of(call: ast.Call) -> str:
    return ast.unparse(call.func).rpartition(".")[2]


def recorded(trees: list[tuple[str, ast.Module]]) -> tuple[set[str], list[re.Pattern[str]]]:
    """The acts that are recorded by their name, and the patterns of those whose name is put together.

    A helper is a function with a parameter `act` that records it, or passes it to another helper of the room.
    """
    keys: set[str] = set()
    patterns: list[re.Pattern[str]] = []
    helpers: dict[tuple[str, str], tuple[int, str]] = {}
    functions = [(room, each) for room, tree in trees for each in ast.walk(tree) if isinstance(each, ast.FunctionDef)]
    for room, function in functions:
        given = [each.arg for each in (*function.args.args, *function.args.kwonlyargs)]
        # What is recorded under a name that was chosen before.
        for node in ast.walk(function):
            if isinstance(node, ast.Assign) and any(ast.unparse(each) == "act" for each in node.targets):
                keys |= {each for each in constants(node.value) if KEY.fullmatch(each)}
        if "act" not in given or room == "journal":
            continue
        defaults = filter(None, (*function.args.defaults, *function.args.kw_defaults))
        keys |= {each for default in defaults for each in constants(default) if KEY.fullmatch(each)}
        for call in (each for each in ast.walk(function) if isinstance(each, ast.Call)):
            for keyword in call.keywords:
                if keyword.arg == "act" and name_of(call) in {"record", "record_list"}:
                    text = ast.unparse(keyword.value)
                    prefix = text[2:].partition("{")[0] if text.startswith("f'") else ""
                    helpers[room, function.name] = (given.index("act"), prefix)
    for room, tree in trees:
        for call in (each for each in ast.walk(tree) if isinstance(each, ast.Call)):
            place, prefix = helpers.get((room, name_of(call)), (-1, ""))
            values = [each.value for each in call.keywords if each.arg == "act"]
            if place >= 0 and len(call.args) > place:
                values.append(call.args[place])
            if place < 0 and name_of(call) not in {"record", "record_list"}:
                continue
            for value in values:
                if isinstance(value, ast.JoinedStr) and ast.unparse(value)[2:].partition("{")[0] != f"{room}.":
                    parts = (
                        re.escape(str(each.value)) if isinstance(each, ast.Constant) else r"\w+"
                        for each in value.values
                    )
                    patterns.append(re.compile("".join(parts)))
                elif not isinstance(value, ast.JoinedStr):
                    named = {each if "." in each else prefix + each for each in constants(value)}
                    keys |= {each for each in named if KEY.fullmatch(each)}
    return keys, patterns


def constants(node: ast.AST) -> Iterator[str]:
    for each in ast.walk(node):
        if isinstance(each, ast.Constant) and isinstance(each.value, str):
            yield each.value


def of_inquiries() -> set[str]:
    """What the engine of inquiries records for each kind: it makes the names of the room and the move."""
    kinds: dict[int, Kind[Any]] = {
        id(each): each
        for name, module in list(sys.modules.items())
        if name.startswith("rahdari.")
        for each in vars(module).values()
        if isinstance(each, Kind)
    }
    return {f"{kind.room}.{act}" for kind in kinds.values() for act in ("asked", *(ACTS[move] for move in kind.moves))}


def faults(trees: list[tuple[str, ast.Module]], declared: set[str], more: Collection[str] = ()) -> list[str]:
    keys, patterns = recorded(trees)
    keys |= set(more)
    composed = {key for key in declared for pattern in patterns if pattern.fullmatch(key)}
    return [
        *(f"{key} is recorded and not declared" for key in sorted(keys - declared)),
        *(f"{key} is declared and not recorded" for key in sorted(declared - keys - composed)),
        *(f"{each.pattern} fits no declared act" for each in patterns if not any(map(each.fullmatch, declared))),
    ]


class TestTheCode:
    def test_records_what_is_declared_and_all_of_it(self) -> None:
        assert len(of_inquiries()) > 10
        assert faults(list(modules(PACKAGE)), set(registry.declared()), of_inquiries()) == []

    def test_that_does_not_is_found(self) -> None:
        planted = """
def _record(case, act):
    journal.record(act=f"decide.{act}", subject=case.subject)

def walk(case):
    _record(case, "took_a_walk" if case else "sat_down")
    journal.record(act="decide.ran", subject=case.subject)
    journal.record(act=f"decide.swam_{case.lake}", subject=case.subject)
"""
        trees = [("decide", ast.parse(planted))]
        assert faults(trees, {"decide.took_a_walk", "decide.flew"}) == [
            "decide.ran is recorded and not declared",
            "decide.sat_down is recorded and not declared",
            "decide.flew is declared and not recorded",
            r"decide\.swam_\w+ fits no declared act",
        ]
