"""Texts of one party that another one reads from us: of an operator or an association to a holder, of a holder to an
operator. They are shown as the words of whoever wrote them (`values.quoted`), and lead nowhere: no web address, no
email address, no telephone number. Which texts these are, and what holds each, stands in docs/letters.md.

It is no judge of what is true: a number in words, or a short code, passes. That is why whose words they are stands at
them.
"""

import re
import unicodedata
from enum import StrEnum
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from rahdari.errors import RahdariError
from rahdari.web import values

from .identifiers import UNSEEN

# A scheme, a host by its first label or its last, a page at a network address, or an address of mail. "。" is a dot to
# a browser, too, and "[.]" to a reader.
_ADDRESS = re.compile(
    r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?/(?!\d)\S*|\[[0-9a-f:.]+\](?::\d+)?/\S*|"
    r"[a-z][a-z0-9+.-]*:/\S*|\bwww\.\S+|\S+@\S+|[^\W_][\w-]*(?:[.。][\w-]+)*[.。](?:xn--[\w-]+|[^\W\d_]{2,})(?:[/?#:]\S*)?",
    re.IGNORECASE,
)
_TELEPHONE = re.compile(r"\+?\(?\d(?:[\s().\-‐-―/]*\d){6,}")
# What has as many figures and is none: network addresses, days, times of day, and numbers of ours.
_NO_TELEPHONE = re.compile(
    r"\b\d{1,3}(?:\.\d{1,3}){3}(?:/\d{1,2})?\b|\b[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}(?:/\d{1,3})?"
    r"|\b20\d\d[-./ ]\d{1,2}[-./ ]\d{1,2}\b|\b\d{1,2}[-./ ]\d{1,2}[-./ ]20\d\d\b"
    r"|(?<![\d.])\d{1,2}[:.]\d\d(?::\d\d)?(?![\d.])"
    r"|\b[A-Z]{1,2}(?:-[0-9A-Z]{4}){2,3}\b",
    re.IGNORECASE,
)
# They turn the order of what is around them.
_TURNS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


class Found(StrEnum):
    ADDRESS = "address"
    TELEPHONE = "telephone"


class LeadsAway(RahdariError):
    """What others are to read holds an address or a telephone number. `.found`, `.part` of it, and `.text`"""

    says = "{found}"
    found: Found
    part: str
    text: str


def contact_in(text: str) -> tuple[Found, str] | None:
    """What a reader could call, write to or open, and as which of them."""
    plain = UNSEEN.sub("", "".join(sign for sign in text if unicodedata.category(sign) != "Cf"))
    plain = re.sub(r"[\[(]([.。])[\])]", r"\1", unicodedata.normalize("NFKC", plain))
    if (address := _ADDRESS.search(plain)) is not None:
        return Found.ADDRESS, address.group()
    number = _TELEPHONE.search(_NO_TELEPHONE.sub(" · ", plain))
    return (Found.TELEPHONE, number.group().strip()) if number is not None else None


def held(text: str) -> str:
    """The text as it may be shown to others: without signs that turn the order of a line. Raises LeadsAway."""
    kept = _TURNS.sub("", text.replace("\0", "")).strip()
    if (found := contact_in(kept)) is not None:
        raise LeadsAway(*found, text)
    return kept


def why_not(error: LeadsAway) -> str:
    """What is wrong with the text, and how to mend it."""
    told = {"part": values.plain_ltr(error.part[:60])}
    if error.found is Found.TELEPHONE:
        return _("Leave out %(part)s: this text may hold no telephone number. Seven digits or more read as one.") % told
    return (
        _("Leave out %(part)s: this text may hold no web or email address. If it is none, put a space after the dot.")
        % told
    )


def leads_nowhere(value: Any) -> None:
    """The same, for the field of a form."""
    try:
        held(str(value))
    except LeadsAway as error:
        raise ValidationError(why_not(error), code="leads_away") from None
