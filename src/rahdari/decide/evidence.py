"""Whether what a code needs is in the file, as far as a program can tell.

Of other kinds of evidence an officer judges: what was said, and whether it is true, no program reads.
"""

from collections.abc import Callable

from rahdari.apply.models import Application
from rahdari.fees import queries as fees
from rahdari.policy import CheckRule, Reason
from rahdari.verify import queries as checks

from .clocks import policy_of

# By the policy's word for the evidence. `_FITS` are those without which a code cannot fit the service at all: it is
# not offered then, and not taken.
_FITS: dict[str, Callable[[Application, Reason], bool]] = {
    "roster_query": lambda application, reason: any(
        rule.kind == "roster" and rule.reason == reason.code for rule in _asked(application)
    ),
    "count_and_invoice": lambda application, _reason: fees.invoice_of(application.subject) is not None,
}
_THERE: dict[str, Callable[[Application, Reason], bool]] = {
    **_FITS,
    "signed_answer": lambda application, _reason: any(
        check.evidence.get("said") for check in checks.checks_of(application.subject)
    ),
}


def _asked(application: Application) -> tuple[CheckRule, ...]:
    return policy_of(application).services[application.service].checks_for(mobile=application.is_mobile)


def fits(application: Application, reason: Reason) -> bool:
    """Whether a refusal with this code can stand on the file of this application."""
    return all(_FITS[key](application, reason) for key in reason.evidence if key in _FITS)


def missing(application: Application, reason: Reason) -> tuple[str, ...]:
    """The evidence that the code needs and that is not in the file, by the policy's words."""
    return tuple(key for key in reason.evidence if key in _THERE and not _THERE[key](application, reason))
