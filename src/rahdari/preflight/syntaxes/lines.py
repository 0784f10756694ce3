"""One block a line, as people write a plan down: `off 203.0.113.0/27`, `192.0.2.7 udp 1194`, `permit 192.0.2.8`.

A line without a word before its block is denied. After the block come protocols and ports, as the register writes them
(`udp 500, udp 4500, esp`); without them it is everything.
"""

import re
from collections.abc import Iterable, Sequence

from rahdari.address import plain_text

from .. import names
from ..change import EVERY_PROTOCOL, Action, NotUnderstood, Rule, Syntax, Trouble
from ..draft import Draft, both_ends
from ..space import ANYWHERE, PORTS, Addresses, Span, Spans, union

WORDS = {
    **dict.fromkeys("deny off cut drop block reject discard down close remove withdraw delete".split(), Action.DENY),
    **dict.fromkeys("permit allow accept keep pass spare".split(), Action.PERMIT),
    **dict.fromkeys("limit slow police shape throttle".split(), Action.LIMIT),
    **dict.fromkeys("reroute route move".split(), Action.REROUTE),
    "renumber": Action.RENUMBER,
}
ANY = frozenset({"any", "all", "*", "0/0"})
_COMMENT = re.compile(r"(?:^|\s)(?:#|//|!|;).*")
_BETWEEN = re.compile(r"[\s,;]+")
_WITH_PORT = re.compile(r"\[([0-9a-fA-F:.]+)\]:(\d+(?:-\d+)?)|(\d+\.\d+\.\d+\.\d+):(\d+(?:-\d+)?)", re.ASCII)


def read(lines: Sequence[str]) -> Draft:
    draft = Draft(Syntax.LINES, lines)
    of = draft.list_of("lines", 1)
    for number, line in enumerate(lines, 1):
        text = _COMMENT.sub("", line if line.isascii() else plain_text(line)).strip()
        if not text:
            continue
        try:
            draft.add(of, rules_of(_BETWEEN.split(text.strip(",;")), number))
        except NotUnderstood as error:
            draft.refuse(number, error)
    return draft


def rules_of(words: list[str], line: int) -> list[Rule]:
    """Raises NotUnderstood."""
    if words[0].isdigit() and words[1:] and words[1].lower() in WORDS:
        # A sequence number, as in a list of a device.
        words = words[1:]
    action = WORDS.get(words[0].lower())
    rest = words if action is None else words[1:]
    if not rest:
        raise NotUnderstood(Trouble.NO_ADDRESS, words[0])
    block, parts = rest[0], rest[1:]
    if found := _WITH_PORT.fullmatch(block):
        block, parts = found[1] or found[3], [*parts, found[2] or found[4]]
    if len(rest) >= 3 and rest[1] == "-":
        block, parts = f"{rest[0]}-{rest[2]}", rest[3:]
    of = block_of(block)
    return [
        rule
        for protocols, conditional, ports in parts_of(parts)
        for rule in both_ends(
            action or Action.DENY, line, of, protocols=protocols, ports=ports, conditional=conditional
        )
    ]


def block_of(text: str) -> Addresses:
    if text.lower() in ANY:
        return ANYWHERE
    try:
        return names.written(text.strip("[]"))
    except NotUnderstood as error:
        # Where the first word is none that is known, that is what to say.
        raise NotUnderstood(Trouble.WORD, text) if text.isalpha() else error from None


def parts_of(words: Iterable[str]) -> list[tuple[frozenset[str], bool, Spans]]:
    """`udp 500, 4500 esp`, `udp/1194`, `1194/udp`, `1194-1200`: protocols, each with ports or all of it. Raises
    NotUnderstood."""
    found: list[tuple[frozenset[str], bool, list[Span]]] = []
    for word in words:
        for piece in re.split(r"[/:]", word):
            if not piece or piece == "-":
                continue
            if piece.isdigit() or piece[0].isdigit() or not names.is_protocol(piece):
                if not (piece[0].isdigit() or piece.lower() in names.PORT_NAMES):
                    raise NotUnderstood(Trouble.WORD, piece)
                span = names.ports(piece)
                if not found or not found[-1][0] & names.BOTH_WITH_PORTS:
                    found.append((names.BOTH_WITH_PORTS, False, []))
                found[-1][2].append(span)
            else:
                protocols, conditional = names.protocols(piece)
                if found and found[-1][0] == names.BOTH_WITH_PORTS and found[-1][2] and "/" in word:
                    # The port came first.
                    found[-1] = (protocols & names.BOTH_WITH_PORTS or protocols, conditional, found[-1][2])
                else:
                    found.append((protocols, conditional, []))
    if not found:
        return [(EVERY_PROTOCOL, False, PORTS)]
    return [
        (protocols & names.BOTH_WITH_PORTS if ports else protocols, conditional, union(ports) if ports else PORTS)
        for protocols, conditional, ports in found
    ]
