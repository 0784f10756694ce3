"""From a template and its facts to a letter in one language. Touches no row."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation

from rahdari import policy
from rahdari.errors import RahdariError

from . import plain
from .catalogue import LETTERS


class UnknownLetter(RahdariError):
    """Nobody has written a letter of this name. `.template` is what was asked for."""

    says = "no letter {template!r}"
    template: str


class LetterIncomplete(Exception):
    """The letter was not told all it must say. `.template` and `.missing`."""

    def __init__(self, template: str, missing: list[str]) -> None:
        super().__init__(f"letter {template!r} needs {', '.join(missing)}")
        self.template, self.missing = template, missing


@dataclass(frozen=True)
class Written:
    subject: str
    text: str
    html: str


def in_language(value: Any, language: str) -> Any:
    """What the policy says (a text, a reason, a remedy, a provision, a list of them) as the reader's words."""
    if isinstance(value, policy.Text):
        return value.in_language(language)
    if isinstance(value, policy.Reason | policy.Remedy):
        return value.text.in_language(language)
    if isinstance(value, policy.Provision):
        if not value.place:
            return value.name(language)
        place = plain.LEFT_TO_RIGHT + value.place + plain.END if language == "ur" else value.place
        return f"{value.name(language)}, {place}" if language != "ur" else f"{value.name(language)}، {place}"
    if isinstance(value, list | tuple):
        return [in_language(item, language) for item in value]
    return value


def reasons(codes: Any, texts: Any) -> list[dict[str, str]]:
    """The reasons as the letters print them, each with its code; one or several may be given."""
    listed_codes = list(codes) if isinstance(codes, list | tuple) else [codes or ""]
    listed_texts = list(texts) if isinstance(texts, list | tuple) else [texts]
    padded = listed_codes + [""] * (len(listed_texts) - len(listed_codes))
    return [{"code": str(code), "text": str(text)} for code, text in zip(padded, listed_texts, strict=False)]


def missing_of(needs: frozenset[str], context: Mapping[str, Any]) -> list[str]:
    return sorted(key for key in needs if context.get(key) in (None, ""))


def compose(*, template: str, language: str, context: Mapping[str, Any]) -> Written:
    """Write the letter. Raises UnknownLetter, LetterIncomplete."""
    if template not in LETTERS:
        raise UnknownLetter(template)
    missing = missing_of(LETTERS[template].needs, context)
    if missing:
        raise LetterIncomplete(template, missing)
    facts = {key: in_language(value, language) for key, value in context.items()}
    authority = policy.current(settings.POLICY_FILE).authority.in_language(language)
    facts["url"] = urljoin(settings.SITE_URL + "/", str(facts.get("url", "")))
    if "stop_url" in facts:
        facts["stop_url"] = urljoin(settings.SITE_URL + "/", str(facts["stop_url"]))
    if "reason" in facts:
        facts["reasons"] = reasons(facts.get("code"), facts["reason"])
    with translation.override(language):
        html = render_to_string(
            f"letters/{template}.{language}.html",
            facts | {"authority": authority, "demo": settings.DEMO},
        )
    subject, text = plain.subject_and_text(html, language=language)
    return Written(subject, text, html)
