"""A program that lets time pass for a draft of a rule, in the environment of a running installation.

adopt DR-2026-02   as two officers do it on the day after the last one for comments; prints what it became
"""

import datetime as dt
import sys

import django

django.setup()

from rahdari.consult import actions, queries  # noqa: E402

OFFICERS = ("officer:one", "officer:another")


def adopt(reference: str) -> None:
    draft = queries.draft_by_reference(reference)
    later = draft.closes_at + dt.timedelta(days=1)
    actions.propose(draft=draft, actor=OFFICERS[0], now=later)
    print(actions.adopt(draft=draft, actor=OFFICERS[1], now=later).ending)


{"adopt": adopt}[sys.argv[1]](*sys.argv[2:])
