"""Vantages: whether those that are set up answer; and two for the demonstration."""

from collections.abc import Iterator

from rahdari import policy, vantage
from rahdari.ops.checks import OK, WRONG, Finding, Inspection

from .vantage_samples import prepare as vantages_of_demo

__all__ = ["check", "vantages_of_demo"]


def check(patient: Inspection) -> Iterator[Finding]:
    """Whether the places that look at endpoints too answer, and are as many as the policy needs."""
    try:
        known = vantage.load(patient.data)
        given = policy.current(patient.data / "policy" / "in-force.toml").vantage
    except vantage.VantagesUnusable as error:
        yield Finding(WRONG, "vantages", str(error))
        return
    except policy.PolicyError:
        return  # what is wrong with it stands in the line of the policy
    for each in known:
        said = vantage.greet(each)
        yield Finding(OK if said == vantage.ANSWERS else WRONG, "vantages", f"{each.name} {said}")
    views = 1 + len(known)
    if views < given.needed:
        text = f"the policy needs {given.needed} views and there are {views}: no address is proved by a probe."
        yield Finding(WRONG, "vantages", f"{text} Set up more, or lower vantage.needed; docs/vantage.md.")
    elif not known:
        yield Finding(OK, "vantages", "none; endpoints are looked at from this machine alone")
