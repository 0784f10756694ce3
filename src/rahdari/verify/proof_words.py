"""Sentences of a proof and of what stands beside it, with places that `words` fills."""

import datetime as dt
from typing import Any

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from rahdari.web.values import day, ltr

from .models import Method


def proved_how(method: str) -> str:
    """How control was shown, with places for block, date and time."""
    match method:
        case Method.LINK:
            return _("Control of %(block)s was proved on %(date)s at %(time)s: the link was opened there.")
        case Method.HTTP:
            return _("Control of %(block)s was proved on %(date)s at %(time)s: the token was found there.")
        case Method.REPORT:
            return _("Control of %(block)s was proved on %(date)s at %(time)s: its router reported it.")
        case Method.WIREGUARD:
            return _("Control of %(block)s was proved on %(date)s at %(time)s: the WireGuard server there answered us.")
        case Method.TLS_ALPN:
            return _("Control of %(block)s was proved on %(date)s at %(time)s: the certificate made for it was there.")
        case Method.DNS:
            return _("Control of %(block)s was proved on %(date)s at %(time)s: the record of the name was found.")
        case Method.OPERATOR:
            return _("Control of %(block)s was confirmed on %(date)s at %(time)s by its operator.")
        case Method.RECORD:
            return _("Control of %(block)s was proved on %(date)s at %(time)s: the line was in the registry’s record.")
        case Method.CONTACT:
            return _("Control of %(block)s was proved on %(date)s at %(time)s: the range’s contact passed on our code.")
    return _("Control of %(block)s was proved on %(date)s at %(time)s: the server there showed its certificate.")


def of_rpki(found: dict[str, Any]) -> tuple[str, dict[str, object]]:
    """What the holder of the space has signed about the network that announces it."""
    values: dict[str, object] = {"network": ltr(f"AS{found['asn']}"), "date": _day(found.get("built_at", ""))}
    match found["authority"]:
        case "named":
            return _("The RPKI lists %(network)s, the network of this range, for it (as of %(date)s)."), values
        case "others":
            return (
                _(
                    "The RPKI lists other networks for this range, and not %(network)s (as of %(date)s). It may "
                    "be out of date."
                ),
                values,
            )
    return (
        _("The RPKI lists no network for this range, and so not %(network)s (as of %(date)s). Most ranges have none."),
        values,
    )


def _day(built_at: str) -> SafeString | str:
    return day(dt.datetime.fromisoformat(built_at)) if built_at else "–"
