"""Names of persons and organisations, as somebody typed them. They stand in letters, on certificates and before the
public, so they are names and nothing else: no web or email address, no telephone number, no sign that cannot be seen.

Firms have names with a host in them (Sample.pk, Sample.pk (Private) Limited). It may be the first word of a firm's name
and stand nowhere else; where others read it, the name is quoted (`values.quoted_name`).
"""

import re
import unicodedata
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from . import quoting
from .identifiers import UNSEEN

# A scheme, a host by its first label, an address of mail, or a page of a site.
_LINK = re.compile(r"[a-z][a-z0-9+.-]*:/|\bwww\.|\S@\S+\.\S|\w\.[a-z]{2,}[/?#:]", re.IGNORECASE)

# What people write without a space after the dot, and is no host: initials and titles before a name, forms of firms.
_INITIALS = re.compile(
    r"(?<![\w.-])((?:[A-Z]\.)+|(?i:Adv|Ch|Dr|Engr|Md|Mr|Mrs|Ms|Mst|Prof|Sh)\.)(?=[A-Z])(?!(?i:com|net|org|info|pk)\b)"
)
_FORMS = re.compile(r"\.(?=(?:co|inc|limited|llc|llp|ltd|plc|pvt)\b(?![.\w]))", re.IGNORECASE)
_FIRST_HOST = re.compile(r"(?:(?:M/s\.?|The) )?[^\W_][\w-]*(?:\.[\w-]+)*\.[^\W\d_]{2,}(?=\W|$)", re.IGNORECASE)


def tidy(text: str) -> str:
    """NFC, one space between words, no control or invisible characters."""
    kept = "".join(
        sign if unicodedata.category(sign) not in {"Cc", "Cf", "Co", "Cs"} and not UNSEEN.match(sign) else " "
        for sign in unicodedata.normalize("NFC", text)
    )
    return " ".join(kept.split())


# Scripts that one word has beside each other.
_TOGETHER = frozenset({"HIRAGANA", "KATAKANA", "CJK", "HANGUL", "BOPOMOFO"})


def mixed_word(text: str) -> str:
    """The first word with letters of two scripts, or "": one of them only looks like a letter of the other."""
    return next((word for word in re.findall(r"[^\W\d_]+", text) if len(_scripts(word) - _TOGETHER) > 1), "")


def _scripts(word: str) -> set[str]:
    letters = (sign for sign in word if unicodedata.category(sign) in {"Lu", "Ll", "Lt", "Lo"})
    return {unicodedata.name(sign, "").partition(" ")[0] for sign in letters}


# Letters joined as Arabic type does it: a program that copies from a PDF gives them, and they read as what they are.
_JOINED = ("<isolated>", "<initial>", "<medial>", "<final>")


def strange_sign(text: str) -> str:
    """The first sign that is no letter, mark, digit, space or usual punctuation of a name, or "": pictures, letters in
    squares and circles, wide, bold and raised ones. They look like letters, and are compared as others or not."""
    return next((sign for sign in text if _is_strange(sign)), "")


def _is_strange(sign: str) -> bool:
    kind = unicodedata.category(sign)
    if kind in {"No", "Nl", "Cn"} or (kind[0] == "S" and sign not in "+`"):
        return True
    made_of = unicodedata.decomposition(sign)
    return kind[0] in "LMN" and made_of.startswith("<") and not made_of.startswith(_JOINED)


def holds_link(text: str) -> bool:
    """Whether a reader could take part of it for a link, or their mail program make one of it."""
    return _LINK.search(unicodedata.normalize("NFKC", text)) is not None


def leads_nowhere(name: str, *, of_firm: bool = False) -> None:
    """Refuses what a reader of the name could call, write to or open. `of_firm`: its first word may be a host."""
    if holds_link(name):
        raise ValidationError(_("Enter only the name, without a web or email address."), code="link")
    if (found := _contact_in(name, of_firm)) is not None:
        raise ValidationError(quoting.why_not(quoting.LeadsAway(*found, name)), code="leads_away")


def leads_away(name: str, *, of_firm: bool = False) -> bool:
    """Whether `leads_nowhere` refuses it."""
    return holds_link(name) or _contact_in(name, of_firm) is not None


def _contact_in(name: str, of_firm: bool) -> tuple[quoting.Found, str] | None:
    plain = _FORMS.sub(". ", _INITIALS.sub(r"\1 ", name))
    return quoting.contact_in(_FIRST_HOST.sub("", plain, count=1) if of_firm and _FIRST_HOST.match(plain) else plain)


class NameField(forms.CharField):
    """A name in any script: it holds a letter, nothing that leads anywhere, and no sign that only looks like a
    letter."""

    def __init__(self, *, of_firm: bool = False, **options: Any) -> None:
        self.of_firm = of_firm
        super().__init__(max_length=options.pop("max_length", 120), **options)

    def to_python(self, value: Any) -> str:
        return tidy(super().to_python(value) or "")

    def validate(self, value: Any) -> None:
        super().validate(value)
        if value and not any(sign.isalpha() for sign in value):
            raise ValidationError(_("A name has letters. Enter it as on the documents."), code="letters")
        if value:
            leads_nowhere(value, of_firm=self.of_firm)
        if value and (word := mixed_word(value)):
            raise ValidationError(
                _("Write each word with the letters of one script. Type this one again: %(word)s"),
                code="scripts",
                params={"word": word},
            )
        if value and (sign := strange_sign(value)):
            raise ValidationError(
                _("Enter the name with ordinary letters, digits and punctuation. Leave out or replace: %(sign)s"),
                code="sign",
                params={"sign": sign},
            )
