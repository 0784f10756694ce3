"""Reads policy files, keeps the one in force, and freezes it onto a file at submission.

`freeze` gives canonical JSON: the same rules give the same bytes, and so the same digest, on every machine. `thaw`
reads it back without judging it: what was in force at submission stays readable, even if a later version would refuse
it.
"""

import functools
import hashlib
import json
import logging
import os
import re
import tomllib
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import date, datetime, time
from pathlib import Path
from threading import Lock
from typing import Any

from .building import build
from .licensees import Licensees, licensees_from
from .reading import Faults, Problem, Section
from .shapes import Policy
from .toml_lines import Lines

log = logging.getLogger(__name__)

# The files that come with this version, by their names. The first asks least; while no file is in force, `BUNDLED` is.
SHIPPED = {name: Path(__file__).parent / f"{name}.toml" for name in ("declaration", "pakistan")}
BUNDLED = SHIPPED["pakistan"]


class PolicyError(Exception):
    """The file is not a policy that may come into force. `problems` says why, line by line."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


def load(path: Path) -> Policy:
    """Read and judge a policy file. Raises PolicyError with every problem, by line."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise PolicyError([Problem(1, "", f"The file {path} cannot be read: {error.strerror}.")]) from error
    try:
        return read(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise PolicyError([Problem(line, "", "The file is not written in UTF-8.")]) from error


def read(text: str) -> Policy:
    """The policy of this text (TOML). Raises PolicyError with every problem, by line."""
    data, faults = _toml(text), Faults(Lines(text))
    policy = build(data, digest=_digest(data), faults=faults)
    _raise(faults)
    return policy


def read_licensees(
    text: str, judge: Callable[[Licensees, Faults], None] = lambda _found, _faults: None
) -> tuple[Licensees, str]:
    """A list of licensed providers by itself, as `[licensees]` of a policy has it, and its digest. `judge` adds what
    else is wrong with it. Raises PolicyError with every problem, by line."""
    data, faults = _toml(text), Faults(Lines(text))
    root = Section(data, (), faults)
    found = licensees_from(root.section("licensees"))
    root.done()
    judge(found, faults)
    _raise(faults)
    return found, _digest(data)


def _toml(text: str) -> dict[str, Any]:
    try:
        return dict(_plain(tomllib.loads(text)))
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"\(at line (\d+), column \d+\)", str(error))
        line = int(place[1]) if place else text.count("\n") + 1
        said = re.sub(r"\s*\(at .*\)$", "", str(error)).rstrip(".")
        raise PolicyError([Problem(line, "", f"This is not TOML: {said}.")]) from error


def _raise(faults: Faults) -> None:
    if faults.found:
        raise PolicyError(sorted(faults.found, key=lambda problem: (problem.line, problem.key)))


def source_of(path: Path) -> Mapping[str, Any]:
    """What a file says, whether or not this version would take it; nothing of one that is no TOML."""
    try:
        return source_in(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return {}


@functools.lru_cache(maxsize=16)
def source_in(text: str) -> Mapping[str, Any]:
    """The same of a text."""
    try:
        found: Mapping[str, Any] = _plain(tomllib.loads(text))
    except tomllib.TOMLDecodeError:
        return {}
    return found


def freeze(policy: Policy) -> str:
    return _canonical(policy.source)


@functools.lru_cache(maxsize=16)
def thaw(text: str) -> Policy:
    """The same object for the same text: a policy never changes, and there are few."""
    data = json.loads(text)
    return build(data, digest=_digest(data), faults=Faults(Lines("")))


def _canonical(data: Mapping[str, Any]) -> str:
    return json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _digest(data: Mapping[str, Any]) -> str:
    return hashlib.sha256(_canonical(data).encode()).hexdigest()


def _plain(value: Any) -> Any:
    """TOML's days and times as text, so that a frozen policy is plain JSON."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    return value


class _InForce:
    """One policy file, read again when it changes. A broken one is logged and the last good one stays.

    The last good one is kept in memory and, so that a process started after the file broke has it too, in a copy
    beside the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: tuple[int, int, int] | None = None
        self._policy: Policy | None = None
        self._lock = Lock()

    def policy(self) -> Policy:
        with self._lock:
            stamp = self._look()
            if self._policy is None or stamp != self._stamp:
                self._policy = self._read(stamp)
                self._stamp = stamp
            return self._policy

    def _look(self) -> tuple[int, int, int] | None:
        try:
            seen = self._path.stat()
        except OSError:
            return None
        return seen.st_mtime_ns, seen.st_size, seen.st_ino

    def _read(self, stamp: tuple[int, int, int] | None) -> Policy:
        if stamp is None:
            return self._policy or _bundled()
        try:
            good = load(self._path)
        except PolicyError as error:
            kept = self._policy or self._kept()
            # With no good one left the bundled rules would silently replace the regulator's: better to stop.
            if kept is None:
                raise
            for problem in error.problems:
                log.error("Policy %s is broken and was not taken: %s", self._path, problem)
            return kept
        self._keep()
        return good

    @property
    def _copy(self) -> Path:
        return self._path.with_name(f"{self._path.name}.last-good")

    def _kept(self) -> Policy | None:
        try:
            return load(self._copy)
        except PolicyError:
            return None

    def _keep(self) -> None:
        """Best effort: a folder that cannot be written must not stop the pages."""
        with suppress(OSError):
            content = self._path.read_bytes()
            if self._copy.exists() and self._copy.read_bytes() == content:
                return
            draft = self._path.with_name(f"{self._path.name}.{os.getpid()}.new")
            draft.write_bytes(content)
            draft.replace(self._copy)


_watched: dict[Path, _InForce] = {}
_watched_lock = Lock()


def _bundled() -> Policy:
    with _watched_lock:
        watched = _watched.setdefault(BUNDLED, _Bundled())
    return watched.policy()


class _Bundled(_InForce):
    """The file that ships with the code: a fault in it is ours and must be loud."""

    def __init__(self) -> None:
        super().__init__(BUNDLED)

    def policy(self) -> Policy:
        if self._policy is None:
            self._policy = load(BUNDLED)
        return self._policy


def current(path: Path | None) -> Policy:
    """The policy in force: the installation's file, or the bundled one while there is none."""
    if path is None:
        return _bundled()
    with _watched_lock:
        watched = _watched.setdefault(path, _InForce(path))
    return watched.policy()
