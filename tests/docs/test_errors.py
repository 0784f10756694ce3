"""docs/errors.md says what the program says: each sentence and the test that holds it are looked up."""

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import polib
from django import forms
from django.utils.functional import Promise
from django.utils.translation import override

import rahdari

from . import refusals
from .named_tests import missing_tests

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "docs" / "errors.md"
SOURCE = ROOT / "src" / "rahdari"
# A value in a sentence of a command: "…".
VALUE = "…"


def rows() -> list[tuple[bool, list[str]]]:
    """Each row of each table, and whether a page says its sentence."""
    found, for_people = [], False
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("|") and not re.match(r"\|[ -]+\|", line):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            if cells[0] == "What happens":
                for_people = cells[1] == "What the page says"
            else:
                found.append((for_people, cells))
    return found


ROWS = rows()
FOR_PEOPLE = [cells[1].strip("“”") for for_people, cells in ROWS if for_people and cells[1]]
FOR_OPERATORS = [cells[1].strip("“”") for for_people, cells in ROWS if not for_people and cells[1]]


def catalogues() -> set[str]:
    """Every English sentence of the pages; of those for one and for many, that for many."""
    return {
        entry.msgid_plural or entry.msgid
        for path in SOURCE.glob("*/locale/ur/LC_MESSAGES/django.po")
        for entry in polib.pofile(str(path))
    }


def sentences() -> str:
    """Every text of the code, with "…" where a value is put in, one a line."""
    found = []
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(re.sub(r"%[sdrg]", VALUE, node.value))
            elif isinstance(node, ast.JoinedStr):
                parts = (part.value if isinstance(part, ast.Constant) else VALUE for part in node.values)
                found.append("".join(map(str, parts)))
    return "\n".join(" ".join(text.split()) for text in found)


def test_the_page_has_its_tables() -> None:
    assert len(FOR_PEOPLE) > 60
    assert len(FOR_OPERATORS) > 25
    assert {len(cells) for _for_people, cells in ROWS} == {4}


def test_a_sentence_for_people_is_one_of_the_catalogues() -> None:
    assert sorted(set(FOR_PEOPLE) - catalogues()) == []


def test_a_sentence_for_operators_stands_in_the_code() -> None:
    said = sentences()
    assert [sentence for sentence in FOR_OPERATORS if sentence not in said] == []


def test_each_row_names_a_test_that_is_there() -> None:
    assert [cells[0] for _for_people, cells in ROWS if "::" not in cells[-1]] == []
    assert missing_tests(cells[-1] for _for_people, cells in ROWS) == []


class TestTheWhole:
    """The page of refusals is made from the policy, the code and the catalogues."""

    def test_has_each_in_both_languages_and_with_a_way_out(self) -> None:
        rows = [line for line in refusals.page().splitlines() if line.startswith("| ") and "---" not in line]
        told = [row for row in rows if "What is said" not in row]
        assert len(told) > 350
        assert [row for row in told if re.search(r"\|\s+\|", row)] == [], "an empty cell"

    def test_finds_what_a_function_a_name_and_a_table_say(self) -> None:
        found = refusals.refusals()
        assert "A card number does not begin with 0. Check the card again." in found["apply"]
        assert "The date %(value)s cannot be read. Enter it like %(day)s." in found["fees"]
        assert "This invoice is in %(currency)s. Choose one in the currency of the payment." in found["fees"]

    def test_has_what_the_fields_of_every_form_say(self) -> None:
        """Another way to the same: the forms as they are, not as they are written."""
        page = refusals.page() + PAGE.read_text(encoding="utf-8")
        lost = {
            (form.__qualname__, name, code): text
            for form, name, code, text in messages_of_forms()
            if f"“{text}”" not in page
        }
        assert lost == {}


def messages_of_forms() -> Iterator[tuple[type[forms.BaseForm], str, str, str]]:
    """What the fields of our forms say, but for what Django says of any field."""
    for module in pkgutil.walk_packages(rahdari.__path__, "rahdari."):
        if module.name.rpartition(".")[2] in {"forms", "questions", "address_form", "mobile_forms", "proof_forms"}:
            importlib.import_module(module.name)
    borrowed = {
        str(text) for field in vars(forms).values() for text in getattr(field, "default_error_messages", {}).values()
    }
    with override("en"):
        for form in sorted(_below(forms.BaseForm), key=lambda each: each.__qualname__):
            if form.__module__.startswith("rahdari."):
                for name, field in getattr(form, "base_fields", {}).items():
                    for code, text in field.error_messages.items():
                        if isinstance(text, str | Promise) and str(text) not in borrowed:
                            yield form, name, code, " ".join(str(text).split())


def _below(form: type) -> set[type]:
    return {each for direct in form.__subclasses__() for each in {direct, *_below(direct)}}
