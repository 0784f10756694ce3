"""What is asked about a subject, as tests look at it."""

from django.db.models import QuerySet

from rahdari.verify import queries, rules
from rahdari.verify.models import Challenge, Check, Outcome


def challenges_of(subject: str) -> QuerySet[Challenge]:
    """All challenges of a subject, oldest first."""
    return Challenge.objects.filter(subject=subject).order_by("opened_at", "id")


def line_of(challenge: Challenge) -> str:
    """The line of text in the file that is looked for."""
    return rules.token_line(queries.http_token_of(challenge)[1])


def all_answered(subject: str) -> bool:
    """Whether checks were opened and none of them waits."""
    answers = set(queries.checks_of(subject).values_list("outcome", flat=True))
    return bool(answers) and Outcome.WAITING not in answers


def all_required_passed(subject: str) -> bool:
    """Whether checks were opened and every required one passed."""
    found = Check.objects.filter(subject=subject, required=True)
    return found.exists() and not found.exclude(outcome=Outcome.PASSED).exists()
