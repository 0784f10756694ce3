"""What a monitoring system wants to know, as text in Prometheus' exposition format 0.0.4.

Times are told as moments, never as ages: who asks counts for himself, and a file that stands still shows as old. What
the process counts begins anew with each process; what the state holds does not.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from rahdari import __version__

from .configuration import Configuration
from .mirrors import MirrorPassedBy
from .state import AgentState
from .status_file import remembered
from .syncing import SyncOutcome

PREFIX = "rahdari_agent_"
SUCCESS = f"{PREFIX}last_success_timestamp_seconds"

type Samples = Iterable[tuple[Mapping[str, str], float]]


@dataclass
class Counted:
    """What a process remembers of its syncs."""

    syncs: dict[int, int] = field(default_factory=dict)
    pushes: int = 0
    forged: int = 0
    removed: int = 0
    last_sync: dt.datetime | None = None
    last_success: float | None = None
    received: int = 0
    requests: int = 0

    def note(self, outcome: SyncOutcome, *, now: dt.datetime, pushed: bool = False) -> None:
        code = int(outcome.exit)
        self.syncs[code] = self.syncs.get(code, 0) + 1
        self.pushes += pushed
        self.forged += bool(outcome.refused_push)
        self.removed += len(outcome.applied.removed)
        self.last_sync = now
        if code == 0:
            self.last_success = now.timestamp()


class Page(Collector):
    def __init__(self) -> None:
        self._families: list[Metric] = []

    def add(self, name: str, kind: str, help: str, samples: Samples | float | None) -> None:
        """A family. Without a sample it is left out."""
        rows = [({}, samples)] if isinstance(samples, int | float) else list(samples or ())
        if not rows:
            return
        family = Metric(f"{PREFIX}{name}".removesuffix("_total"), help, kind)
        for labels, value in rows:
            family.add_sample(f"{PREFIX}{name}", dict(labels), float(value))
        self._families.append(family)

    def collect(self) -> list[Metric]:
        return self._families

    @property
    def text(self) -> str:
        registry = CollectorRegistry(auto_describe=False)
        registry.register(self)
        return generate_latest(registry).decode()


def exposition(
    *,
    configuration: Configuration,
    state: AgentState,
    counted: Counted,
    outcome: SyncOutcome | None,
    now: dt.datetime,
    way: str = "",
    certificate_ends_at: dt.datetime | None = None,
) -> str:
    """All of it. `outcome` is that of the last sync, `way` how a running agent follows."""
    page = Page()
    page.add("info", "gauge", "The agent's version.", [({"version": __version__}, 1)])
    _feed(page, state, now)
    page.add("local_entries", "gauge", "The operator's own additions, in force as well.", state.count_local())
    if outcome is not None:
        page.add("in_force_entries", "gauge", "Entries that count now, own additions included.", outcome.applied.loaded)
        page.add(
            "kept_stale_entries",
            "gauge",
            "Of these, entries that have ended and are kept while the feed is stale.",
            outcome.applied.kept_stale,
        )
    _targets(page, configuration, state)
    if outcome is not None:
        passed = {fault.mirror for fault in outcome.faults if isinstance(fault, MirrorPassedBy)}
        names = sorted({mirror.name for mirror in configuration.mirrored})
        page.add(
            "mirror_ok",
            "gauge",
            "0 while the mirror is passed by.",
            [({"mirror": name}, int(name not in passed)) for name in names],
        )
    # What this process found, where it has looked: what it could not write down is told all the same.
    wrong = outcome.faults if outcome is not None else remembered(state.folder)
    page.add(
        "fault",
        "gauge",
        "What is wrong, by its name in docs/agent.md.",
        [({"name": name}, 1) for name in sorted({fault.name for fault in wrong})],
    )
    page.add("receipts_waiting", "gauge", "Receipts that the server has not taken yet.", len(state.receipts()))
    _work(page, counted, outcome)
    if way:
        page.add(
            "following",
            "gauge",
            "How word of a new edition comes: stream, long_poll, or poll alone.",
            [({"way": name}, int(name == way)) for name in ("stream", "long_poll", "poll")],
        )
    if certificate_ends_at is not None:
        page.add(
            "certificate_end_timestamp_seconds",
            "gauge",
            "When the client certificate ends.",
            certificate_ends_at.timestamp(),
        )
    return page.text


def _feed(page: Page, state: AgentState, now: dt.datetime) -> None:
    positions = state.positions().values()
    page.add("sequence", "gauge", "The edition held.", [({"role": at.role}, at.sequence) for at in positions])
    page.add("entries", "gauge", "Entries of that edition.", [({"role": at.role}, at.entries) for at in positions])
    page.add(
        "held_entries",
        "gauge",
        "Entries that the feed took out, and that are kept until someone says so.",
        [({"role": role}, count) for role, count in state.held_counts(now=now).items()],
    )
    page.add(
        "published_timestamp_seconds",
        "gauge",
        "When the edition was published.",
        [({"role": at.role}, at.published_at.timestamp()) for at in positions],
    )
    for name, help, moments in (
        ("signed_timestamp_seconds", "When the newest signature was made.", [at.signed_at for at in positions]),
        ("verified_timestamp_seconds", "When an edition was verified last.", [at.verified_at for at in positions]),
        ("fresh_until_timestamp_seconds", "Until when it is vouched for.", [at.fresh_until for at in positions]),
    ):
        if moments:
            page.add(name, "gauge", help, min(moments).timestamp())


def _targets(page: Page, configuration: Configuration, state: AgentState) -> None:
    markers = state.markers()
    here = {role: (at.session, at.sequence) for role, at in state.positions().items()}
    rows = [
        ({"target": target.name, "kind": target.kind}, markers.get(target.name)) for target in configuration.targets
    ]
    page.add(
        "target_ok",
        "gauge",
        "1 when the target has the edition that is held.",
        [
            (labels, int(marker is not None and not marker.fault and dict(marker.positions) == here))
            for labels, marker in rows
        ],
    )
    page.add(
        "target_loaded_entries",
        "gauge",
        "Entries that the target took.",
        [(labels, marker.loaded if marker else 0) for labels, marker in rows],
    )
    page.add(
        "target_applied_timestamp_seconds",
        "gauge",
        "When the target last took something.",
        [(labels, marker.applied_at.timestamp()) for labels, marker in rows if marker and marker.applied_at],
    )


def _work(page: Page, counted: Counted, outcome: SyncOutcome | None) -> None:
    if outcome is not None:
        page.add("exit_code", "gauge", "Exit code of the last sync; 0 is well.", int(outcome.exit))
        page.add("sync_seconds", "gauge", "How long the last sync took, applying included.", outcome.seconds)
        page.add("apply_seconds", "gauge", "How long applying took in the last sync.", outcome.apply_seconds)
    if counted.last_sync is not None:
        page.add("last_sync_timestamp_seconds", "gauge", "When the last sync ended.", counted.last_sync.timestamp())
    if counted.last_success is not None:
        name = SUCCESS.removeprefix(PREFIX)
        page.add(name, "gauge", "When a sync ended with exit code 0.", counted.last_success)
    page.add(
        "syncs_total",
        "counter",
        "Syncs by exit code.",
        [({"exit": str(code)}, count) for code, count in sorted(counted.syncs.items())],
    )
    page.add("pushes_total", "counter", "Syncs that something pushed asked for.", counted.pushes)
    page.add("refused_pushes_total", "counter", "Of these, pushes that were old or not signed.", counted.forged)
    page.add("removed_locally_total", "counter", "How often something taken out here was put back.", counted.removed)
    page.add("fetched_bytes_total", "counter", "Bytes of answers that were read.", counted.received)
    page.add("requests_total", "counter", "Requests sent to the server.", counted.requests)


def success_in(text: str) -> float | None:
    """The last success that an earlier page tells of."""
    for line in text.splitlines():
        name, _, value = line.partition(" ")
        if name == SUCCESS:
            with suppress(ValueError):
                return float(value)
    return None
