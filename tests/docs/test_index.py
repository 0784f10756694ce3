"""Every page is found: from the front page of the documentation, from README.md, and each decision from its index."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
DOCS = ROOT / "docs"
PAGES = sorted(path.name for path in DOCS.glob("*.md") if path.name not in {"index.md", "refusals.md"})


def linked(path: Path) -> set[Path]:
    found = re.findall(r"\]\(([^)#:]+\.md)", path.read_text(encoding="utf-8"))
    return {(path.parent / link).resolve() for link in found}


@pytest.mark.parametrize("front", ["docs/index.md", "README.md"])
def test_every_page_is_named_on_a_front_page(front: str) -> None:
    named = linked(ROOT / front)
    assert [page for page in PAGES if DOCS / page not in named] == []


@pytest.mark.parametrize("folder", ["adr", "devices"])
def test_every_page_of_a_folder_is_named_in_its_index(folder: str) -> None:
    index = DOCS / folder / "README.md"
    assert set((DOCS / folder).glob("*.md")) - linked(index) == {index}
