"""What is asked about a subject, as tests look at it."""

from django.db.models import QuerySet

from rahdari.checks import queries as checks
from rahdari.checks.models import Check, Outcome
from rahdari.control import queries as proofs
from rahdari.control import rules
from rahdari.control.models import Challenge


def challenges_of(subject: str) -> QuerySet[Challenge]:
    """All challenges of a subject, oldest first."""
    return Challenge.objects.filter(subject=subject).order_by("opened_at", "id")


def line_of(challenge: Challenge) -> str:
    """The line of text in the file that is looked for."""
    return rules.token_line(proofs.http_token_of(challenge)[1])


def all_answered(subject: str) -> bool:
    """Whether checks were opened and none of them waits."""
    answers = set(checks.checks_of(subject).values_list("outcome", flat=True))
    return bool(answers) and Outcome.WAITING not in answers


def all_required_passed(subject: str) -> bool:
    """Whether checks were opened and every required one passed."""
    found = Check.objects.filter(subject=subject, required=True)
    return found.exists() and not found.exclude(outcome=Outcome.PASSED).exists()
