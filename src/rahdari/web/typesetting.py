"""What papers in two languages share: faces of this machine that have the letters of Urdu, and dates in words.

A paper speaks both languages, whatever the page speaks that offers it.
"""

import datetime as dt
from functools import cache

import typst

NASTALIQ = ("Noto Nastaliq Urdu", "Jameel Noori Nastaleeq", "Urdu Typesetting", "Awami Nastaliq")
NASKH = ("Noto Naskh Arabic", "Noto Sans Arabic", "Amiri", "Scheherazade New", "DejaVu Sans")
MONTHS = {
    "en": "January February March April May June July August September October November December".split(),
    "ur": "جنوری فروری مارچ اپریل مئی جون جولائی اگست ستمبر اکتوبر نومبر دسمبر".split(),
}


def in_words(day: dt.date, language: str) -> str:
    """10 November 2026, 10 نومبر 2026."""
    return f"{day.day} {MONTHS[language][day.month - 1]} {day.year}"


@cache
def urdu_faces() -> tuple[str, ...]:
    """The faces of this machine that Urdu can be set in, best first. Empty: the PDF has no Urdu letters."""
    families = {face.lower() for face in _families()}
    return tuple(face for face in (*NASTALIQ, *NASKH) if face.lower() in families)


def _families() -> list[str]:
    return list(typst.Fonts(include_system_fonts=True).families())
