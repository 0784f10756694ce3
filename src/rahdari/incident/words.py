"""Words of incidents on pages and in letters."""

from collections.abc import Callable

from django.utils.translation import gettext as _

from .rules import Channel, OwnSide, Reason, Sees, State

_STATES: dict[str, Callable[[], str]] = {
    State.OPEN: lambda: _("Reported"),
    State.ACKNOWLEDGED: lambda: _("Read by the people who mend it"),
    State.WITH_OPERATOR: lambda: _("Being mended"),
    State.RESOLVED: lambda: _("Reported as repaired, not confirmed yet"),
    State.CLOSED_WITH_PROOF: lambda: _("Closed: we checked that it works"),
    State.CLOSED_BY_ITSELF: lambda: _("It came back on its own"),
    State.FALSE_ALARM: lambda: _("Nothing was cut by a network"),
    State.MERGED: lambda: _("Part of another disruption"),
}
_REASONS: dict[str, Callable[[], str]] = {
    Reason.FILTER_TOO_WIDE: lambda: _("A filter is too wide"),
    Reason.LIST_NOT_APPLIED: lambda: _("The list of the register was not applied everywhere"),
    Reason.PLANNED_WORK: lambda: _("Planned work"),
    Reason.FAULT: lambda: _("A fault of a device or a line"),
    Reason.ATTACK: lambda: _("A defence against an attack caught it too"),
    Reason.UPSTREAM: lambda: _("A fault at a network beyond"),
    Reason.POWER: lambda: _("Power"),
    Reason.ORDER: lambda: _("A written order of a court or an authority"),
    Reason.HOLDER_SERVER: lambda: _("The server at the address is off"),
    Reason.NOTHING_FOUND: lambda: _("Nothing was found: it works"),
    Reason.NOT_OURS: lambda: _("Another network has the address"),
}
_SEES: dict[str, Callable[[], str]] = {
    Sees.NOTHING: lambda: _("Nothing connects"),
    Sees.DROPS: lambda: _("It connects and then drops"),
    Sees.SLOW: lambda: _("It is much slower than usual"),
    Sees.SOME: lambda: _("It works from some places only"),
}
_OWN: dict[str, Callable[[], str]] = {
    OwnSide.ON: lambda: _("Yes, the device runs and other sites open there"),
    OwnSide.UNKNOWN: lambda: _("No, or I cannot look now"),
}
_CHANNELS: dict[str, Callable[[], str]] = {
    Channel.PAGE: lambda: _("on the page"),
    Channel.API: lambda: _("by a program"),
    Channel.AGENT: lambda: _("by the holder’s own agent"),
    Channel.DESK: lambda: _("by telephone or SMS, written down by an officer"),
    Channel.MEASURED: lambda: _("by our measurement"),
    Channel.OVERRUN: lambda: _("announced work was not over in its time"),
}
_MEASURED: dict[str, Callable[[], str]] = {
    "in_order": lambda: _("It answered from everywhere at our last check"),
    "impaired": lambda: _("It answers more slowly than usual"),
    "server_down": lambda: _("It answers nowhere, from inside its network either"),
    "path_blocked": lambda: _("Its network is reached, and it is not"),
    "this_operator": lambda: _("It is not reached over this operator, and is over others"),
    "not_enough": lambda: _("Not enough was measured to say"),
    "": lambda: _("We made no measurement, so we cannot say."),
}


def state(key: str) -> str:
    return _STATES[key]()


def reason(key: str) -> str:
    return _REASONS[key]() if key else ""


def sees(key: str) -> str:
    return _SEES[key]() if key else ""


def own_side(key: str) -> str:
    return _OWN[key]() if key else ""


def channel(key: str) -> str:
    return _CHANNELS[key]()


def measured(key: str) -> str:
    return _MEASURED[key]()
