"""Sentences that promise: who writes "at once", "never" or "cannot" names the test beside them, in `promises.toml`.

`python -m tests.safeguards.promises` writes how many there are now as those that may stay without a test: after a merge
of what was written elsewhere, or when there are fewer. Nobody writes it for a sentence of their own.
"""

import re
import tomllib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from tests.safeguards.sentences import ROOT, SOURCE

PLACE = Path(__file__).with_suffix(".toml")
PROMISE = re.compile(r"\b(at once|never|cannot)\b", re.IGNORECASE)


def texts() -> dict[str, str]:
    """By their paths: documentation, and templates of pages and of letters in English."""
    pages = (each for each in SOURCE.rglob("templates/**/*.html") if not each.name.endswith(".ur.html"))
    found = (ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *SOURCE.glob("*/README.md"), *pages)
    return {str(each.relative_to(ROOT)): " ".join(each.read_text(encoding="utf-8").split()) for each in sorted(found)}


def faults(said: dict[str, str], known: dict[str, int], rows: Iterable[dict[str, str]]) -> list[str]:
    """What is said without a test, and rows that name a sentence or a test that is not there."""
    found, held = [], Counter[str]()
    for row in rows:
        count = len(PROMISE.findall(row["says"]))
        if not count or row["says"] not in said.get(row["file"], ""):
            found.append(f"{row['file']} does not promise: {row['says']}")
        path, *names = row["test"].split("::")
        test = (ROOT / "tests" / path).read_text(encoding="utf-8") if (ROOT / "tests" / path).is_file() else ""
        if not names or not all(re.search(rf"\b(class|def) {name}\b", test) for name in names):
            found.append(f"{row['file']}: there is no test {row['test']}")
        held[row["file"]] += count
    for file, text in said.items():
        more = len(PROMISE.findall(text)) - known.get(file, 0) - held[file]
        if more > 0:
            found.append(
                f"{file}: {more} more “at once”, “never” or “cannot” than before. Say it plainly, or name the test that"
                " holds each in tests/safeguards/promises.toml."
            )
    return found


def write() -> None:
    text = PLACE.read_text(encoding="utf-8")
    rows = tomllib.loads(text).get("promise", [])
    held = Counter[str]()
    for row in rows:
        held[row["file"]] += len(PROMISE.findall(row["says"]))
    counts = {file: len(PROMISE.findall(said)) - held[file] for file, said in texts().items()}
    lines = [f'"{file}" = {count}' for file, count in counts.items() if count > 0]
    head = text[: text.index("[without_a_test]")]
    PLACE.write_text(head + "\n".join(["[without_a_test]", *lines]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write()
