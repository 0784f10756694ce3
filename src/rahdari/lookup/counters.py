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
    lines = _head("answers_total", "counter", "Questions that were answered.")
    lines += [
        f'rahdari_lookup_answers_total{{kind="{kind}",answer="{answer}"}} {number}'
        for (kind, answer), number in sorted(counts.total().items())
    ]
    lines += _head("refusals_total", "counter", "Requests that were refused.")
    lines += [
        f'rahdari_lookup_refusals_total{{why="{why}"}} {counts.refusals[why]}' for why in (UNKNOWN, LIMITED, NOT_READY)
    ]
    lines += _head("entries", "gauge", "Entries that are held.")
    lines += [f'rahdari_lookup_entries{{role="{role}"}} {number}' for role, number in sorted(held.items())]
    gauges = [
        ("ready", "Whether all entries are held.", int(is_ready)),
        ("troubles", "How much of the feed cannot be read now.", troubles),
    ]
    if oldest_seconds is not None:
        gauges.append(("age_seconds", "How long ago the oldest timestamp was signed.", int(oldest_seconds)))
    for name, text, value in gauges:
        lines += [*_head(name, "gauge", text), f"rahdari_lookup_{name} {value}"]
    return ("\n".join(lines) + "\n").encode()


def _head(name: str, kind: str, text: str) -> list[str]:
    return [f"# HELP rahdari_lookup_{name} {text}", f"# TYPE rahdari_lookup_{name} {kind}"]
