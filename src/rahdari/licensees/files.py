"""The list in force, and its changes, for programs: JSON with both languages, CSV in English. Pure."""

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from typing import Any

from rahdari.policy import Licensee, Licensees, Term, Text
from rahdari.tables.csv_tables import write_table

from . import rules
from .queries import Told

LIST = ("key", "name", "product", "licence", "standing", "valid_from", "valid_until", "source", "link")
CHANGES = ("id", "told_at", "effective_on", "what", "key", "name", "list")


def list_json(found: Licensees | None, today: dt.date) -> str:
    if found is None:
        return _json({"as_of": None, "own_list": False, "licences": {}, "providers": []})
    licences = {
        key: {
            "title": _both(each.title),
            "conditions": [_term(term) for term in each.conditions],
            "records": [_term(term) for term in each.records],
            **{name: _both(getattr(each, name)) for name in ("why", "turn_to", "at_once")},
        }
        for key, each in found.licences.items()
    }
    providers = [
        _row(each, today)
        | {"source": _both(each.reported_by), "reported_on": each.reported_on.isoformat()}
        | {name: _both(getattr(each, name)) for name in ("why", "turn_to", "at_once")}
        for each in found.providers
    ]
    head = {"as_of": found.as_of.isoformat(), "own_list": found.own_list, "users": _both(found.users)}
    return _json(head | {"licences": licences, "providers": providers})


def list_csv(found: Licensees | None, today: dt.date) -> str:
    rows = [_row(each, today) for each in (found.providers if found is not None else ())]
    return write_table(LIST, [[str(row[name] or "") for name in LIST] for row in rows])


def changes_json(told: Iterable[Told]) -> str:
    return _json({"changes": [_change(each) for each in told]})


def changes_csv(told: Iterable[Told]) -> str:
    return write_table(CHANGES, [[str(_change(each)[name]) for name in CHANGES] for each in told])


def _row(one: Licensee, today: dt.date) -> dict[str, Any]:
    return {
        "key": one.key,
        "name": one.name,
        "product": one.product,
        "licence": one.licence,
        "standing": rules.standing(one, today).value,
        "valid_from": one.valid_from.isoformat() if one.valid_from else None,
        "valid_until": one.valid_until.isoformat() if one.valid_until else None,
        "source": one.reported_by.en,
        "link": one.link,
    }


def _change(told: Told) -> dict[str, Any]:
    return {
        "id": told.id,
        "told_at": told.list.at.isoformat(),
        "effective_on": told.change.on.isoformat(),
        "what": told.change.what.value,
        "key": told.change.key,
        "name": told.name("en"),
        "list": told.list.number,
    }


def _term(term: Term) -> dict[str, Any]:
    found = {"text": _both(term.text), "ground": term.ground, "source": _both(term.source), "link": term.link}
    keep = {"length": term.keep.length, "unit": term.keep.unit} if term.keep is not None else None
    return found | {"keep": keep, "valid_from": term.valid_from.isoformat() if term.valid_from else None}


def _both(text: Text | None) -> dict[str, str] | None:
    return {"en": text.en, "ur": text.ur} if text is not None else None


def _json(data: Mapping[str, Any]) -> str:
    return json.dumps(data, ensure_ascii=False, indent=1)
