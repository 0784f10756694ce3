"""Lists of licensed providers, made up."""

import datetime as dt
from collections.abc import Iterable

BOTH = '{{ en = "{0}", ur = "اردو میں: {0}" }}'
LICENCE = """
[licensees.licences.data]
title = {{ en = "Class licence for data services", ur = "ڈیٹا سروس کا کلاس لائسنس" }}
{told}
[[licensees.licences.data.records]]
text = {{ en = "When a connection began and ended.", ur = "کنکشن کب شروع اور ختم ہوا۔" }}
keep = {{ length = {months}, unit = "months" }}
ground = "in_force"
source = {{ en = "Clause 5 of the licence", ur = "لائسنس کی شق 5" }}
link = "https://authority.example/licence"
"""


def row(key: str = "example-provider-one", **more: object) -> str:
    """A provider, with more lines: days, or texts that stand in both languages."""
    lines = [
        f'[[licensees.providers]]\nkey = "{key}"\nname = "{key.replace("-", " ").title()}"\nproduct = "Example VPN"'
    ]
    lines.append('licence = "data"\nreported_on = 2026-01-10\nreported_by = { en = "the Authority", ur = "اتھارٹی" }')
    lines.append("valid_from = 2026-01-15")
    lines += [f"{name} = {value if isinstance(value, dt.date) else BOTH.format(value)}" for name, value in more.items()]
    return "\n".join(lines) + "\n"


def a_list(rows: Iterable[str], as_of: dt.date, months: int = 6, **told: str) -> str:
    """`told`: texts of the licence, of its terms that become harder."""
    rows = list(rows)
    head = f"[licensees]\nas_of = {as_of}\nreported = {len(rows)}\nown_list = true\n"
    texts = "\n".join(f"{name} = {BOTH.format(text)}" for name, text in told.items())
    return head + LICENCE.format(months=months, told=texts) + "\n".join(rows)
