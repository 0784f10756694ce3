"""Sentences that are not so, in both languages, and all texts in which they could stand."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polib

from rahdari.policy import Policy

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "rahdari"


@dataclass(frozen=True)
class Untrue:
    """A kind of sentence, what is so instead, and one that it must find."""

    pattern: str
    instead: str
    planted: str


UNTRUE = (
    Untrue(r"\bnever (be )?cuts?\b(?! (short|a ))", "operators are told to spare it", "They are never cut off."),
    Untrue(
        r"\bso that [^.]{0,60}(cut off|(is|are) not (cut|interrupted)|nobody (cuts|is cut))",
        "so that operators spare it",
        "Every address is listed, so that it is not cut off.",
    ),
    Untrue(r"\bmust not be cut\b", "operators are to spare it", "A register of endpoints that must not be cut."),
    Untrue(r"\b[Nn]obody is cut\b", "nothing comes off the list", "Nobody is cut off because of it."),
    Untrue(r"\b[Nn]othing (is|that works today is) cut\b", "nothing comes off the list", "Nothing is cut now."),
    Untrue(r"\b[Ee]very operator (receives|gets)\b", "ADR 0010: by right and kind", "Every operator receives it."),
    Untrue(r"\b[Nn]o operator (may|can|will)\b", "they are told, not bound", "No operator may interrupt them."),
    Untrue(
        r"\b(connection|address|line|traffic)\b[^.]{0,60} (is|are|stays) protected\b|\bprotected (now|like|at every)\b",
        "it is on the list",
        "Your connection is protected now.",
    ),
    Untrue(r"\bneeds? (a|no) registration\b", "no law that we read says so", "You need no registration."),
    Untrue(r"\b[Yy]ou do not need this register\b", "we have no lane for them", "You do not need this register"),
    Untrue(r"\b[Pp]rivate use is not registered\b", "a gap of ours", "Private use is not registered here"),
    Untrue(
        r"\b[Oo]perators\b[^.]{0,40}\bnever see\b|\bnever see your name\b",
        "confirm and mobile tell them",
        "Operators and the public never see your name.",
    ),
    Untrue(r"\bWe (never|do not) (block|watch|inspect)", "the register does not", "We never block anyone’s traffic"),
    Untrue(
        r"\b[Ww]e keep no list of\b",
        "what was refused is held a while",
        "We keep no list of those who do not register.",
    ),
    Untrue(r"\bcuts no connection\b", "it takes nothing off the register", "A late payment cuts no connection."),
    Untrue(
        r"\bpublic can see this name\b", "typed names are compared, not told", "The public can see this name beside it."
    ),
    Untrue(
        r"\b([Cc]onnections?|VPN|[Ee]verything)\b[^.]{0,40}\b([Ss]tays?|[Rr]emains?)"
        r" (as (it|they) (is|are|was|were)|unchanged)\b",
        "what a network does we do not know: we change nothing in it",
        "<dt>Your connection</dt><dd>stays as it is while we decide</dd>",
    ),
    Untrue(
        r"\bconnections?\b[^.]{0,40}\b(is|are) (not |un)(touched|affected)\b|\b[Nn]o [^.]{0,20}connection is touched\b",
        "we change nothing in it",
        "Your connection is not touched by this.",
    ),
    Untrue(
        r"\b[Nn]o operator has\b[^.]{0,30}\bon (its|the) list|\bon no operator’s list|"
        r"\b[Oo]perators (no longer|do not) have\b[^.]{0,30}\bon their list",
        "they are told; one that is out of reach takes it off later",
        "It is paused: no operator has it on its list.",
    ),
    # The same in Urdu.
    Untrue("کوئی آپریٹر [^۔]{0,40}(بند|کاٹ) نہیں", "they are told, not bound", "کوئی آپریٹر انہیں بند نہیں کر سکتا۔"),
    Untrue(
        "تاکہ (یہ|وہ|کنکشن|کوئی انہیں|کام کے دوران کنکشن|وی پی این کنکشن) بند نہ (ہو|ہوں|کرے)",
        "so that operators do not block it",
        "تاکہ یہ بند نہ ہو۔",
    ),
    Untrue("ہر آپریٹر (کو ملتا|تک پہنچتا)", "ADR 0010: by right and kind", "اس کا ایڈریس ہر آپریٹر کو ملتا ہے۔"),
    Untrue("کسی کا کنکشن بند نہیں ہوتا", "nothing comes off the list", "اس سے کسی کا کنکشن بند نہیں ہوتا۔"),
    Untrue("کچھ بند نہیں ہو", "nothing comes off the list", "ابھی کچھ بند نہیں ہوا۔"),
    Untrue("کنکشن [^۔]{0,40}محفوظ (ہے|ہو|رہ)|ٹریفک [^۔]{0,20}محفوظ", "it is on the list", "آپ کا کنکشن اب محفوظ ہے۔"),
    Untrue(
        "رجسٹریشن کی ضرورت نہیں|رجسٹریشن کس کے لیے ضروری|اس رجسٹر کی ضرورت نہیں|رجسٹر نہیں کرانا پڑتا",
        "no law that we read says so",
        "آپ کو رجسٹریشن کی ضرورت نہیں۔",
    ),
    Untrue("نجی استعمال یہاں رجسٹر نہیں", "a gap of ours", "نجی استعمال یہاں رجسٹر نہیں ہوتا"),
    Untrue("کوئی فہرست نہیں رکھتے", "what was refused is held a while", "ہم ان کی کوئی فہرست نہیں رکھتے۔"),
    Untrue("کوئی کنکشن نہیں کٹتا", "nothing comes off the list", "دیر سے ادائیگی پر کوئی کنکشن نہیں کٹتا۔"),
    Untrue("اور کچھ بند نہ ہو", "there is no gap on the list", "تاکہ ابھی تجدید ہو جائے اور کچھ بند نہ ہو۔"),
    Untrue("اور (اس سے )?آپ پر کوئی اثر نہیں", "it is not held against them", "اور اس سے آپ پر کوئی اثر نہیں پڑے گا۔"),
    Untrue(
        "کنکشن[^۔]{0,60}(ویس[اے] ہی|جوں ک[اے] توں)|سب کچھ ویسا ہی",
        "what a network does we do not know: we change nothing in it",
        "آپ کا کنکشن فیصلہ ہونے تک ویسا ہی رہے گا۔",
    ),
    Untrue(
        "کسی آپریٹر کی فہرست میں [^۔]{0,10}نہیں|آپریٹرز کی فہرست میں (اب )?(یہ )?(ایڈریس )?نہیں",
        "they are told; one that is out of reach takes it off later",
        "یہ رکی ہوئی ہے: کسی آپریٹر کی فہرست میں نہیں۔",
    ),
    Untrue(
        "کنکشن (اور [^۔]{0,20})?پر کوئی اثر نہیں",
        "the register changes nothing in it",
        "کسی رجسٹرڈ کنکشن پر کوئی اثر نہیں۔",
    ),
    Untrue(
        "کسی کمپنی (کے|کا) وی پی این", "that is the VPN of a client too", "یہ رجسٹر کسی کمپنی کے وی پی این کے لیے نہیں"
    ),
)


# English of our own, which pages and letters spoke once and the Urdu followed (docs/translating.md).
IDIOM = (
    Untrue(
        r"\b([Ii]t|[Aa]ddress|[Aa]ttestation|[Pp]roof|[Cc]ode|[Ll]ink)s? (still )?counts?\b", "is valid", "It counts."
    ),
    Untrue(
        r"\bcounts? (again|as half|along|no more|for (nobody|one))\b|\bdo not count\b", "is accepted", "It counts again"
    ),
    Untrue(r"\bas (it|they|things) stands?\b", "as it is", "Cannot be registered as it stands."),
    Untrue(r"\bhow (it|they|each|the case) stands?\b", "status", "All addresses and how they stand"),
    Untrue(
        r"\bstands? (under|on|here|there|above|beside|in|again|still|first|twice)\b", "is", "It stands on the bill."
    ),
    Untrue(
        r"(?<!that )\b([Ii]t|[Rr]egistrations?|[Aa]ttestations?)( must)? (stand|hold)s?\b",
        "is valid",
        "Your registration stands.",
    ),
    Untrue(r"\brests? on\b", "depends on", "An application rests on it."),
    Untrue(r"\b([Tt]his|[Aa]nother|a second|whatever|no other|one|which|all) ways?\b", "method", "Take this way"),
    Untrue(
        r"\b([Ww]e|[Ii]t|application|registration|case|[Yy]ou may) go(es)? on\b", "continue", "Prove it, and we go on."
    ),
    Untrue(r"\b[Ww]hoever\b", "anyone who, the person who", "Whoever has this address"),
    Untrue(r"\b([Uu]ntil|[Ss]ince) when\b", "how long", "Until when it is valid"),
    Untrue(r"\b[Hh]ow far (it|that|your operator) is\b", "status", "See how far it is"),
    Untrue(r"\bif you like\b", "(optional)", "Tax number (if you like)"),
    Untrue(r"\banew\b", "again", "This is asked for anew"),
    Untrue(
        r"\b(\d+|[Ee]ight|[Ss]ix) figures\b|\bsign by sign\b|\b\d+ signs\b", "digits, characters", "Code, 6 figures"
    ),
    Untrue(r"\b[Pp]roofs? of (your )?work\b", "evidence of employment", "One proof of your work"),
    Untrue(r"\b[Bb]y (itself|ourselves|themselves)\b", "automatically, alone", "We look again by ourselves."),
    Untrue(r"\b[Ww]e knock\b", "we open a connection", "We knock once, and go."),
    Untrue(
        r"\b(own|its|your|their) word( for it)?\b(?! by)", "reference, attestation", "The operator’s own word for it"
    ),
    Untrue(
        r"\b([Tt]ook|[Tt]aken?|[Tt]ake) (it |this registration |the registration )?back\b",
        "withdraw, revoke",
        "Take it back",
    ),
    Untrue(r"\bon its way\b", "sent", "A new code is on its way."),
    Untrue(r"\b[Ww]e write to (you|them|it)\b", "we email", "We write to you at once."),
    Untrue(r"\b[Nn]othing (is|would be) refused\b", "no application is refused", "Nothing is refused because of it."),
    # A verb that became a noun, a sentence without its subject, a word that only the office knows.
    Untrue(r"\b[Oo]n (what|which) (it|they) rests?\b", "the order, the reason", "On what it rests"),
    Untrue(r"\b(becomes|became|comes) of (it|them|this|the|a)\b", "decision, result", "What becomes of it"),
    Untrue(r"\btakes? the list\b", "gets the list, is connected to us", "No operator that takes the list"),
    Untrue(
        r"(\b([Aa]|[Ee]ach|[Ss]econd|one more|[Oo]ur|(our|at the) last|[Ff]irst)|%\(\w+\)s|\{\{ \w+ \}\}) looks?\b"
        r"(?! (like|at|for|in|into|if|whether|after))|\blooks in a row\b|\bmiddle of a look\b",
        "check, review, each time that somebody opens it",
        "Each look is recorded.",
    ),
    Untrue(r"\bSo is each\b", "we also record each", "So is each time that an operator opens it."),
    Untrue(
        r"\b[Nn](one|obody|othing) that we may\b", "we are allowed to show", "There is none that we may tell you of."
    ),
    Untrue(r"\bFor when\b", "use this if", "For when you are cut off: a new address."),
    Untrue(r"\bIt is there when\b", "the file contains this if", "It is there when the check did not pass."),
    Untrue(r"\boperators? that carr(y|ies)\b", "the operator of the address", "Every operator that carries it"),
    Untrue(r"\bof rank\b", "senior enough", "Everybody of rank had a part in it."),
    Untrue(
        r"\bcame to (something else|another outcome|office)\b",
        "had a different result, was appointed",
        "A review that came to something else",
    ),
    Untrue(r"\bin no window\b|\bbehind the window\b", "outside the announced times", "They began in no window."),
    Untrue(r"\bgoes against anybody\b", "puts anybody at a disadvantage", "What goes against anybody"),
    Untrue(r"\bnothing (for you )?to mend\b", "nothing needs repair", "There is nothing for you to mend."),
    Untrue(r"\bnot shown yet\b|\b[Ss]hown to work\b|\b[Nn]othing shows yet\b", "proof, confirmed", "Nothing shows yet"),
    Untrue(r"\b[Ss]aid to be (mended|over|nothing)\b", "reported as repaired", "Said to be mended"),
    Untrue(r"\b(is|are) the rule\b", "should be", "One day’s notice is the rule."),
)


def untrue_in(text: str, kinds: tuple[Untrue, ...] = UNTRUE) -> list[str]:
    """What is not so in the text, with what is so instead."""
    plain = " ".join(text.split())
    return [f"“{found[0]}”: {each.instead}" for each in kinds if (found := re.search(each.pattern, plain))]


def of_pages() -> Iterator[tuple[str, str]]:
    """Templates of pages, letters, notes and the certificate."""
    for path in sorted(SOURCE.rglob("templates/**/*")):
        if path.suffix in {".html", ".txt", ".typ"}:
            yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")


def of_catalogues() -> Iterator[tuple[str, str]]:
    for path in sorted(SOURCE.rglob("locale/ur/LC_MESSAGES/*.po")):
        for entry in polib.pofile(str(path)):
            if not entry.obsolete:
                for text in (entry.msgid, entry.msgid_plural, entry.msgstr, *entry.msgstr_plural.values()):
                    yield f"{path.relative_to(ROOT)}: {entry.msgid[:60]}", text or ""


def of_documents() -> Iterator[tuple[str, str]]:
    """What is read about the software: documentation, its short descriptions, news, and the contract of the API."""
    for path in (
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/*.md"),
        *ROOT.glob("docs/devices/*.md"),
        *ROOT.glob("changes/*.md"),
        *SOURCE.rglob("README.md"),
        ROOT / "publiccode.yml",
        ROOT / "src" / "rahdari" / "client" / "openapi.json",
        SOURCE / "__init__.py",
        SOURCE / "cli.py",
        *(SOURCE / "ops").glob("*.py"),
        *(SOURCE / "api").glob("*.py"),
    ):
        yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")
    yield "pyproject.toml", tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["description"]


def of_policy(policy: Policy) -> Iterator[tuple[str, str]]:
    """Each text of the rules but those that a signed provision of law stands behind."""
    yield from _texts(dict(policy.source), "policy", law_is_signed=policy.signed["item_3"].is_signed)


def _texts(value: Any, place: str, *, law_is_signed: bool) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        if not (law_is_signed and value.get("basis") == "law"):
            for key, each in value.items():
                yield from _texts(each, f"{place}.{key}", law_is_signed=law_is_signed)
    elif isinstance(value, list):
        for at, each in enumerate(value):
            yield from _texts(each, f"{place}.{at}", law_is_signed=law_is_signed)
    elif isinstance(value, str):
        yield place, value
