"""The rules that ship, without what optional rooms do."""

import datetime as dt
import json
import tomllib
from collections.abc import Callable
from typing import Any

from rahdari.policy import BUNDLED

FREE = {"rule": "free", "text": {"en": "No fee", "ur": "کوئی فیس نہیں"}}


type Rules = dict[str, Any]


def _without_section(name: str) -> Callable[[Rules], object]:
    return lambda rules: rules.pop(name)


def _without_fees(rules: Rules) -> None:
    del rules["fees"], rules["retention"]["payment"], rules["remedies"]["pay"]
    rules["reasons"] = {key: why for key, why in rules["reasons"].items() if "pay" not in why.get("remedies", ())}
    for service in rules["services"].values():
        service["fee"] = FREE
    _without_check(rules, "fee")


def _without_associations(rules: Rules) -> None:
    del rules["attesting"], rules["reminders"]["attestation"]
    _without_check(rules, "attestation")
    for service in rules["services"].values():
        service["checks"] = [check for check in service["checks"] if check.get("roster") != "association_members"]


def _without_urgent(rules: Rules) -> None:
    del rules["reasons"][rules.pop("urgent")["reason"]]


def _without_check(rules: Rules, kind: str) -> None:
    for service in rules["services"].values():
        service["checks"] = [check for check in service["checks"] if check["kind"] != kind]


WITHOUT: dict[str, Callable[[Rules], object]] = {
    "sms": _without_section("quiet_hours"),
    "remote": _without_section("remote_staff"),
    "fees": _without_fees,
    "share": _without_section("sharing"),
    "mobile": lambda rules: _without_check(rules, "mobile_line"),
    "attest": _without_associations,
    "dyndns": _without_section("dyndns"),
    "vantage": lambda rules: None,
    "urgent": _without_urgent,
}


def without(*rooms: str) -> str:
    rules = tomllib.loads(BUNDLED.read_text())
    for room in rooms:
        WITHOUT[room](rules)
    return "\n".join(f"{json.dumps(key)} = {_as_toml(value)}" for key, value in rules.items())


def asking(room: str) -> str:
    """Rules that ask for what this room does; those that ship do, but for views from elsewhere."""
    views = "needed = 3\nmay_fail = 0\nnetworks = 2" if room == "vantage" else "needed = 1\nmay_fail = 0\nnetworks = 1"
    return BUNDLED.read_text().replace("needed = 1\nmay_fail = 0\nnetworks = 1", views)


def _as_toml(value: Any) -> str:
    """All in one line: what JSON writes of texts, numbers and truth values is TOML too."""
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{json.dumps(key)} = {_as_toml(item)}' for key, item in value.items())} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(_as_toml, value))}]"
    return value.isoformat() if isinstance(value, dt.date) else json.dumps(value, ensure_ascii=False)
