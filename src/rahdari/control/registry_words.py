"""What a regional registry said of a block, and what was signed in the RPKI, in sentences of the reader's language."""

import datetime as dt
from typing import Any

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from rahdari.web.values import day, ltr

from .sentences import fill


def role(key: str) -> str:
    match key:
        case "technical" | "noc":
            return _("Technical contact")
        case "administrative" | "registrant":
            return _("Administrative contact")
    return _("Contact for reports of misuse")


def of_rpki(found: dict[str, Any]) -> SafeString:
    """What the holder of the space has signed about the network that announces it."""
    built_at = found.get("built_at", "")
    date = day(dt.datetime.fromisoformat(built_at)) if built_at else "–"
    match found["authority"]:
        case "named":
            sentence = _("The RPKI lists %(network)s, the network of this range, for it (as of %(date)s).")
        case "others":
            sentence = _(
                "The RPKI lists other networks for this range, and not %(network)s (as of %(date)s). It may "
                "be out of date."
            )
        case _none:
            sentence = _(
                "The RPKI lists no network for this range, and so not %(network)s (as of %(date)s). Most "
                "ranges have none."
            )
    return fill(sentence, network=ltr(f"AS{found['asn']}"), date=date)
