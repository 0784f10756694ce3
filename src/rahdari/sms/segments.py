"""How a text travels by SMS: its alphabet and its parts. Pure.

Invariants: a text in the default alphabet has 160 characters a part and 153 in each of several, any other text 70 and
67 (3GPP TS 23.038 and 23.040, 9.2.3.24.1); no character is torn in two between parts; at most 255 parts.
"""

from dataclasses import dataclass

from rahdari.errors import RahdariError

# 3GPP TS 23.038, 6.2.1: the default alphabet by code, and 6.2.1.1: what stands behind an escape and takes two.
BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED = {
    "\f": 0x0A,
    "^": 0x14,
    "{": 0x28,
    "}": 0x29,
    "\\": 0x2F,
    "[": 0x3C,
    "~": 0x3D,
    "]": 0x3E,
    "|": 0x40,
    "€": 0x65,
}
ESCAPE = 0x1B
_CODES = {character: code for code, character in enumerate(BASIC) if code != ESCAPE}

# Units of one part: septets, or 16-bit units of UCS-2.
ALONE = {"gsm": 160, "ucs2": 70}
JOINED = {"gsm": 153, "ucs2": 67}
MOST_PARTS = 255


class TextTooLong(RahdariError):
    """More than 255 parts. `.parts`"""

    says = "{parts} parts are too many for an SMS"
    parts: int


@dataclass(frozen=True)
class Parts:
    """`alphabet` is gsm (one octet for each septet, as SMPP carries it) or ucs2; `contents` without any header."""

    alphabet: str
    contents: tuple[bytes, ...]

    @property
    def count(self) -> int:
        return len(self.contents)


def _coded(character: str, alphabet: str) -> bytes:
    if alphabet == "ucs2":
        return character.encode("utf-16-be")
    if character in EXTENDED:
        return bytes((ESCAPE, EXTENDED[character]))
    return bytes((_CODES[character],))


def alphabet_of(text: str) -> str:
    return "gsm" if all(character in _CODES or character in EXTENDED for character in text) else "ucs2"


def split(text: str) -> Parts:
    """The parts of a text. An empty text is one empty part. Raises TextTooLong for more than `MOST_PARTS`."""
    alphabet = alphabet_of(text)
    width = 2 if alphabet == "ucs2" else 1
    whole = [_coded(character, alphabet) for character in text]
    if sum(map(len, whole)) <= ALONE[alphabet] * width:
        return Parts(alphabet, (b"".join(whole),))
    parts, room = [b""], JOINED[alphabet] * width
    for character in whole:
        if len(parts[-1]) + len(character) > room:
            parts.append(b"")
        parts[-1] += character
    if len(parts) > MOST_PARTS:
        raise TextTooLong(len(parts))
    return Parts(alphabet, tuple(parts))


def count(text: str) -> int:
    return split(text).count
