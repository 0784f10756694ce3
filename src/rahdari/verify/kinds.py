"""The kinds of check, each declared once: who answers it, and who outside reads what of the applicant by it."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, kw_only=True)
class CheckKind:
    """A kind of check. `is_asked`: somebody is asked, and a room beside this one brings the answer. `seen` says on the
    page about privacy what they read; it is empty only where nobody is asked.
    """

    key: str
    is_asked: bool = False
    seen: str | Promise

    def __post_init__(self) -> None:
        if self.is_asked and not self.seen:
            raise ValueError(f"{self.key}: say what whoever is asked reads of the applicant")


NOTHING = ""
KINDS = {
    kind.key: kind
    for kind in (
        CheckKind(
            key="operator",
            is_asked=True,
            seen=_(
                "An operator that is asked to confirm an address sees the subscriber number there, and the name with "
                "the first and last letters only. It learns that you ask to register a VPN."
            ),
        ),
        CheckKind(
            key="mobile_line",
            is_asked=True,
            seen=_(
                "An operator that is asked about a mobile number sees the number, and the name with the first "
                "and last "
                "letters only. It learns that you ask to register a VPN."
            ),
        ),
        CheckKind(
            key="attestation",
            is_asked=True,
            seen=_(
                "An association that you choose as your proof sees your name, your member number and your email, and "
                "that you apply."
            ),
        ),
        CheckKind(
            key="employer",
            is_asked=True,
            seen=_("A client or employer sees your name, and that you ask to register your connection."),
        ),
        CheckKind(
            key="control",
            seen=_("The contact of a range of addresses, to which you have us write, sees your name."),
        ),
        CheckKind(
            key="represents",
            is_asked=True,
            seen=_("The contact of a company’s number, to which you have us write, sees your name and your email."),
        ),
        CheckKind(
            key="not_registered",
            seen=_(
                "Whoever has the same address sees that somebody asks to share it, and the name that you choose for "
                "that. Nothing else of you."
            ),
        ),
        CheckKind(key="fee", is_asked=True, seen=_("The staff who keep the accounts see invoices and payments.")),
        # Compared with what is here: nobody is asked.
        CheckKind(key="origin", seen=NOTHING),
        CheckKind(key="roster", seen=NOTHING),
        # Read by officers, of whom the page speaks by itself.
        CheckKind(key="documents", seen=NOTHING),
    )
}
ASKED_ELSEWHERE = frozenset(kind.key for kind in KINDS.values() if kind.is_asked)


def what_is_seen() -> list[str]:
    """Who outside reads what of an applicant, a sentence for each kind of check."""
    return [str(kind.seen) for kind in KINDS.values() if kind.seen]
