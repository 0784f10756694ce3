"""Each safeguard is in the list that people read, and the list names nothing that is not tested."""

import ast
import re
from pathlib import Path

HERE = Path(__file__).parent
ROW = re.compile(r"^\| (?P<safeguard>[^|]+) \| `(?P<module>test_\w+\.py)` \| (?P<catches>[^|]+) \|$", re.MULTILINE)


def rows() -> dict[str, tuple[str, str]]:
    found = ROW.findall((HERE / "README.md").read_text())
    assert len({module for _, module, _ in found}) == len(found), "a module stands twice"
    return {module: (safeguard.strip(), catches.strip()) for safeguard, module, catches in found}


def test_each_module_is_in_the_list_and_each_row_has_one() -> None:
    modules = {path.name for path in HERE.glob("test_*.py")} - {Path(__file__).name}
    assert modules - set(rows()) == set(), "say in README.md what these hold, and what they catch"
    assert set(rows()) - modules == set(), "these are gone"


def test_each_says_in_its_first_line_what_it_holds() -> None:
    without = [name for name in rows() if not ast.get_docstring(ast.parse((HERE / name).read_text()))]
    assert without == []
    assert all(safeguard and catches for safeguard, catches in rows().values())


def test_a_change_of_one_needs_a_decision() -> None:
    text = (HERE / "README.md").read_text()
    assert "docs/adr" in text and "needs a decision" in text
