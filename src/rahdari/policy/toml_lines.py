"""On which line of a TOML text a key stands. Values come from tomllib; this only finds places for error messages."""

import re
from collections.abc import Sequence

Path = tuple[str, ...]

_TABLE = re.compile(r"^\s*\[(\[)?\s*(?P<name>[^\[\]]+?)\s*\]\]?\s*(#.*)?$")
_NAME = r"""(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')"""
_KEY = re.compile(rf"^\s*(?P<name>{_NAME}(?:\s*\.\s*{_NAME})*)\s*=")
_PART = re.compile(_NAME)
_STRING = re.compile(r'"(?:\\.|[^"\\])*"' + r"|'[^']*'")


class Lines:
    """Line numbers of tables and keys. What stands inside an inline table has the line of the outer key."""

    def __init__(self, text: str) -> None:
        self._lines: dict[Path, int] = {}
        self._scan(text.splitlines())

    def of(self, path: Sequence[str]) -> int:
        known = tuple(path)
        while known:
            if known in self._lines:
                return self._lines[known]
            known = known[:-1]
        return 1

    def _scan(self, lines: Sequence[str]) -> None:
        table: Path = ()
        counts: dict[Path, int] = {}
        depth = 0
        fence: str | None = None
        for number, line in enumerate(lines, start=1):
            if fence is not None:
                if fence in line:
                    fence = None
                continue
            bare = _STRING.sub('""', line)
            if depth == 0:
                if match := _TABLE.match(bare if '"' not in line and "'" not in line else line):
                    table = tuple(part.strip("\"'") for part in _PART.findall(match["name"]))
                    if match[1]:
                        counts[table] = counts.get(table, -1) + 1
                        table = (*table, str(counts[table]))
                    for end in range(1, len(table) + 1):
                        self._lines.setdefault(table[:end], number)
                    continue
                if match := _KEY.match(line):
                    path = (*table, *(part.strip("\"'") for part in _PART.findall(match["name"])))
                    for end in range(len(table) + 1, len(path) + 1):
                        self._lines.setdefault(path[:end], number)
            for mark in ('"""', "'''"):
                if line.count(mark) % 2:
                    fence = mark
            if fence is None:
                code = bare.split("#", 1)[0]
                depth = max(0, depth + code.count("[") + code.count("{") - code.count("]") - code.count("}"))
