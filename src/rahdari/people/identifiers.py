"""Numbers that identify persons and companies in Pakistan: read leniently, kept in one form, shown masked. Pure.

Invariants: no check digit is enforced that nobody has published; a number that only looks unusual is accepted and
marked, since a person can hold it; what is kept has 0-9 only, whatever digits were typed.

Sources. CNIC: 13 digits, shown 5-7-1, the first the province (1 KP, 2 former FATA, 3 Punjab, 4 Sindh, 5 Balochistan,
6 Islamabad, 7 Gilgit-Baltistan); 8 is in use for Azad Kashmir to our knowledge; no checksum was ever published. NTN of
a company: 7 digits, often with a hyphen and a check digit whose formula is not published; of an individual: the CNIC.
SECP number (CUIN): 7 digits, filled with zeros. Mobile: +92 3XX XXXXXXX. Association numbers: no format is published.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

import phonenumbers

from rahdari.address import has_false_digits, turns_around

Reason = Literal[
    "empty",
    "turned_around",
    "letters",
    "length",
    "first_digit",
    "passport",
    "tax_number",
    "not_mobile",
    "not_pakistan",
    "characters",
]

# Digits of Urdu (U+06F0) and Arabic (U+0660) keyboards. NFKC turns full-width ones into 0-9 but leaves these.
_DIGITS = {ord(zero) + value: str(value) for zero in "\u06f0\u0660" for value in range(10)}
# What people put between digits: spaces, hyphens and dashes, dots, slashes, brackets; and what copying brings along:
# from a phone in Urdu the Arabic letter mark (U+061C).
_BETWEEN = re.compile(r"[\s\-\u2010-\u2015\u2212.,/()\u0640\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+")
# Signs that nobody sees though they are letters or marks: they would hide what stands around them from us.
UNSEEN = re.compile("[\\u034f\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u3164\\ufe00-\\ufe0f\\uffa0]")
_PASSPORT = re.compile(r"[A-Z]{2}[0-9]{7}", re.IGNORECASE)


class IdentifierError(ValueError):
    """The text is no such number. `.reason` says why, `.digits` how many digits it has; the text itself is not kept."""

    def __init__(self, reason: Reason, *, digits: int = 0) -> None:
        super().__init__(reason)
        self.reason, self.digits = reason, digits


@dataclass(frozen=True)
class CardNumber:
    """A CNIC, SNIC or NICOP. `unusual`: the first digit is not one of the published provinces."""

    digits: str
    unusual: bool = False

    def __str__(self) -> str:
        return f"{self.digits[:5]}-{self.digits[5:12]}-{self.digits[12:]}"


@dataclass(frozen=True)
class TaxNumber:
    """An NTN: 7 digits of a company with the check digit if one was given, or an individual's card number."""

    digits: str
    check_digit: str = ""

    @property
    def is_individual(self) -> bool:
        return len(self.digits) == 13

    def __str__(self) -> str:
        if self.is_individual:
            return str(CardNumber(self.digits))
        return f"{self.digits}-{self.check_digit}" if self.check_digit else self.digits


def with_plain_digits(text: str) -> str:
    """The text in NFKC with every Urdu, Arabic or full-width digit as 0-9."""
    return unicodedata.normalize("NFKC", text).translate(_DIGITS)


def _plain(text: str) -> str:
    """`with_plain_digits`. Raises IdentifierError where people see something else than what is there."""
    if turns_around(text):
        raise IdentifierError("turned_around")
    if has_false_digits(text):
        raise IdentifierError("letters")
    return with_plain_digits(text)


def _bare(text: str) -> str:
    """Without what stands between digits. Raises IdentifierError as `_plain` does."""
    return _BETWEEN.sub("", _plain(text))


def _digits_of(text: str) -> str:
    """All digits of a text that has nothing else but separators. Raises IdentifierError."""
    bare = _bare(text)
    if not bare:
        raise IdentifierError("empty")
    if not re.fullmatch(r"[0-9]+", bare):
        raise IdentifierError("letters")
    return bare


def parse_cnic(text: str) -> CardNumber:
    """The 13 digits of an identity card. `unusual`: a first digit that is rare. Raises IdentifierError."""
    if _PASSPORT.fullmatch(_bare(text)):
        raise IdentifierError("passport")
    digits = _digits_of(text)
    if len(digits) != 13:
        raise IdentifierError("length", digits=len(digits))
    if digits[0] == "0":
        raise IdentifierError("first_digit", digits=13)
    return CardNumber(digits, unusual=digits[0] in "89")


def mask_cnic(card: CardNumber | str) -> str:
    """`35xxx-xxxxxxx-x`: the digits tell home area and sex, so no more of them is shown."""
    digits = card.digits if isinstance(card, CardNumber) else card
    return f"{digits[:2]}xxx-xxxxxxx-x"


def mask_ntn(text: str) -> str:
    """A tax number as it may be shown: an individual's is the number of their card."""
    number = parse_ntn(text)
    return mask_cnic(number.digits) if number.is_individual else str(number)


def parse_ntn(text: str) -> TaxNumber:
    """A tax number: 7 digits, with a check digit 8; or the 13 digits of a person's card. Raises IdentifierError."""
    digits = _digits_of(text)
    if len(digits) == 13:
        return TaxNumber(parse_cnic(digits).digits)
    if len(digits) == 8:
        return TaxNumber(digits[:7], check_digit=digits[7])
    if len(digits) != 7:
        raise IdentifierError("length", digits=len(digits))
    return TaxNumber(digits)


def parse_company_number(text: str) -> str:
    """The SECP number (CUIN) with its leading zeros: "54321" and "CUIN-0054321" are both 0054321.
    Raises IdentifierError.
    """
    digits = _digits_of(re.sub(r"^\s*cuin\b", "", _plain(text), flags=re.IGNORECASE))
    if len(digits) == 8:
        raise IdentifierError("tax_number", digits=8)
    if len(digits) > 7 or not digits.strip("0"):
        raise IdentifierError("length", digits=len(digits))
    return digits.zfill(7)


def parse_mobile(text: str) -> str:
    """A Pakistani mobile number in E.164: 0300 1234567, 300-1234567 and +92 300 1234567 are all +923001234567.
    Raises IdentifierError.
    """
    plain = _bare(text)
    if not plain:
        raise IdentifierError("empty")
    if not re.fullmatch(r"\+?[0-9]+", plain):
        raise IdentifierError("letters")
    digits = plain.lstrip("+")
    try:
        number = phonenumbers.parse(plain if plain.startswith("+") else re.sub(r"^0092", "+92", plain), "PK")
    except phonenumbers.NumberParseException:
        raise IdentifierError("length", digits=len(digits)) from None
    if number.country_code != 92:
        raise IdentifierError("not_pakistan", digits=len(digits))
    national = str(number.national_number)
    if not national.startswith("3") or number.italian_leading_zero:
        raise IdentifierError("not_mobile", digits=len(digits))
    if len(national) != 10:
        raise IdentifierError("length", digits=len(digits))
    return f"+92{national}"


def parse_association_number(text: str) -> str:
    """A membership number as the association writes it: 3 to 40 letters, digits, spaces and `- / . _`.
    Raises IdentifierError.
    """
    shown = (sign for sign in _plain(text) if unicodedata.category(sign) != "Cf")
    plain = " ".join("".join(shown).split())
    if not plain:
        raise IdentifierError("empty")
    if not 3 <= len(plain) <= 40:
        raise IdentifierError("length", digits=len(plain))
    if not all(letter.isalnum() or letter in " -/._" for letter in plain):
        raise IdentifierError("characters")
    return plain.upper()
