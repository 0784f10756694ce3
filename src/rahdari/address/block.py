"""Parse, format and compare prefixes.

`parse_block` accepts what people type or paste: Urdu, Arabic and full-width digits, the Urdu full stop, invisible
direction marks, brackets around an IPv6 address. It guesses nothing: where the text may mean two things it refuses, and
says in `.suggestion` what it would have accepted.
"""

import ipaddress
import re
import unicodedata
from enum import StrEnum

type Block = ipaddress.IPv4Network | ipaddress.IPv6Network
type Address = ipaddress.IPv4Address | ipaddress.IPv6Address

LONGEST_TEXT = 300
_DIGITS = {ord(sign): str(value) for signs in ("۰۱۲۳۴۵۶۷۸۹", "٠١٢٣٤٥٦٧٨٩") for value, sign in enumerate(signs)}
# An Urdu keyboard has its own full stop and decimal sign where the dot of an address is looked for.
_MARKS = {0x06D4: ".", 0x066B: ".", 0x2044: "/", 0x2215: "/"}
_DOTTED = re.compile(r"\d+(?:\.\d+){1,3}", re.ASCII)
_FOUR = re.compile(r"\d+\.\d+\.\d+\.\d+", re.ASCII)
_HOST_NAME = re.compile(r"(?=.*[a-z])(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9])?\.)+[a-z0-9-]{2,}\.?", re.IGNORECASE)
_PORT = re.compile(r"\d{1,5}", re.ASCII)
# Marks that show what follows them the other way round (8.7.6.5 behind U+202E is seen as 5.6.7.8, 2001:db8::1 behind
# U+2067 as db8::1:2001), or that force an order. Marks that only keep a number together stay harmless: our own pages
# put them around addresses, and people copy them along.
_TURN_AROUND = frozenset("\u202b\u202d\u202e\u2067")
# Signs that only look like a digit, as Unicode describes them.
_NO_DIGITS = ("<super>", "<sub>", "<circle>", "<fraction>")
# Letters that are taken for digits, on paper and on the screen.
_LETTERS = str.maketrans("OoIlSB", "001158")
_LETTERED = re.compile(r"[0-9OoIlSB]{1,3}(?:\.[0-9OoIlSB]{1,3}){3}")
_ONE_OF_FOUR = r"(?:0x[0-9a-f]{1,2}|\d{1,3})"
_HEXADECIMAL = re.compile(rf"0x[0-9a-f]{{1,8}}|{_ONE_OF_FOUR}(?:\.{_ONE_OF_FOUR}){{3}}", re.IGNORECASE | re.ASCII)


class AddressFault(StrEnum):
    """Why a text is no block that can be registered."""

    EMPTY = "empty"
    TOO_LONG = "too_long"
    SEVERAL = "several"
    URL = "url"
    HOST_NAME = "host_name"
    PORT = "port"
    NETMASK = "netmask"
    RANGE = "range"
    SCOPE = "scope"
    TURNED_AROUND = "turned_around"
    NO_DIGIT = "no_digit"
    LETTER = "letter"
    HEXADECIMAL = "hexadecimal"
    LEADING_ZEROS = "leading_zeros"
    INCOMPLETE = "incomplete"
    OUT_OF_RANGE = "out_of_range"
    PREFIX_LENGTH = "prefix_length"
    HOST_BITS = "host_bits"
    MAPPED = "mapped"
    TOO_WIDE = "too_wide"
    MALFORMED = "malformed"


class AddressError(ValueError):
    """The text is no acceptable block.

    `.reason` says why, `.text` is what was given, `.suggestion` a text that would be accepted, `.port` a port found on
    the address, `.limit` the prefix length or the largest number that is allowed.
    """

    def __init__(
        self,
        reason: AddressFault,
        text: str,
        *,
        suggestion: str | None = None,
        port: int | None = None,
        limit: int | None = None,
    ) -> None:
        super().__init__(f"{reason}: {text[:80]!r}")
        self.reason = reason
        self.text = text
        self.suggestion = suggestion
        self.port = port
        self.limit = limit


def plain_text(text: str) -> str:
    """Trim, put foreign digits and full-width signs into ASCII, and drop invisible marks (as pasted from a page)."""
    folded = unicodedata.normalize("NFKC", text).translate(_DIGITS).translate(_MARKS)
    return "".join(sign for sign in folded if unicodedata.category(sign) != "Cf").strip()


