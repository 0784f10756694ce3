"""The public number of a registration: RD-9A9A-99AA.

Seven random characters and one check letter: digit, letter, digit, letter, digit, digit, letter, check letter.
Letters are the 24 without I and O, which are read as 1 and 0. The check letter makes the weighted sum of all eight
characters 5 modulo 29, a prime, so that every single wrong character and every swap of two different neighbours is
found: character values are 0-9 for digits and 10-33 for letters; weights are 1 to 8 from the left. Where the wanted
value has no letter (29 values, 24 letters) the number is not given out.

A reference is not a secret and not a key: it has 10^4 x 24^3 = 138 million random values, of which 24 in 29 are used,
and the public check that takes it is rate-limited.
"""

import re
import secrets
import unicodedata

LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
DIGITS = "0123456789"
PATTERN = "9A9A99A"
_FORM = re.compile(rf"RD([0-9])([{LETTERS}])([0-9])([{LETTERS}])([0-9])([0-9])([{LETTERS}])([{LETTERS}])")
_MODULUS = 29
# Any constant would do; with this one the number on all our sample pages, RD-4F7K-92MQ, is a well-formed one.
_SUM = 5
_READ_AS = str.maketrans("۰۱۲۳۴۵۶۷۸۹٠١٢٣٤٥٦٧٨٩", "01234567890123456789")


def _value(character: str) -> int:
    return DIGITS.index(character) if character in DIGITS else 10 + LETTERS.index(character)


def check_letter(body: str) -> str | None:
    """The letter that completes seven characters, or None when there is none (such a body is not used)."""
    total = sum(weight * _value(character) for weight, character in enumerate(body, start=1))
    # 8 * value + total = _SUM (mod 29); the inverse of 8 modulo 29 is 11.
    wanted = ((_SUM - total) * 11) % _MODULUS
    matching = [letter for letter in LETTERS if _value(letter) % _MODULUS == wanted]
    # Values 10-33 wrap: 29-33 (V to Z) share residues 0-4, which no other letter has, so there is at most one.
    return matching[0] if matching else None


def make() -> str:
    """A new random reference. Uniqueness is the database's business."""
    while True:
        body = "".join(secrets.choice(DIGITS if kind == "9" else LETTERS) for kind in PATTERN)
        letter = check_letter(body)
        if letter is not None:
            return f"RD-{body[:4]}-{body[4:]}{letter}"


def normalise(text: str) -> str | None:
    """The reference in its one form, from what a person typed; None when it is not one or the check letter is wrong.

    Small letters, missing or other dashes, spaces, Urdu digits and invisible marks (our letters in Urdu print the
    number between two) are taken; so is O for 0 and I or L for 1 where a digit must stand, and the leading RD may be
    left out.
    """
    seen = "".join(sign for sign in text if unicodedata.category(sign) != "Cf")
    plain = re.sub(r"[\s\-‐-―−_.]", "", seen.translate(_READ_AS)).upper()
    if len(plain) == 8 and not plain.startswith("RD"):
        plain = "RD" + plain
    if len(plain) != 10:
        return None
    characters = list(plain)
    for place, kind in enumerate("9A9A99A", start=2):
        if kind == "9":
            characters[place] = {"O": "0", "I": "1", "L": "1"}.get(characters[place], characters[place])
    plain = "".join(characters)
    if not _FORM.fullmatch(plain) or check_letter(plain[2:9]) != plain[9]:
        return None
    return f"RD-{plain[2:6]}-{plain[6:]}"
