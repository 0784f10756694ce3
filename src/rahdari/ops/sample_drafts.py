"""The draft rule of the demonstration: open for comment, with what made-up readers say of it."""

import datetime as dt
import re
import uuid
from pathlib import Path

from django.conf import settings

from rahdari import policy
from rahdari.consult import actions, document, speaking
from rahdari.consult.models import Comment, Draft, Version
from rahdari.letters import queries as letters
from rahdari.web import visitor

SAMPLE = Path(__file__).parent / "sample" / "draft-rule.toml"
ACTOR = "command line"
# Passage, words that are meant, language, name, comment.
SAID = (
    (
        "9.1",
        "on one of a call centre within 10 working hours",
        "en",
        "Example Contact Centre",
        "Good. But why not for all who work at night?",
    ),
    ("9.2", "with at least 5 seats", "en", "Sample Freelancer 22", "Three of us take calls. Why do seats matter?"),
    ("9.3", "", "ur", "", "مسودے کا سب سے اچھا حصہ۔ یہ سب کے لیے رکھیں۔"),
)


def publish(now: dt.datetime) -> None:
    """Once: what is there is left as it is, also a draft of which only some was said."""
    text = SAMPLE.read_text(encoding="utf-8")
    if Draft.objects.filter(key=document.read(text).key).exists():
        return
    in_force = Path(settings.POLICY_FILE)
    source = (in_force if in_force.exists() else policy.BUNDLED).read_text(encoding="utf-8")
    version = actions.publish(text=text, policy_text=becomes(source), after=0, actor=ACTOR, now=now)
    for place, said in enumerate(SAID, 1):
        _say(version, place, *said, now=now)


def becomes(source: str) -> str:
    """The policy file that the sample draft leads to: a call centre's application has the clock of the others."""
    named = re.sub(r'(?m)^version = "(.*)"$', r'version = "\1-draft"', source, count=1)
    clock = r'(?ms)(^\[services\.whitelist_call_centre\]$(?:(?!^\[).)*?^clock = )"whitelisting_decision"$'
    return re.sub(clock, r'\1"officer_decision"', named, count=1)


def _say(
    version: Version, place: int, clause: str, quoted: str, language: str, name: str, words: str, *, now: dt.datetime
) -> None:
    comment = speaking.say(
        id=uuid.uuid4(),
        draft=version.draft,
        version=version.number,
        language=language,
        words=words,
        clause=clause,
        quoted=quoted,
        name=name,
        email=f"reader-{place}@demo.rahdari.example",
        place=visitor.place_of(visitor.NOWHERE),
        now=now,
    )
    speaking.prove(comment=comment, code=_code_mailed(comment, now), now=now)


def _code_mailed(comment: Comment, now: dt.datetime) -> str:
    """As its reader would find it in the letter."""
    text = next(each.text for each in letters.to_send(now=now) if each.address == comment.email)
    found = re.search(r"\b\d{8}\b", text)
    assert found is not None  # noqa: S101 - the letter has the code
    return found.group()