def turns_around(text: str) -> bool:
    """Whether a mark in it makes people see something else than what is there."""
    return not _TURN_AROUND.isdisjoint(text)


def has_false_digits(text: str) -> bool:
    """Whether a sign in it only looks like a digit, until NFKC makes one of it: raised, lowered, circled, fraction."""
    return not text.isascii() and any(unicodedata.decomposition(sign).startswith(_NO_DIGITS) for sign in text)


def parse_block(text: str) -> Block:
    """A host or prefix, canonical. Raises AddressError."""
    plain = plain_text(text)
    if not plain:
        raise AddressError(AddressFault.EMPTY, text)
    if len(plain) > LONGEST_TEXT:
        raise AddressError(AddressFault.TOO_LONG, text, limit=LONGEST_TEXT)
    if turns_around(text):
        raise AddressError(AddressFault.TURNED_AROUND, text)
    if has_false_digits(text):
        raise AddressError(AddressFault.NO_DIGIT, text, suggestion=_suggest(plain))
    if "://" in plain:
        raise AddressError(AddressFault.URL, text, suggestion=_suggest(_host_of(plain)))
    # A full stop behind an address ends the sentence it was copied from.
    plain = re.sub(r"\s*([/-])\s*", r"\1", plain).rstrip(".")
    if re.search(r"[\s,;|،؛]", plain):
        first, second, *more = re.split(r"[\s,;|،؛]+", plain)
        if not more and second.startswith("255.") and _FOUR.fullmatch(second):
            return parse_block(f"{first}/{second}")  # address and mask, as a router shows them
        raise AddressError(AddressFault.SEVERAL, text, suggestion=_suggest(first))
    if "%" in plain:
        raise AddressError(AddressFault.SCOPE, text, suggestion=_suggest(plain.partition("%")[0]))

    plain = _without_brackets_and_port(plain, text)
    host, slash, width = plain.partition("/")
    address = _parse_host(host, text, rest=slash + width)
    length = _parse_width(address, width, text) if slash else address.max_prefixlen
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        inner = str(address.ipv4_mapped) + (f"/{length - 96}" if 96 <= length < 128 else "")
        raise AddressError(AddressFault.MAPPED, text, suggestion=_suggest(inner))
    block = ipaddress.ip_network(f"{address}/{length}", strict=False)
    if block.network_address != address:
        raise AddressError(AddressFault.HOST_BITS, text, suggestion=format_block(block))
    return block


def format_block(block: Block) -> str:
    """`203.0.113.24` for a single address, else `203.0.113.0/28`."""
    return str(block.network_address) if is_single(block) else str(block)


def is_single(block: Block) -> bool:
    return block.prefixlen == block.max_prefixlen


def check_width(block: Block, *, shortest_v4: int, shortest_v6: int) -> None:
    """Raise AddressError (too wide) for a prefix shorter than the limit of its family; `.limit` is that limit."""
    shortest = shortest_v4 if block.version == 4 else shortest_v6
    if block.prefixlen < shortest:
        raise AddressError(AddressFault.TOO_WIDE, format_block(block), limit=shortest)


def overlap(one: Block, other: Block) -> bool:
    """Whether the two share an address; blocks of different families never do."""
    if one.version != other.version:
        return False
    shared = min(one.prefixlen, other.prefixlen)
    shift = one.max_prefixlen - shared
    return int(one.network_address) >> shift == int(other.network_address) >> shift


def contains(outer: Block, inner: Block) -> bool:
    """Whether every address of `inner` lies in `outer`."""
    return outer.prefixlen <= inner.prefixlen and overlap(outer, inner)


def _suggest(text: str | None) -> str | None:
    """A suggestion is only made when it is itself acceptable."""
    if not text:
        return None
    try:
        return format_block(parse_block(text))
    except AddressError as error:
        return error.suggestion


def _host_of(url: str) -> str:
    authority = re.split(r"[/?#]", url.partition("://")[2], maxsplit=1)[0]
    return authority.rpartition("@")[2]


