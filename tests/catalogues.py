"""Checks of every catalogue of translations, run by `./test lint`: nothing empty, fuzzy or left over; places kept."""

import re
import sys
from pathlib import Path

import polib

ROOT = Path(__file__).resolve().parent.parent
PLACES = re.compile(r"%\((\w+)\)[sd]|\{(\w+)\}")
PLURAL_FORMS = "nplurals=2; plural=(n != 1);"


def places(text: str) -> set[str]:
    return {name for found in PLACES.finditer(text) for name in found.groups() if name}


def problems_of(path: Path) -> list[str]:
    catalogue = polib.pofile(str(path), check_for_duplicates=False)
    found = []
    seen = set()
    if catalogue.metadata.get("Language") != "ur":
        found.append("header: Language is not ur")
    if catalogue.metadata.get("Plural-Forms") != PLURAL_FORMS:
        found.append(f"header: Plural-Forms is not {PLURAL_FORMS}")
    for entry in catalogue:
        where = f"line {entry.linenum}: {entry.msgid[:60]!r}"
        if entry.obsolete:
            found.append(f"{where} is no longer used; remove it")
            continue
        if (key := (entry.msgctxt, entry.msgid)) in seen:
            found.append(f"{where} stands twice")
        seen.add(key)
        if entry.fuzzy:
            found.append(f"{where} is marked fuzzy; look at it")
        translations = list(entry.msgstr_plural.values()) or [entry.msgstr]
        if not all(text.strip() for text in translations):
            found.append(f"{where} has no translation")
        allowed = places(entry.msgid) | places(entry.msgid_plural or "")
        if unknown := set().union(*map(places, translations)) - allowed:
            found.append(f"{where} has a place that the English has not: {', '.join(sorted(unknown))}")
        if not entry.msgid_plural and translations[0] and (lost := allowed - places(translations[0])):
            found.append(f"{where} has lost a place: {', '.join(sorted(lost))}")
    return found


def main() -> int:
    paths = sorted(ROOT.glob("src/rahdari/*/locale/ur/LC_MESSAGES/*.po"))
    count = 0
    for path in paths:
        for problem in problems_of(path):
            print(f"{path.relative_to(ROOT)}: {problem}")
            count += 1
    print(f"{len(paths)} catalogues, {count} problems")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
