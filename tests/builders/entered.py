"""What officers enter for somebody who calls, through the acts. Samples only."""

import datetime as dt
import re
from typing import Any

from django.utils import timezone

from rahdari.apply import entered
from rahdari.apply.entered import Said
from rahdari.apply.entered_models import DeskEntry
from rahdari.letters.models import Letter
from rahdari.people.models import User
from rahdari.sms.models import Message

EMAIL, NUMBER = "caller@client.example", "+923005556677"


def an_entry(
    officer: User, *, contact: str = EMAIL, language: str = "en", now: dt.datetime | None = None, **said: Any
) -> DeskEntry:
    facts = {"service": "vpn_freelancer", "which": "server", "name": "Sample Caller", "block": "203.0.113.200"}
    facts |= {"kind": "wireguard", "mobile": "+923001234567", **said}
    return entered.enter(
        officer=officer,
        way="telephone",
        language=language,
        contact=contact,
        said=Said(**facts),
        now=now or timezone.now(),
    )


def code_of(entry: DeskEntry) -> str:
    """What it is stands in the letter or the SMS alone."""
    text = (
        Letter.objects.get(template="desk_entry_code", about=entry.subject).text
        if "@" in entry.contact
        else Message.objects.get(person=entry.pk).text
    )
    found = re.search(r"^\d{8}$", text, re.MULTILINE)
    assert found is not None, text
    return found[0]