def _without_brackets_and_port(plain: str, text: str) -> str:
    if plain.startswith("["):
        inside, bracket, after = plain[1:].partition("]")
        if not bracket:
            raise AddressError(AddressFault.MALFORMED, text)
        if after.startswith(":") and _PORT.fullmatch(after[1:]):
            raise AddressError(AddressFault.PORT, text, suggestion=_suggest(inside), port=int(after[1:]))
        return inside + after
    head, colon, tail = plain.rpartition(":")
    if colon and ":" not in head and _PORT.fullmatch(tail):
        if _FOUR.fullmatch(head):
            raise AddressError(AddressFault.PORT, text, suggestion=_suggest(head), port=int(tail))
        if _HOST_NAME.fullmatch(head):
            raise AddressError(AddressFault.HOST_NAME, text)
    return plain


def _parse_host(host: str, text: str, *, rest: str) -> Address:
    if re.fullmatch(r"[\d.]+-[\d.]+|[0-9a-f:]+-[0-9a-f:]+", host, re.IGNORECASE):
        raise AddressError(AddressFault.RANGE, text, suggestion=_range_as_prefix(host))
    if "0x" in host.lower() and _HEXADECIMAL.fullmatch(host):
        raise AddressError(AddressFault.HEXADECIMAL, text, suggestion=_suggest(_in_decimal(host) + rest))
    if not _FOUR.fullmatch(host) and _LETTERED.fullmatch(host) and any(map(str.isdigit, host)):
        raise AddressError(AddressFault.LETTER, text, suggestion=_suggest(host.translate(_LETTERS) + rest))
    if _HOST_NAME.fullmatch(host):
        raise AddressError(AddressFault.HOST_NAME, text)
    if _FOUR.fullmatch(host):
        parts = host.split(".")
        if any(len(part.lstrip("0")) > 3 or int(part) > 255 for part in parts):
            # One number with a digit too many: the last one slipped in, most likely.
            nearly = ".".join(part[:3] if len(part) == 4 else part for part in parts)
            one = sum(len(part) == 4 for part in parts) == 1
            meant = _suggest(nearly + rest) if one else None
            raise AddressError(AddressFault.OUT_OF_RANGE, text, limit=255, suggestion=meant)
        if any(len(part) > 1 and part.startswith("0") for part in parts):
            # Some programs read 010 as eight, others as ten: we do not choose for the holder.
            decimal = ".".join(str(int(part)) for part in parts)
            raise AddressError(AddressFault.LEADING_ZEROS, text, suggestion=_suggest(decimal + rest))
    elif _DOTTED.fullmatch(host.rstrip(".")) or (host.isascii() and host.isdigit()):
        raise AddressError(AddressFault.INCOMPLETE, text)
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        raise AddressError(AddressFault.MALFORMED, text) from None


def _parse_width(address: Address, width: str, text: str) -> int:
    if width.isascii() and width.isdigit() and len(width) <= 4:
        length = int(width)
        if length > address.max_prefixlen:
            raise AddressError(AddressFault.PREFIX_LENGTH, text, limit=address.max_prefixlen)
        if width != str(length):
            raise AddressError(AddressFault.LEADING_ZEROS, text, suggestion=_suggest(f"{address}/{length}"))
        return length
    if _FOUR.fullmatch(width) and address.version == 4:
        try:
            masked = ipaddress.ip_network(f"{address}/{width}", strict=False)
        except ValueError:
            raise AddressError(AddressFault.NETMASK, text) from None
        raise AddressError(AddressFault.NETMASK, text, suggestion=format_block(masked))
    raise AddressError(AddressFault.PREFIX_LENGTH, text, limit=address.max_prefixlen)


def _in_decimal(host: str) -> str:
    """`203.0.113.24` for `0xcb.0.0x71.24` and for `0xcb007118`."""
    parts = [int(part, 16 if part.lower().startswith("0x") else 10) for part in host.split(".")]
    return ".".join(map(str, parts if len(parts) == 4 else parts[0].to_bytes(4)))


def _range_as_prefix(text: str) -> str | None:
    """The prefix that is exactly this range, when there is one."""
    first, _, last = text.partition("-")
    try:
        start, end = ipaddress.ip_address(first), ipaddress.ip_address(last)
        if start.version == 4 and end.version == 4:
            blocks: list[Block] = list(ipaddress.summarize_address_range(start, end))
        elif start.version == 6 and end.version == 6:
            blocks = list(ipaddress.summarize_address_range(start, end))
        else:
            return None
    except (ValueError, TypeError):
        return None
    return _suggest(str(blocks[0])) if len(blocks) == 1 else None
