"""Which packets of a TCP connection in order a match on flags fits."""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from .change import ESTABLISHED, NEW, Action, Rule

FLAGS = frozenset("fin syn rst ack psh urg ecn cwr none".split())
type Fits = Callable[[frozenset[str]], bool]
# What begins a connection; and what every connection has after it: the answer, what confirms, what carries.
_BEGINS = (frozenset({"syn"}), frozenset({"syn", "ecn", "cwr"}))
_CARRIES = tuple(frozenset(each.split()) for each in ("syn ack", "syn ack ecn", "ack", "ack psh"))
_NUMBERED = {0x01: "fin", 0x02: "syn", 0x04: "rst", 0x08: "psh", 0x10: "ack", 0x20: "urg", 0x40: "ecn", 0x80: "cwr"}
_OTHER_NAMES = {"push": "psh", "urgent": "urg", "ece": "ecn"}


def narrowed(rule: Rule, fits: Fits | None, of: Collection[str] = (NEW, ESTABLISHED)) -> Rule:
    """The rule, only for packets of TCP with such flags; None where that was not understood. `of`: as far as packets of
    these states go."""
    rule = replace(rule, protocols=rule.protocols & {"tcp"})
    if fits is None:
        return replace(rule, conditional=True)
    begins = [NEW in of and fits(each) for each in _BEGINS]
    # Where no connection begins, it is no matter how it would go on.
    whole = rule.action is Action.DENY and all(begins)
    carries = [ESTABLISHED in of and not whole and fits(each) for each in _CARRIES]
    states = frozenset({*([NEW] if any(begins) else []), *([ESTABLISHED] if any(carries) else [])})
    if not states:
        return replace(rule, odd=True)
    # A condition where only some of those are fitted that have the same state.
    partly = any(any(each) and not all(each) for each in (begins[:1], carries))
    return replace(rule, states=rule.states & states, conditional=rule.conditional or partly)


def all_of(there: Collection[str], absent: Collection[str] = ()) -> Fits:
    """These are set, and those are not."""
    yes, no = (frozenset(_OTHER_NAMES.get(each, each) for each in some) for some in (there, absent))
    return lambda flags: yes <= flags and not no & flags


def any_of(one: Sequence[Fits]) -> Fits:
    return lambda flags: any(each(flags) for each in one)


def of_nftables(words: Sequence[str]) -> Fits | None:
    """`& (fin|syn|rst|ack) == syn`, `syn / fin,syn,rst,ack`, `!= syn`, `{ syn, ack }`, `syn,ack` (any of these)."""
    said = " ".join(words)
    negated = "!=" in words or said.startswith("! ")
    if form := re.fullmatch(r"(?:&|and) (.+?) (?:==|!=) (.+)", said):
        mask, value = map(_flags_of, form.groups())
    elif form := re.fullmatch(r"(?:== |!= |! )?(.+?) / (.+)", said):
        value, mask = map(_flags_of, form.groups())
    elif form := re.fullmatch(r"(?:==|!=) ([^{}]+)", said):
        mask, value = frozenset(_NUMBERED.values()), _flags_of(form[1])
    elif form := re.fullmatch(r"(?:! )?([^{}=&/]+)", said):
        some = _flags_of(form[1])
        return None if some is None else lambda flags: bool(some & flags) is not negated
    elif form := re.fullmatch(r"\{ ([^{}]+) \}", said):
        exact = [_flags_of(each) for each in form[1].split(",")]
        return None if None in exact else lambda flags: flags in exact
    else:
        return None
    return None if mask is None or value is None else lambda flags: (flags & mask == value) is not negated


def _flags_of(text: str) -> frozenset[str] | None:
    found = set[str]()
    for word in re.split(r"[ ,|()]+|\bor\b", text):
        if re.fullmatch(r"0x[0-9a-f]{1,2}|0", word):
            found |= {name for bit, name in _NUMBERED.items() if int(word, 16) & bit}
        elif word in FLAGS:
            found |= {word} - {"none"}
        elif word:
            return None
    return frozenset(found)
