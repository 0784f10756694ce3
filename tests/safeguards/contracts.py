"""The import contracts of pyproject.toml, which `./test lint` holds: a safeguard says here what must stand in one."""

import tomllib
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"


def forbidden(contract: str, room: str) -> set[str]:
    """The rooms that this room cannot reach, by the contract of this id."""
    contracts = tomllib.loads(PROJECT.read_text())["tool"]["importlinter"]["contracts"]
    (found,) = [each for each in contracts if each.get("id") == contract]
    assert found["type"] == "forbidden" and f"rahdari.{room}" in found["source_modules"]
    assert not found.get("ignore_imports")
    return {each.removeprefix("rahdari.") for each in found["forbidden_modules"]}
