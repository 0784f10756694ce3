"""What happens to connections that are not on the register, and whose signature says so.

Invariants: an order is named with its instrument and its day; a statement that no order stands names none; of a policy
in use the statement is never left out, and outside a demonstration it is signed. Rules that were frozen before it
existed have none.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from .reading import Section
from .shapes import Instrument, SignedItem, Text

EFFECTS = ("none", "ordered")
# The question that whoever signs has answered with it.
SIGNED_BY = "item_16"
# It stands on a certificate, in two languages, beside everything else.
MOST_CHARACTERS = 360


@dataclass(frozen=True, slots=True)
class Unregistered:
    effect: str
    text: Text
    # Of what was ordered: by what, and since when.
    instrument: Instrument | None
    on: date | None
    signed: SignedItem


def unregistered_from(
    root: Section, instruments: Mapping[str, Instrument], signed: Mapping[str, SignedItem]
) -> Unregistered | None:
    """What happens to connections that are not on the register, and who signed it. A file without the section has a
    fault.
    """
    if not root.has("unregistered"):
        root.fault(
            "Say what happens to connections that are not on the register: [unregistered] with effect and text.",
            "unregistered",
        )
        return None
    section = root.section("unregistered")
    effect = section.choice("effect", EFFECTS)
    text = section.both("text")
    for language in ("en", "ur"):
        if len(text.in_language(language)) > MOST_CHARACTERS:
            section.fault(
                f"The text ({language}) stands on a certificate: {MOST_CHARACTERS} characters at most.", "text"
            )
    instrument, on = _order(section, effect, instruments)
    section.done()
    item = signed.get(SIGNED_BY)
    if item is None:
        root.faults.add(("signed",), f"The question {SIGNED_BY} is missing: whose word is [unregistered]?")
        item = SignedItem(SIGNED_BY, "", "", "", "")
    elif not item.is_signed and root.data.get("demonstration") is False:
        root.faults.add(
            ("signed", SIGNED_BY),
            "Nobody has signed what happens to connections that are not on the register: name, office, on.",
        )
    return Unregistered(effect, text, instrument, on, item)


def _order(
    section: Section, effect: str, instruments: Mapping[str, Instrument]
) -> tuple[Instrument | None, date | None]:
    named = [key for key in ("instrument", "on") if section.has(key)]
    if effect == "none":
        for key in named:
            section.string(key, "")
            section.fault("Where nothing is ordered, no order is named: take this out, or say ordered.", key)
        return None, None
    if len(named) < 2:
        section.fault("What is ordered is named: instrument (a key of [instruments]) and on (its day).", "effect")
    key = section.string("instrument", "")
    if key and key not in instruments:
        section.fault(f"There is no instrument {key!r}.", "instrument")
    return instruments.get(key), section.day("on") if section.has("on") else None
