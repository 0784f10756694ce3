"""How a paper is set: by typst, with the faces that come with us and no others, so it is the same on every machine.

A paper speaks both languages, whatever the page speaks that offers it. Latin is set in the faces that typst carries,
Urdu in those of `faces/`: Nastaliq, and Naskh for the Arabic letters of other languages that Nastaliq lacks.
"""

import datetime as dt
import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import typst

FACES = Path(__file__).parent / "faces"
URDU = ("Noto Nastaliq Urdu", "Noto Naskh Arabic")
MONTHS = {
    "en": "January February March April May June July August September October November December".split(),
    "ur": "جنوری فروری مارچ اپریل مئی جون جولائی اگست ستمبر اکتوبر نومبر دسمبر".split(),
}
# PDF/UA forbids a letter that no face has. A name may hold any letter; these have a shape in each paper, in its Latin
# and its Urdu text (tests/portal/test_public_pages.py sets them all).
_NO_SHAPE = re.compile(
    "[^ -~\xa0-\u017f\u0386\u0388-\u038a\u038c\u038e-\u03a1\u03a3-\u03ce\u0400-\u045f"
    "\u0600-\u0604\u0606-\u061b\u061e-\u06ff"
    "\u0750-\u077f\u1e00-\u1eff\u200b-\u200f\u2010-\u2015\u2018-\u201e\u2020-\u2022\u2026\u202a-\u202e\u2066-\u2069\u20ac]"
)
INSTEAD = "?"


def in_words(day: dt.date, language: str) -> str:
    """10 November 2026, 10 نومبر 2026."""
    return f"{day.day} {MONTHS[language][day.month - 1]} {day.year}"


@cache
def _fonts() -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False, font_paths=[FACES])


def inputs(data: Mapping[str, Any]) -> dict[str, str]:
    """What a template reads as `sys.inputs`: the data and the faces of Urdu. A letter without a shape is a `?`."""
    return {"data": json.dumps(_with_shapes({**data, "faces": URDU}), ensure_ascii=False)}


def _with_shapes(value: Any) -> Any:
    match value:
        case str():
            return _NO_SHAPE.sub(INSTEAD, value)
        case dict():
            return {key: _with_shapes(held) for key, held in value.items()}
        case list() | tuple():
            return [_with_shapes(held) for held in value]
    return value


def typeset(template: Path, data: Mapping[str, Any], *, now: dt.datetime) -> bytes:
    """One PDF (PDF/UA-1, tagged). The same data at the same moment give the same bytes, on every machine."""
    compiler = typst.Compiler(template.read_bytes(), font_paths=_fonts(), ignore_system_fonts=True)
    pdf = compiler.compile(sys_inputs=inputs(data), pdf_standards=["ua-1"], timestamp=int(now.timestamp()))
    assert isinstance(pdf, bytes)  # noqa: S101
    return pdf
