"""What a test needs of the machine: without it the test is skipped, with the line that installs it.

Under `RAHDARI_TEST_NOTHING_MISSING=1` (which `.ci/run` and `.ci/all` set, for they install everything) a skip is a
failure. Call these at the top of a test or a fixture, or in a module's `pytestmark` through a fixture:

    nft = needs_program("nft", "apt-get install nftables")
    needs_root()
    chromium = needs_chromium()
"""

import ctypes
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Container, Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

# Both languages; where not everything is asked for, the first stands for both.
ENGLISH_FIRST = ["en", pytest.param("ur", marks=pytest.mark.whole)]
SBIN = ("/usr/local/sbin", "/usr/sbin", "/sbin")


def everything_is_needed() -> bool:
    return os.environ.get("RAHDARI_TEST_ALL", "") == "1"


def fewer(many: int, few: int) -> int:
    """How many examples are tried: many where everything is asked for, and else few."""
    return many if everything_is_needed() else few


def rarely[Value](all: Iterable[Value], *, often: Container[Value]) -> list[Any]:
    """The values of a parameter; those that are not needed often are left to where everything is asked for."""
    return [each if each in often else pytest.param(each, marks=pytest.mark.whole) for each in all]


def a_third[Value](all: Iterable[Value], *, turn: int) -> list[Value]:
    """Every third of many alike where not everything is asked for; the turn says which, so that another has others."""
    found = list(all)
    return found if everything_is_needed() or len(found) < 3 else found[turn % 3 :: 3]


def missing(what: str) -> None:
    """Skip the test, saying how to get what it lacks; fail it where everything must be there."""
    if os.environ.get("RAHDARI_TEST_NOTHING_MISSING") == "1":
        pytest.fail(f"RAHDARI_TEST_NOTHING_MISSING=1 allows no skip: {what}", pytrace=False)
    pytest.skip(what)


def needs_program(name: str, install: str) -> str:
    """The path of a program, looked for in PATH and in the folders of system programs."""
    path = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", os.defpath), *SBIN]))
    if path is None:
        missing(f"the program {name} is not installed; to run this test: {install}")
    assert path is not None
    return path


def needs_machine(known: Container[str]) -> None:
    """A processor of a kind that the product knows the system calls of."""
    if platform.machine() not in known:
        missing(f"nothing is known of the system calls of {platform.machine()}; to run this test: {known}")


def needs_root() -> None:
    """Root, for the tests of network namespaces, of nftables and of giving up root."""
    if os.geteuid() != 0:
        missing("root is needed; to run this test: sudo ./test")


@cache
def _namespace_fault() -> str:
    # In a child: a namespace once entered is not left again.
    probe = "import os; os.unshare(os.CLONE_NEWNET | os.CLONE_NEWNS)"
    result = subprocess.run([sys.executable, "-I", "-c", probe], capture_output=True, text=True)
    return "" if result.returncode == 0 else result.stderr.strip().rpartition("\n")[2]


def needs_namespaces() -> None:
    """Root that may make namespaces (root inside a plain container may not)."""
    needs_root()
    if fault := _namespace_fault():
        missing(f"namespaces cannot be made here ({fault}); run on a machine, or in a container with CAP_SYS_ADMIN")


def needs_chromium() -> str:
    """The path of Chromium, for `playwright`'s `executable_path`."""
    # The one without a window of its own first: a page costs it half.
    for name in ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    missing("Chromium is not installed; to run this test: apt-get install chromium-headless-shell")
    raise AssertionError


def needs_library(name: str, install: str) -> None:
    """A shared library of the system."""
    try:
        ctypes.CDLL(name)
    except OSError:
        missing(f"the library {name} is not installed; to run this test: {install}")


def needs_package(name: str, install: str) -> None:
    """A package of Python's that exists for some machines only."""
    if importlib.util.find_spec(name) is None:
        missing(f"the package {name} is not installed; to run this test: {install}")


def needs_file(path: str, install: str) -> Path:
    if not Path(path).exists():
        missing(f"{path} is not there; to run this test: {install}")
    return Path(path)
