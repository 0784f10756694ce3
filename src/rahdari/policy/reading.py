"""Walks the raw document and says, in one plain sentence each, what is wrong and where.

A `Section` hands out values of the kind asked for. A wrong or missing one leaves a `Problem` and a harmless
stand-in, so that one run finds every fault. A key that nobody asked for is a fault too: a misspelt rule must not be
silently ignored.
"""

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, time, timedelta
from typing import Any

from .clock import UNITS, Allowance
from .shapes import Text
from .toml_lines import Lines, Path

BASES = ("law", "practice", "proposal")
SPANS = {"minutes": "minutes", "hours": "hours", "days": "days", "weeks": "weeks"}


@dataclass(frozen=True, slots=True)
class Problem:
    line: int
    key: str
    message: str

    def __str__(self) -> str:
        return f"Line {self.line}, {self.key or 'the file'}: {self.message}"


@dataclass
class Faults:
    lines: Lines
    found: list[Problem] = field(default_factory=list)

    def add(self, path: Path, message: str) -> None:
        self.found.append(Problem(self.lines.of(path), ".".join(path), message))


def _meant(said: str, known: Iterable[str]) -> str:
    """A sentence that names the one that is nearly so, if there is one."""
    found = difflib.get_close_matches(said, list(known), n=1, cutoff=0.7)
    return f" Did you mean {found[0]!r}?" if found else ""


class Section:
    """A table of the document, with its path. Close it with `done()`, which reports keys nobody asked for."""

    def __init__(self, data: Mapping[str, Any], path: Path, faults: Faults) -> None:
        self.data = data
        self.path = path
        self.faults = faults
        self._asked: set[str] = set()

    def fault(self, message: str, key: str | None = None) -> None:
        self.faults.add((*self.path, key) if key else self.path, message)

    def has(self, key: str) -> bool:
        return key in self.data

    def done(self) -> None:
        for key in self.data:
            if key not in self._asked:
                meant = _meant(key, self._asked)
                self.fault(f"This key is not known here. Check its spelling, or take it out.{meant}", key)

    def _value(self, key: str, wanted: str, *, required: bool) -> Any:
        self._asked.add(key)
        if key not in self.data:
            if required:
                self.fault(f"{wanted} is missing.", key)
            return None
        return self.data[key]

    def string(self, key: str, default: str | None = None, *, filled: bool = False) -> str:
        value = self._value(key, "A text", required=default is None)
        if value is None:
            return default or ""
        if not isinstance(value, str):
            self.fault("This must be a text in quotation marks.", key)
            return default or ""
        if filled and not value.strip():
            self.fault("This text is empty.", key)
        return value

    def whole(self, key: str, default: int | None = None, *, least: int = 0, most: int | None = None) -> int:
        value = self._value(key, "A whole number", required=default is None)
        if value is None:
            return default if default is not None else least
        if not isinstance(value, int) or isinstance(value, bool):
            self.fault("This must be a whole number.", key)
            return least
        if value < least or (most is not None and value > most):
            bounds = f"{least} or more" if most is None else f"between {least} and {most}"
            self.fault(f"This number must be {bounds}.", key)
        return value

    def yes(self, key: str, default: bool | None = None) -> bool:
        value = self._value(key, "true or false", required=default is None)
        if value is None:
            return bool(default)
        if not isinstance(value, bool):
            self.fault("This must be true or false.", key)
            return bool(default)
        return value

    def choice(self, key: str, options: Sequence[str], default: str | None = None) -> str:
        value = self.string(key, default)
        if value not in options:
            if key in self.data:
                meant = _meant(value, options)
                self.fault(f"{value!r} is not one of: {', '.join(options)}.{meant}", key)
            return options[0]
        return value

    def words(self, key: str, default: Sequence[str] | None = None) -> tuple[str, ...]:
        value = self._value(key, "A list", required=default is None)
        if value is None:
            return tuple(default or ())
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self.fault('This must be a list of texts, like ["one", "two"].', key)
            return ()
        if len(set(value)) != len(value):
            self.fault("This list names something twice.", key)
        return tuple(value)

    def numbers(self, key: str) -> tuple[int, ...]:
        value = self._value(key, "A list of numbers", required=True)
        if not isinstance(value, list) or not all(isinstance(item, int) for item in value):
            if value is not None:
                self.fault("This must be a list of whole numbers.", key)
            return ()
        return tuple(value)

    def text(self, key: str, *, optional: bool = False) -> Text | None:
        """Both languages, each filled. A rule that is known in one language only binds nobody."""
        value = self._value(key, 'The text in both languages, { en = "...", ur = "..." },', required=not optional)
        if value is None:
            return None
        if not isinstance(value, Mapping):
            self.fault('This must give both languages: { en = "...", ur = "..." }.', key)
            return None
        inner = Section(value, (*self.path, key), self.faults)
        text = Text(inner.string("en", filled=True), inner.string("ur", filled=True))
        if text.ur.strip() and not re.search(r"[\u0600-\u06ff]", text.ur):
            inner.fault("The Urdu text holds no Urdu letter.", "ur")
        inner.done()
        return text

    def both(self, key: str) -> Text:
        return self.text(key) or Text("", "")

    def section(self, key: str) -> "Section":
        value = self._value(key, "A table", required=True)
        if not isinstance(value, Mapping):
            if value is not None:
                self.fault("This must be a table.", key)
            value = {}
        return Section(value, (*self.path, key), self.faults)

    def sections(self) -> list[tuple[str, "Section"]]:
        """Each entry of a table whose keys are names."""
        return [(key, self.section(key)) for key in self.data]

    def rows(self, key: str) -> list["Section"]:
        """Each entry of a list of tables."""
        value = self._value(key, "A list of tables", required=False)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
            self.fault("This must be a list of tables.", key)
            return []
        return [Section(item, (*self.path, key, str(at)), self.faults) for at, item in enumerate(value)]

    def day(self, key: str) -> date | None:
        value = self._value(key, "A day", required=True)
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(value)
        except (TypeError, ValueError):
            if value is not None:
                self.fault("This must be a day written like 2026-12-25.", key)
            return None

    def span(self, key: str) -> timedelta:
        inner = self.section(key)
        length = inner.whole("length", least=1)
        unit = inner.choice("unit", tuple(SPANS))
        inner.done()
        return timedelta(**{SPANS[unit]: length})

    def allowance(self, key: str | None = None) -> Allowance:
        """A clock says how it counts and on what it rests: both are asked for, never guessed."""
        inner = self if key is None else self.section(key)
        allowance = Allowance(
            length=inner.whole("length", least=1),
            unit=inner.choice("unit", UNITS),
            excludes_first_day=inner.yes("excludes_first_day", True),
            last_day_closed=inner.choice("last_day_closed", ("next_open", "stays"), "next_open"),
            basis=inner.choice("basis", BASES),
            source=inner.string("source", ""),
            enabled=inner.yes("enabled", True),
        )
        # Of a basis that is missing or misspelt nothing else is said.
        if inner.data.get("basis") not in BASES:
            allowance = replace(allowance, basis=BASES[-1])
        if allowance.basis == "law" and not allowance.source:
            inner.fault("A clock that rests on law must name its provision in source.", "basis")
        inner.done()
        return allowance

    def hour(self, text: str, key: str) -> time | None:
        match = re.fullmatch(r"(\d{2}):(\d{2})", text)
        if match and int(match[1]) < 24 and int(match[2]) < 60:
            return time(int(match[1]), int(match[2]))
        self.fault(f"{text!r} is not a time written like 09:30.", key)
        return None
