"""What a room's README names stands in the code."""

import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "src" / "rahdari"
READMES = sorted(PACKAGE.glob("*/README.md"))
# A class, a module, or a function with its module; words of one part are too often something else.
NAME = re.compile(r"`([A-Z][a-z]\w+|[a-z_]+(?:\.[A-Za-z_]+)+)`")

# Files; keys lie in a data folder.
SUFFIXES = frozenset({"py", "toml", "html", "json", "key"})


def gone(readme: Path) -> list[str]:
    """Names in backticks that the room does not have; one with its module may be another room's."""
    own = "\n".join(path.read_text() for path in readme.parent.rglob("*.py"))
    paths = {"/".join(path.relative_to(PACKAGE).parts) for path in PACKAGE.rglob("*")}
    found = []
    for name in NAME.findall(readme.read_text()):
        *where, last = [each for each in name.split(".") if each != "rahdari"]
        if not where:
            held = re.search(rf"\b{last}\b", own) is not None
        elif last in SUFFIXES:
            held = last == "key" or any(path.endswith(name) for path in paths) or name in own
        else:
            module = "/".join(each for each in where if each.islower())
            places = [PACKAGE / path for path in paths if re.search(rf"(^|/){module}(\.py)?$", path)]
            texts = [path.read_text() for path in places if path.is_file()]
            texts += [path.read_text() for place in places if place.is_dir() for path in place.glob("*.py")]
            held = any(re.search(rf"\b{last}\b", text) for text in texts) or name in own
        if not held:
            found.append(name)
    return found


@pytest.mark.parametrize("readme", READMES, ids=lambda path: path.parent.name)
def test_names_what_the_room_has(readme: Path) -> None:
    assert gone(readme) == []


def test_a_name_that_is_gone_is_found(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("Owns `GoneByNow`; see `rules.gone_by_now`, and `letters.queries.waiting`.")
    assert gone(tmp_path / "README.md") == ["GoneByNow", "rules.gone_by_now"]
