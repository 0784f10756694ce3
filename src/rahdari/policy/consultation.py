"""Comment on draft rules: by whom, and how much of one address. A file without the part has these terms.

Who comments is asked for nothing but an address of email, which a code proves and which is erased: a list of critics
beside the list of those who use a VPN is what no register may become. So a file that asks for more does not load.
"""

from dataclasses import dataclass

from .reading import Section

ASKS_TOO_MUCH = (
    "Whoever comments proves an address of email, under a name of their own choosing. Nothing else may be asked: "
    "no identity, no number, no account."
)


@dataclass(frozen=True, slots=True)
class Consultation:
    """The terms of comment on drafts. How long it lasts say the clocks `consultation` and `consultation_again`."""

    most_by_address: int = 20  # comments of one address on one draft
    # Of fewer past cases than these no number is shown beside a draft.
    fewest: int = 5


def consultation_from(section: Section) -> Consultation:
    usual = Consultation()
    if section.string("proves", "email") != "email":
        section.fault(ASKS_TOO_MUCH, "proves")
    for key in ("identity", "card_number", "account", "name"):
        if section.has(key):
            section.fault(ASKS_TOO_MUCH, key)
    found = Consultation(
        most_by_address=section.whole("most_by_address", usual.most_by_address, least=3, most=1000),
        fewest=section.whole("fewest", usual.fewest, least=5, most=1000),
    )
    section.done()
    return found
