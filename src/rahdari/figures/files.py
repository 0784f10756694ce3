"""What was published, as files that anybody can keep and read in ten years: three tables as CSV (RFC 4180, UTF-8), and
two descriptions of the same tables, Table Schema in a Data Package and CSVW. Pure: given rows, gives text.
"""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .cells import Row, share_of
from .definitions import Definitions
from .protection import BASE, THRESHOLD, WIDTH


@dataclass(frozen=True)
class Column:
    """`type`: of Table Schema; CSVW has the same words for those that are used here, but for `datetime`."""

    name: str
    type: str
    says: str
    required: bool = True


FIGURES, EDITIONS, DEFINITIONS = "figures.csv", "editions.csv", "definitions.csv"
PACKAGE, CSVW, EVERYTHING = "datapackage.json", "csv-metadata.json", "figures.json"
TABLES: Mapping[str, tuple[str, tuple[Column, ...]]] = {
    FIGURES: (
        "Every cell that was published, in every edition",
        (
            Column("month", "date", "first day of the month that was counted"),
            Column("edition", "integer", "1 is the first; a later one corrects the figures that are in it"),
            Column("figure", "string", "as in definitions.csv"),
            Column("version", "integer", "of the definition by which it was counted"),
            Column("part", "string", "all is the total"),
            Column("part_en", "string", "the part in English"),
            Column("part_ur", "string", "the part in Urdu"),
            Column(
                "measure", "string", "number, or of a time in seconds: half, most (what 50 and 95 of 100 took at most)"
            ),
            Column("value", "integer", f"a number is rounded to {BASE}; empty where mark says why", required=False),
            Column("mark", "string", f"few: fewer than {THRESHOLD}; withheld: it would give another cell away", False),
            Column("share_percent", "number", "of the total, from the published numbers alone", required=False),
        ),
    ),
    EDITIONS: (
        "When each edition was published, and why there is another one",
        (
            Column("month", "date", "first day of the month that was counted"),
            Column("edition", "integer", "1 is the first"),
            Column("published_at", "datetime", "when"),
            Column("why_en", "string", "of a correction its reason, in English", required=False),
            Column("why_ur", "string", "the same in Urdu", required=False),
        ),
    ),
    DEFINITIONS: (
        "What each figure is, now",
        (
            Column("figure", "string", "its name in the tables"),
            Column("version", "integer", "it changes when what is counted changes"),
            Column("title_en", "string", "in English"),
            Column("title_ur", "string", "in Urdu"),
            Column("words_en", "string", "what is counted, in English"),
            Column("words_ur", "string", "the same in Urdu"),
            Column("unit_en", "string", "what one is"),
            Column("denominator_en", "string", "of what a share is"),
            Column("total", "string", "figure.part to which its parts come; empty for times", required=False),
            Column("sql", "string", "the query; %(start)s and %(end)s are the bounds of the month"),
        ),
    ),
}


@dataclass(frozen=True)
class Told:
    """One edition of a month, as the tables have it. `month` and `at` as ISO 8601 writes them."""

    month: str
    edition: int
    at: str
    why_en: str
    why_ur: str
    rows: Sequence[Row]


def figures_csv(editions: Iterable[Told]) -> str:
    rows = []
    for each in editions:
        own = {row.key: row for row in each.rows}
        for row in each.rows:
            share = share_of(row, own)
            named = (each.month, each.edition, row.figure, row.version, row.part, row.en, row.ur, row.measure)
            rows.append([*named, "" if row.value is None else row.value, row.mark, "" if share is None else share])
    return _table(FIGURES, rows)


def editions_csv(editions: Iterable[Told]) -> str:
    return _table(EDITIONS, [[each.month, each.edition, each.at, each.why_en, each.why_ur] for each in editions])


def definitions_csv(definitions: Definitions) -> str:
    rows = []
    for each in definitions.figures.values():
        named = (each.id, each.version, each.title.en, each.title.ur, each.words.en, each.words.ur, each.unit.en)
        rows.append([*named, each.denominator.en, "" if each.is_time else each.total, each.sql_shown])
    return _table(DEFINITIONS, rows)


def _table(name: str, rows: Iterable[Sequence[Any]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(column.name for column in TABLES[name][1])
    writer.writerows(rows)
    return out.getvalue()


def package_json() -> str:
    """https://datapackage.org/standard/table-schema/"""
    resources = [
        {
            "name": name.removesuffix(".csv"),
            "path": name,
            "title": title,
            "mediatype": "text/csv",
            "encoding": "utf-8",
            "schema": {
                "fields": [
                    {"name": column.name, "type": column.type, "description": column.says}
                    | ({"constraints": {"required": True}} if column.required else {})
                    for column in columns
                ],
                "missingValues": [""],
            },
        }
        for name, (title, columns) in TABLES.items()
    ]
    about = {
        "$schema": "https://datapackage.org/profiles/2.0/datapackage.json",
        "name": "figures",
        "title": "Figures of the register, by month",
        "protection": {"threshold": THRESHOLD, "rounded_to": BASE, "values_left": WIDTH},
    }
    return _json(about | {"resources": resources})


def csvw_json() -> str:
    """https://www.w3.org/TR/tabular-metadata/"""
    tables = [
        {
            "url": name,
            "dc:title": title,
            "tableSchema": {
                "columns": [
                    {
                        "name": column.name,
                        "titles": column.name,
                        "dc:description": column.says,
                        "datatype": column.type,
                        "required": column.required,
                    }
                    for column in columns
                ]
            },
        }
        for name, (title, columns) in TABLES.items()
    ]
    return _json({"@context": "http://www.w3.org/ns/csvw", "tables": tables})


def everything_json(editions: Iterable[Told], definitions: Definitions) -> str:
    """The same in one file, for programs."""
    return _json(
        {
            "protection": {"threshold": THRESHOLD, "rounded_to": BASE, "values_left": WIDTH},
            "definitions": [
                {
                    "figure": each.id,
                    "version": each.version,
                    "title": {"en": each.title.en, "ur": each.title.ur},
                    "words": {"en": each.words.en, "ur": each.words.ur},
                    "unit": {"en": each.unit.en, "ur": each.unit.ur},
                    "denominator": {"en": each.denominator.en, "ur": each.denominator.ur},
                    "total": None if each.is_time else each.total,
                    "sql": each.sql_shown,
                }
                for each in definitions.figures.values()
            ],
            "editions": [
                {"month": each.month, "edition": each.edition, "published_at": each.at}
                | {"why": {"en": each.why_en, "ur": each.why_ur}}
                | {
                    "cells": [
                        {"figure": row.figure, "version": row.version, "part": row.part, "measure": row.measure}
                        | {"value": row.value, "mark": row.mark or None}
                        for row in each.rows
                    ]
                }
                for each in editions
            ],
        }
    )


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"
