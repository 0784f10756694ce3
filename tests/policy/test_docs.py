"""docs/policy.md names every part of the file and every guard; the sentences of the guards are the code's own."""

import tomllib
from pathlib import Path

from rahdari.policy import BUNDLED, GUARDS

DOCS = (Path(__file__).parents[2] / "docs" / "policy.md").read_text(encoding="utf-8")


class TestTheDocument:
    def test_names_every_key_of_the_top(self) -> None:
        for key in tomllib.loads(BUNDLED.read_text(encoding="utf-8")):
            assert f"`{key}`" in DOCS, key

    def test_states_every_guard_as_the_code_does(self) -> None:
        for guard, promise in GUARDS.items():
            assert f"| `{guard}` | {promise} |" in DOCS
