"""Draft rules and what is said of them, made by our own acts."""

import datetime as dt
import ipaddress
import re
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone

from rahdari import policy
from rahdari.consult import actions, bodies, claiming, queries, speaking
from rahdari.consult.models import Body, Comment, Draft, NameClaim, Version
from rahdari.letters.models import Letter
from rahdari.ops import datafolder
from rahdari.web import visitor

SAMPLE = (Path(datafolder.__file__).parent / "sample" / "draft-rule.toml").read_text()
OFFICER, SECOND = "officer:" + str(uuid.UUID(int=1)), "officer:" + str(uuid.UUID(int=2))
DAY = dt.timedelta(days=1)
# Where the client of the tests is, too.
HERE = visitor.place_of(ipaddress.ip_address("127.0.0.1"))
BOTH = policy.Text("In words.", "الفاظ میں۔")


def policy_text(version: str = "draft-1") -> str:
    """The policy file that it would become: the bundled one by another name."""
    source = settings.POLICY_FILE if Path(settings.POLICY_FILE).exists() else policy.BUNDLED
    return re.sub(r'(?m)^version = ".*"$', f'version = "{version}"', Path(source).read_text(), count=1)


def a_key() -> str:
    return f"draft-{uuid.uuid4().hex[:12]}"


def text_of(key: str, changed: Mapping[str, str] | None = None) -> str:
    """The sample draft by another key, with words replaced."""
    text = SAMPLE.replace('key = "call-centre-clock"', f'key = "{key}"')
    for old, new in (changed or {}).items():
        assert old in text, old
        text = text.replace(old, new)
    return text


def a_draft(*, now: dt.datetime | None = None, key: str = "") -> Version:
    text = text_of(key or a_key())
    return actions.publish(text=text, policy_text=policy_text(), after=0, actor=OFFICER, now=now or timezone.now())


def next_version(
    version: Version, changed: Mapping[str, str] | None = None, *, now: dt.datetime | None = None
) -> Version:
    """What the sample says, with words replaced; so a change of an earlier version is named again."""
    text, number = text_of(version.draft.key, changed), version.number
    becomes = policy_text(f"draft-{number + 1}")
    return actions.publish(text=text, policy_text=becomes, after=number, actor=OFFICER, now=now or timezone.now())


def a_comment(draft: Draft, *, now: dt.datetime | None = None, **given: Any) -> Comment:
    """One that stands: its code was typed."""
    now = now or timezone.now()
    sent = said(draft, now=now, **given)
    return speaking.prove(comment=sent, code=code_for(sent), now=now)


def said(draft: Draft, *, now: dt.datetime | None = None, **given: Any) -> Comment:
    """One whose code was not typed yet."""
    latest = queries.version_of(draft)
    assert latest is not None
    usual: dict[str, Any] = {
        "id": uuid.uuid4(),
        "version": latest.number,
        "language": "en",
        "words": f"Why? {uuid.uuid4()}",
        "email": f"{uuid.uuid4().hex[:12]}@reader.example",
        "name": "Sample Reader",
        "place": HERE,
    }
    return speaking.say(draft=draft, now=now or timezone.now(), **usual | given)


def code_for(comment: Comment) -> str:
    """The latest code that went to its address, as the letter has it."""
    return code_at(comment.email)


def code_at(email: str) -> str:
    letter = Letter.objects.filter(template="consult_code").order_by("-written_at", "-pk")
    found = next(each for each in letter if each.address == email)
    code = re.search(r"\b(\d{8})\b", found.text)
    assert code is not None
    return code[1]


def a_claim(comment: Comment, *, now: dt.datetime | None = None) -> NameClaim:
    """Somebody said that its name is theirs, and typed the code."""
    now, email = now or timezone.now(), f"{uuid.uuid4().hex[:12]}@named.example"
    ticket = claiming.send_code(comment=comment, email=email, place=HERE, language="en", now=now)
    return claiming.claim(comment=comment, ticket=ticket, code=code_at(email), now=now)


def a_body(domain: str = "association.example", *, now: dt.datetime | None = None) -> Body:
    name = policy.Text("Sample Association", "نمونہ ایسوسی ایشن")
    return bodies.invite(name=name, email=f"desk@{domain}", language="en", actor=OFFICER, now=now or timezone.now())


def letters_to(email: str) -> list[Letter]:
    """What was written to an address, the latest last; the code is no news."""
    letters = Letter.objects.exclude(template="consult_code").order_by("written_at", "pk")
    return [each for each in letters if each.address == email]


def news_of(email: str) -> list[str]:
    return [each.subject for each in letters_to(email)]
