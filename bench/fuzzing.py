"""One target under Atheris, in the environment that has it: `python -m bench.fuzzing TARGET [libFuzzer's options]`."""

import importlib
import json
import random
import sys
from collections.abc import Callable
from typing import Any

import atheris  # type: ignore[import-not-found]

STRANGE: list[Any] = [
    None, True, False, 0, -1, 1, 2**31, 2**53, 2**64, 1.5, "", "0", "a" * 32, "f" * 64, "\ud800", "\0", "۱", [], {},
    "2026-11-25T24:00:00Z", "2026-02-30T00:00:00Z", "192.0.2.1/32", "192.0.2.1/0", "::ffff:192.0.2.1/128", "1.0",
]  # fmt: skip


def mutate(data: bytes, most: int, seed: int) -> bytes:
    """Half of the time a change to the JSON of one line, which stays JSON; otherwise to the bytes."""
    chance = random.Random(seed)
    if chance.random() < 0.5:
        lines = data.split(b"\n")
        at = chance.randrange(len(lines))
        try:
            value = json.loads(lines[at])
            places = list(_places(value))
            _change(chance, chance.choice(places)) if places else None
            text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
            lines[at] = text.encode("utf-8", "surrogatepass")
            changed = b"\n".join(lines)
            if len(changed) <= most:
                return changed
        except (ValueError, RecursionError):
            pass
    return bytes(atheris.Mutate(data, most))


def _places(value: Any) -> Any:
    """Every (container, key) below a value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in list(inner):
        yield value, key
        yield from _places(below)


def _change(chance: random.Random, where: tuple[Any, Any]) -> None:
    holder, key = where
    act = chance.randrange(5)
    if act == 0:
        holder[key] = chance.choice(STRANGE)
    elif act == 1:
        del holder[key]
    elif act == 2 and isinstance(holder, dict):
        holder[chance.choice(["later", "port", "kind", "head", "custom", "was", "format"])] = chance.choice(STRANGE)
    elif act == 2:
        holder.append(holder[key])
    elif isinstance(holder[key], str):
        text = bytearray(holder[key].encode("utf-8", "surrogatepass"))
        holder[key] = bytes(atheris.Mutate(bytes(text), len(text) + 8)).decode("utf-8", "surrogateescape")
    elif type(holder[key]) is int:
        holder[key] += chance.choice([-1, 1, 2**31, -(2**31)])


def main() -> None:
    name, options = sys.argv[1], sys.argv[2:]
    with atheris.instrument_imports(include=["rahdari.feed", "rahdari.agent", "rahdari.address", "rahdari.lookup"]):
        targets = importlib.import_module("bench.fuzz_targets")
    one: Callable[[bytes], None] = targets.TARGETS[name].one
    atheris.Setup([sys.argv[0], *options], one, custom_mutator=mutate, enable_python_coverage=True)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
