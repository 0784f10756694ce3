"""How much was asked, and what is held: numbers for whoever runs this. They name no address, operator or session."""

from collections import Counter
from collections.abc import Iterable

from .sessions import Session

SINGLE, BULK, RDAP = "single", "bulk", "rdap"
FOUND, NOT_FOUND, MALFORMED = "found", "not_found", "malformed"
UNKNOWN, LIMITED, NOT_READY = "unknown", "limited", "not_ready"


class Counts:
    """Change it while holding the lock of the index. The two that are counted most often stand alone."""

    def __init__(self) -> None:
        self.found = 0
        self.not_found = 0
        self.answers: Counter[tuple[str, str]] = Counter()
        self.refusals: Counter[str] = Counter()

    def total(self) -> dict[tuple[str, str], int]:
        both = Counter(self.answers)
        both[SINGLE, FOUND] += self.found
        both[SINGLE, NOT_FOUND] += self.not_found
        return dict(both)


def as_metrics(
    counts: Counts, sessions: Iterable[Session], *, troubles: int, is_ready: bool, oldest_seconds: float | None
) -> bytes:
    """In the text format of Prometheus."""
    held: Counter[str] = Counter()
    for session in sessions:
        held[session.role] += session.held.index.entries
    lines = ["# TYPE rahdari_lookup_answers_total counter"]
    lines += [
        f'rahdari_lookup_answers_total{{kind="{kind}",answer="{answer}"}} {number}'
        for (kind, answer), number in sorted(counts.total().items())
    ]
    lines.append("# TYPE rahdari_lookup_refusals_total counter")
    lines += [
        f'rahdari_lookup_refusals_total{{why="{why}"}} {counts.refusals[why]}' for why in (UNKNOWN, LIMITED, NOT_READY)
    ]
    lines.append("# TYPE rahdari_lookup_entries gauge")
    lines += [f'rahdari_lookup_entries{{role="{role}"}} {number}' for role, number in sorted(held.items())]
    gauges = {"ready": int(is_ready), "troubles": troubles}
    if oldest_seconds is not None:
        gauges["age_seconds"] = int(oldest_seconds)
    for name, value in gauges.items():
        lines += [f"# TYPE rahdari_lookup_{name} gauge", f"rahdari_lookup_{name} {value}"]
    return ("\n".join(lines) + "\n").encode()
