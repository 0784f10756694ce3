"""How much was asked, and what is held: numbers for whoever runs this. They name no address, operator or session."""

from collections import Counter
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from .sessions import Session

PREFIX = "rahdari_lookup_"

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


class _Families(Collector):
    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> list[Metric]:
        return self._families


def as_metrics(
    counts: Counts, sessions: Iterable[Session], *, troubles: int, is_ready: bool, oldest_seconds: float | None
) -> bytes:
    """In the text format of Prometheus."""
    held: Counter[str] = Counter()
    for session in sessions:
        held[session.role] += session.held.index.entries
    answers = CounterMetricFamily(f"{PREFIX}answers", "Questions that were answered.", labels=["kind", "answer"])
    for key, number in sorted(counts.total().items()):
        answers.add_metric(key, number)
    refusals = CounterMetricFamily(f"{PREFIX}refusals", "Requests that were refused.", labels=["why"])
    for why in (UNKNOWN, LIMITED, NOT_READY):
        refusals.add_metric([why], counts.refusals[why])
    entries = GaugeMetricFamily(f"{PREFIX}entries", "Entries that are held.", labels=["role"])
    for role, number in sorted(held.items()):
        entries.add_metric([role], number)
    families = [
        answers,
        refusals,
        entries,
        GaugeMetricFamily(f"{PREFIX}ready", "Whether all entries are held.", is_ready),
        GaugeMetricFamily(f"{PREFIX}troubles", "How much of the feed cannot be read now.", troubles),
    ]
    if oldest_seconds is not None:
        said = "How long ago the oldest timestamp was signed."
        families.append(GaugeMetricFamily(f"{PREFIX}age_seconds", said, int(oldest_seconds)))
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Families(families))
    return generate_latest(registry)
