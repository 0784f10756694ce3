"""What an applicant can do on a page, a program can do too, or docs/api-pages.md says why not.

The pages are those of tests/access/test_walk.py, which knows every address of the site and who may open it; the buttons
are read from the templates.
"""

import re
from pathlib import Path

import pytest

from rahdari.api.interface import API
from rahdari.apply.step_forms import PAGES
from tests.access import test_walk as walk

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "api-pages.md").read_text()
APPLICANTS = (
    *(walk.ANYONE, walk.IN_BETWEEN, walk.SIGNED_IN, walk.OWN_WAY_ON, walk.OWN_TOKEN, walk.OWN_PASSKEY, walk.OWN_LETTER),
    walk.OWN_NOTICE,
    walk.OWN_CAMPAIGN,
    *(
        walk.OWN_ORGANISATION,
        walk.OWN_BRANCHES,
        walk.OWN_INVITATION,
        walk.OWN_APPLICATION,
        walk.OWN_COMPLAINT,
        walk.OWN_REGISTRATION,
        walk.OWN_INCIDENT,
    ),
    *(walk.ACTS_OF_A_HOLDER, walk.OWN_ATTESTATION, walk.OWN_INVOICE, walk.OWN_SHARING),
)
NOT_APPLICANTS = (
    *(walk.PROGRAMS, walk.OFFICERS, walk.OFFICERS_ON_RECORD, walk.DECIDERS_OF_APPEALS, walk.NAMED_FROM_OUTSIDE),
    *(walk.OPERATORS, walk.ASSOCIATIONS),
    *(walk.ADMINISTRATORS, walk.WATCHERS_OF_POSTS, walk.ACCOUNTANTS, walk.STAFF),
)
# Templates of these folders are of pages for applicants, but those of staff among them.
FOLDERS = ("apply", "portal/applicant", "attest", "people", "fees", "dyndns", "mobile", "share", "letters")
OF_STAFF = re.compile(r"attest/(?!mine|theirs)|people/posts|fees/(open|payment|payments|statements)\.html")
BUTTON = re.compile(r"<button[^>]*?\sname=\"(\w+)\"(?:\s[^>]*?value=\"([^\"]*)\")?")
NAME = re.compile(r"`([^`]+)`")


def table(heading: str) -> list[tuple[str, str]]:
    """The rows of the table whose first column has this heading."""
    lines = PAGE.split(f"| {heading} |", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    return [(cells[1].strip(), cells[2].strip()) for cells in (line.split("|") for line in lines)]


ROWS, BUTTONS, WITHOUT = table("page"), table("button"), table("operation")


def named(text: str) -> list[str]:
    return NAME.findall(text)


def operations_of(cell: str) -> list[str]:
    """Those of a row; none where it gives a reason."""
    return [] if cell.startswith("–") else named(cell)


def buttons_in_templates() -> set[str]:
    found = set()
    for folder in FOLDERS:
        for path in sorted((ROOT / "src" / "rahdari").glob(f"*/templates/{folder}/**/*.html")):
            template = path.relative_to(_root_of(path)).as_posix()
            if OF_STAFF.search(template):
                continue
            for name, value in BUTTON.findall(path.read_text()):
                said = "" if "{" in value or value == "1" else f" {value}"
                found.add(f"`{template}` {name}{said}")
    return found


def _root_of(path: Path) -> Path:
    return next(each for each in path.parents if each.name == "templates")


def test_every_kind_of_visitor_is_thought_of() -> None:
    """A new group of addresses in the walk is an applicant's, or it is not."""
    assert {name for group in (*APPLICANTS, *NOT_APPLICANTS) for name in group} == set(walk.ALL)


def test_every_page_of_an_applicant_has_its_operations_or_a_reason() -> None:
    said = [name for cell, _answer in ROWS for name in named(cell)]
    of_a_sort = {page.url_name for page in PAGES.values()}
    assert sorted(said) == sorted({name for group in APPLICANTS for name in group} - of_a_sort)


def test_every_button_of_their_pages_has_its_operation_or_a_reason() -> None:
    assert {cell for cell, _answer in BUTTONS} == buttons_in_templates()
    assert len(BUTTONS) == len({cell for cell, _answer in BUTTONS}) > 20


def test_every_operation_stands_in_a_row() -> None:
    known = {each.id for each in API.operations()}
    of_pages = {name for _cell, answer in (*ROWS, *BUTTONS) for name in operations_of(answer)}
    without = {name for cell, _why in WITHOUT for name in named(cell)}
    assert of_pages | without == known
    assert of_pages & without == set()


def test_nothing_is_left_for_later() -> None:
    assert "not yet" not in PAGE


@pytest.mark.parametrize("rows", [ROWS, BUTTONS], ids=["pages", "buttons"])
def test_a_row_gives_operations_or_a_reason(rows: list[tuple[str, str]]) -> None:
    empty = [cell for cell, answer in rows if not operations_of(answer) and len(answer) < 12]
    assert rows and empty == []
