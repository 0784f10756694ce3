"""Rules that a law officer changed, in force for one test."""

from pathlib import Path
from typing import Any

from rahdari.policy import BUNDLED


def suspending_first(settings: Any, folder: Path, *, codes: tuple[str, ...] = ("S2", "S4"), hours: int = 72) -> Path:
    """Put rules in force by which a registration may be suspended before its holder is heard."""
    text = BUNDLED.read_text(encoding="utf-8")
    for old, new in (
        ("{ length = 72, unit", f"{{ length = {hours}, unit"),
        ('source = "no provision found: off", enabled = false', 'source = "Sample provision"'),
        (
            'Off by default.", name = "", office = "", on = ""',
            'Off by default.", name = "Sample", office = "Law", on = "2026-11-01"',
        ),
    ):
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    for code in codes:
        before, at, after = text.partition(f"[reasons.{code}]\n")
        after = after.replace(
            'notice = "show_cause_other" }', 'notice = "show_cause_other", before_hearing = true }', 1
        )
        text = before + at + after.replace('status = "to_confirm"', 'status = "confirmed"', 1)
    settings.POLICY_FILE = folder / "suspending-first.toml"
    settings.POLICY_FILE.write_text(text, encoding="utf-8")
    return Path(settings.POLICY_FILE)
