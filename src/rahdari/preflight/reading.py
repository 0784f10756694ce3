"""From the bytes of a file to a planned change: bounded, its syntax told or guessed, each line read or named."""

import re
from collections.abc import Callable, Sequence

from .change import (
    Change,
    NoText,
    NothingInIt,
    OtherFormat,
    Syntax,
    SyntaxUnknown,
    TooLarge,
    TooManyLines,
    Trouble,
)
from .draft import Draft
from .syntaxes import cisco, junos, lines, mikrotik, nftables, rpsl, table

MOST_BYTES = 4 * 2**20
MOST_LINES = 100_000

READERS: dict[Syntax, Callable[[Sequence[str]], Draft]] = {
    Syntax.LINES: lines.read,
    Syntax.CSV: table.read,
    Syntax.RPSL: rpsl.read,
    Syntax.NFTABLES: nftables.read,
    Syntax.CISCO: cisco.read,
    Syntax.JUNOS: junos.read,
    Syntax.MIKROTIK: mikrotik.read,
}
_COMMENT = re.compile(r"\s*(?:[#!;%]|//)")
# A line that only this syntax has.
_SIGNS = {
    Syntax.RPSL: re.compile(r"(?:route6?|route-set|(?:mp-)?members|origin|mnt-by|source):", re.IGNORECASE),
    Syntax.NFTABLES: re.compile(
        r"\s*(?:nft\s+)?(?:add|insert|create|flush|delete)\s+(?:table|chain|rule|set|map|element|ruleset)\b"
        r"|\s*(?:table|chain|set|map)\s+[\w .-]+\{|\s*type\s+\w+\s+hook\b|\s*(?:ip6?|tcp|udp|th|meta|ct)\s+"
        r"(?:[sd]addr|[sd]port|l4proto|nfproto|state|protocol)\b|\s*policy\s+(?:accept|drop)\s*;"
    ),
    Syntax.JUNOS: re.compile(
        r"\s*(?:set|deactivate)\s+(?:firewall|policy-options|routing-options|interfaces)\b"
        r"|\s*(?:inactive:\s+|replace:\s+)?(?:firewall|filter|term|from|then|policy-options|prefix-list|family)\b[^;]*\{"
        r"|\s*(?:source|destination)-(?:address|port|prefix-list)\b.*[{;]|\s*then\s+\w+;"
    ),
    Syntax.MIKROTIK: re.compile(r"\s*/(?:ip|ipv6)[ /](?:firewall|route)\b|\s*add\s+.*\b(?:chain|action|list)="),
    Syntax.CISCO: re.compile(
        r"\s*(?:no\s+)?(?:(?:ip|ipv4|ipv6)\s+)?access-list\s+\S+|\s*(?:\d+\s+)?(?:permit|deny)\s+"
        r"(?:ip|ipv4|ipv6|tcp|udp|icmp|icmpv6|esp|gre|ahp|host|object-group|\d+\s|\d+\.\d+\.\d+\.\d+\s+\d+\.)"
        r"|\s*object-group\s|\s*(?:ip|ipv6)\s+route\s",
        re.IGNORECASE,
    ),
}

# What netfilter's own programs write as nftables: `*filter`, `:FORWARD DROP [0:0]`, `-A FORWARD ...`, or as commands.
_IPTABLES = re.compile(
    r"\s*(?:\*(?:filter|nat|mangle|raw|security)\s*$|:[\w-]+ (?:ACCEPT|DROP|-)\b"
    r"|(?:(?:sudo )?ip6?tables(?:-legacy|-nft)?\s+(?:-\S+ \S+ )?)?-[AI] \S+ .*-[jg] )"
)

_NO_ADDRESS_READ = {Trouble.WORD, Trouble.ADDRESS, Trouble.HOST_NAME, Trouble.NO_ADDRESS}


def read(content: bytes, syntax: Syntax | None = None) -> Change:
    """Raises a PlanError: TooLarge, TooManyLines, NoText, NothingInIt, OtherFormat, SyntaxUnknown."""
    if len(content) > MOST_BYTES:
        raise TooLarge(MOST_BYTES)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NoText(error.start) from None
    if (at := text.find("\0")) >= 0:
        raise NoText(len(text[:at].encode()))
    found = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    while found and not found[-1].strip():
        found.pop()
    if all(not line.strip() or _COMMENT.match(line) for line in found):
        raise NothingInIt()
    if len(found) > MOST_LINES:
        raise TooManyLines(MOST_LINES)
    if syntax is None and any(_IPTABLES.match(line) for line in found):
        v6 = any("ip6tables" in line or "::" in line for line in found)
        raise OtherFormat("iptables-save", "ip6tables-restore-translate" if v6 else "iptables-restore-translate")
    change = READERS[syntax or guessed(found)](found).change()
    is_guess = syntax is None and change.syntax is Syntax.LINES and not change.rules and change.unread_count
    # Where an address was read, the fault is behind it, and its line is named.
    if is_guess and all(each.trouble in _NO_ADDRESS_READ for each in change.unread):
        raise SyntaxUnknown(len(found))
    return change


def guessed(found: Sequence[str]) -> Syntax:
    """That of which the most lines have a sign; without any, lines or CSV."""
    signs = {syntax: sum(bool(sign.match(line)) for line in found) for syntax, sign in _SIGNS.items()}
    best = max(signs, key=signs.__getitem__)
    if signs[best]:
        return best
    first = next(line for line in found if line.strip() and not line.lstrip().startswith("#"))
    return Syntax.CSV if len(table.header(first)[1]) > 1 else Syntax.LINES
