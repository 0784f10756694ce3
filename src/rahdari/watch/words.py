"""What a verdict says to whoever reads it: each sentence is true whenever its rule is."""

from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from .verdicts import Rule, State

type Words = str | Promise


@dataclass(frozen=True)
class Said:
    """A state: its heading and the tone of its mark (`ok`, `warn`, `bad`, `wait`)."""

    title: Words
    tone: str


OF_STATE: dict[State, Said] = {
    State.IN_ORDER: Said(_("In order"), "ok"),
    State.IMPAIRED: Said(_("Slower than usual"), "warn"),
    State.SERVER_DOWN: Said(_("The server does not answer"), "bad"),
    State.PATH_BLOCKED: Said(_("Something blocks the way to your server"), "bad"),
    State.THIS_OPERATOR: Said(_("Cut in the operator’s network"), "bad"),
    State.NOT_ENOUGH: Said(_("Not enough to say"), "wait"),
}
NOT_MEASURED = _("Not measured")

OF_RULE: dict[Rule, Words] = {
    Rule.REACHED: _("At least two networks outside reach it, and at most one says otherwise."),
    Rule.SLOW: _("It is reached, but from at least two networks much slower than usual, or only at times."),
    Rule.DIVIDED: _("Some networks reach it and others do not. The server answers; the fault is on the way."),
    Rule.NOT_FROM_INSIDE: _("Networks outside reach it, but places in your operator’s own network do not."),
    Rule.NO_WAY_OUT: _("It is reached from outside, but your own program does not reach us from your network."),
    Rule.RUNS_INSIDE: _("It answers inside your operator’s network, but not to most networks outside."),
    Rule.RUNS_THERE: _(
        "Your own program says that the server runs, but it is not reached from outside. The cause can be your own "
        "router or firewall, your operator, or a network beyond."
    ),
    Rule.CUT_AT_EDGE: _(
        "Two signs from inside say that the server runs. No network outside reaches it, and connections at other "
        "operators are reached."
    ),
    Rule.CUT_TOGETHER: _(
        "The server runs, but no network outside reaches it. Other holders at the same operator stopped in the same "
        "minutes; at other operators they did not."
    ),
    Rule.WHOLE_OPERATOR: _(
        "Nearly all connections at your operator stopped in the same minutes; at other operators they did not."
    ),
    Rule.OWN_AGENT: _("Your own program beside the server does not reach it either."),
    Rule.TURNED_AWAY: _("The machine answers that nothing runs at this port."),
    Rule.SILENT_INSIDE: _(
        "It is reached neither from outside nor inside your operator’s network, while others there are. Most likely "
        "the server or its line is off. If it runs, tell us."
    ),
    Rule.OTHER_KEY: _(
        "Somebody answers there with another key than was proved. If you changed the certificate or key, prove the "
        "address again."
    ),
    Rule.OUTSIDE_ONLY: _(
        "It is not reached from outside. From there nobody can see whether the server is off or something is in the "
        "way: your own program beside the server could."
    ),
    Rule.SIGNS_DIFFER: _("It answers inside your operator’s network, but your own program does not reach it."),
    Rule.STOPPED_TOGETHER: _(
        "Several connections at your operator stopped in the same minutes. Nobody could see whether their servers "
        "run: it can be the operator, or a power cut."
    ),
    Rule.ONE_AGAINST_ONE: _("One network reaches it and another does not. A third would be needed."),
    Rule.TOO_FEW_NETWORKS: _("Fewer than two networks outside could look in that minute."),
    Rule.CONTROL_FAILED: _("Our own measurement failed in that minute, so it says nothing."),
}


def of(state: Any, rule: Any) -> tuple[Said, Words]:
    """By the words of a row."""
    return OF_STATE[State(state)], OF_RULE[Rule(rule)]


# What is never done, for everybody to read.
NEVER: tuple[Words, ...] = (
    _("We look at nothing that you did not agree to, and never at anybody who is not registered."),
    _(
        "We never look into traffic. A check is one handshake with your server, the same as when you "
        "proved the address."
    ),
    _("We never look at the devices of your staff or customers, and an organisation cannot agree for their homes."),
    _(
        "We look at the endpoint of a person once an hour at most, and once more when its holder reports that it is "
        "cut. We keep only what changed, for 30 days at most."
    ),
    _("No officer sees your measurements unless you have reported a disruption."),
    _("Nothing is decided about your registration because of a measurement."),
)
