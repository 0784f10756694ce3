"""The import contracts of tests/architecture, which `./test lint` holds: a safeguard says here what stands in one."""

from tests.architecture import house


def forbidden(contract: str, room: str) -> set[str]:
    """The rooms that this room cannot reach, by the contract of this id."""
    (found,) = [each for each in house.contracts() if each["id"] == contract]
    assert found["type"] == "forbidden" and f"rahdari.{room}" in found["source_modules"]
    assert not found.get("ignore_imports")
    return {each.removeprefix("rahdari.") for each in found["forbidden_modules"]}
