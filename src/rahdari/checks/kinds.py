"""What follows from the kinds of check that are declared: whose turn it is, whose clock runs, who sees what.

It loads without a database: a policy is judged by it.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rahdari import optional
from rahdari.policy import Policy
from rahdari.policy import checks as policy

from .check_kind import CheckKind as CheckKind
from .check_kind import Party as Party
from .check_kind import Sentence
from .declared import ALL, BY_HAND
from .declared import NOTHING as NOTHING

if TYPE_CHECKING:
    from .models import Check

CATALOGUES = Path(__file__).parent / "locale"
KINDS: dict[str, CheckKind] = {}


def declare(*kinds: CheckKind) -> None:
    """Raises ValueError for a kind, or a finding, that was declared before."""
    for kind in kinds:
        if kind.key in KINDS:
            raise ValueError(f"{kind.key} is declared twice")
        if twice := finding_sentences().keys() & kind.findings.keys():
            raise ValueError(f"{kind.key}: {', '.join(sorted(twice))}: a finding of another kind")
        KINDS[kind.key] = kind
    policy.know({kind.key: kind.about for kind in kinds})


def finding_sentences() -> dict[str, Sentence]:
    """What each finding says, of all kinds. An officer may answer any of them by hand."""
    return {**BY_HAND, **{finding: said for kind in KINDS.values() for finding, said in kind.findings.items()}}


def require_translations(catalogues: Path = CATALOGUES) -> None:
    """Raises ValueError for the first kind without its sentences in both languages. Of a checkout whose catalogues were
    not compiled since they changed nothing is known yet."""
    if any(_is_to_be_compiled(each) for each in catalogues.glob("*/LC_MESSAGES/*.po")):
        return
    for kind in KINDS.values():
        if missing := kind.untranslated():
            raise ValueError(f"{kind.key}: not in both languages: {missing[0]}")


def _is_to_be_compiled(source: Path) -> bool:
    compiled = source.with_suffix(".mo")
    return not compiled.exists() or compiled.stat().st_mtime_ns < source.stat().st_mtime_ns


def is_for_others(kind: str, facts: Mapping[str, Any]) -> bool:
    """Whether a check waits for an answer that is not ours to give: our own clock has not begun meanwhile."""
    return KINDS[kind].holds_clock or bool(facts.get(KINDS[kind].asked_if))


def is_outside(check: "Check") -> bool:
    """Whether a check waits for somebody who is neither the applicant nor one of us."""
    kind = KINDS[check.kind]
    if check.outcome != "waiting" or check.facts.get("provisional") or kind.others is None:
        return False
    return not kind.asked_if or bool(check.facts.get(kind.asked_if))


def whose_turn(check: "Check") -> Party:
    """From whom the answer of a check that waits has to come."""
    kind, facts = KINDS[check.kind], check.facts
    if check.finding == "operator_silent":
        return Party.OPERATOR
    if facts.get(kind.asked_if):
        return Party.HOLDER
    # Something stronger is to follow, the proof of an address, or a code that the contact on a list can hand over.
    if any(facts.get(each) for each in ("provisional", "unproved", "channels")):
        return Party.APPLICANT
    return kind.answered_by


# Of these kinds somebody outside reads of an applicant only under rules with this part.
_SEEN_WITH: Mapping[str, Callable[[Policy], bool]] = {
    "control": lambda rules: rules.proof.offered("contact") is not None,
    "not_registered": lambda rules: rules.sharing is not None,
}


def what_is_seen(rules: Policy) -> list[str]:
    """Who outside reads what of an applicant, a sentence for each kind of check that these rules make."""
    made = {check.kind for service in rules.services.values() for check in service.checks}
    # Asked by the applicant, where the operator's yes is a proof.
    if any(service.operator_may_prove for service in rules.services.values()):
        made.add("operator")
    seen = [kind for kind in KINDS.values() if kind.seen and kind.key in made]
    return [str(kind.seen) for kind in seen if _SEEN_WITH.get(kind.key, bool)(rules)]


declare(*(kind for kind in ALL if kind.room not in optional.left_out()))
policy.know_rooms({kind.key: kind.room for kind in ALL if kind.room})
