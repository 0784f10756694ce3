"""Every page is found: from the front page of the documentation, from README.md, and each decision from its index."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
DOCS = ROOT / "docs"
PAGES = sorted(path.name for path in DOCS.glob("*.md") if path.name != "index.md")


def linked(path: Path) -> set[Path]:
    found = re.findall(r"\]\(([^)#:]+\.md)", path.read_text(encoding="utf-8"))
    return {(path.parent / link).resolve() for link in found}


@pytest.mark.parametrize("page", PAGES)
def test_is_named_on_both_front_pages(page: str) -> None:
    for front in (DOCS / "index.md", ROOT / "README.md"):
        assert DOCS / page in linked(front), front.name


@pytest.mark.parametrize("folder", ["adr", "devices"])
def test_every_page_of_a_folder_is_named_in_its_index(folder: str) -> None:
    index = DOCS / folder / "README.md"
    assert set((DOCS / folder).glob("*.md")) - linked(index) == {index}
