"""The run of `bench/capacity`."""

import argparse
import http.client
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from bench import filling, measure, ours, place, sizing
from bench.deadline_day_run import PATIENCE, PROCESSES, Mail, Person, _generator, _photo, used_by

OPERATORS = 350
RUNS = 2
PARTS = ("web", "worker", "publisher", "push", "lookup", "postgres")


def main(about: str | None) -> int:
    parser = measure.parser(about)
    parser.add_argument("--measure", action="store_true", help="measure what the other commands do not")
    parser.add_argument("--seconds", type=int, help="with --measure: people apply for so long, twice (60)")
    parser.add_argument("--only", metavar="LIST", help=f"with --measure: of {','.join(PIECES)}")
    parser.add_argument("--drain", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="another assumption")
    parser.add_argument("--results", type=Path, default=measure.RESULTS, help="where the results are")
    given = parser.parse_args()
    if given.json and not given.measure:
        parser.error("--json keeps what --measure measures. Give both, or redirect what is printed.")
    if given.drain:
        print(json.dumps(_drained(given.drain)))
    elif given.measure:
        _measure(given)
    else:
        try:
            print(sizing.text(sizing.read(given.results), sizing.assumed(given.set)))
        except sizing.Missing as error:
            print(error, file=sys.stderr)
            return 1
    return 0


# -- what no other command measures ------------------------------------------------------------------------------


def _measure(given: argparse.Namespace) -> None:
    pieces = measure.chosen(given.only, list(PIECES), what="piece")
    seconds = given.seconds or (10 if given.quick else 60)
    place.end_cleanly_on_signals()
    with measure.reporting(given, "capacity") as result, place.temporary("capacity") as folder:
        if "drain" in pieces:
            with result.trying("drain"):
                result.rows += _apart(20 if given.quick else 50)
        if rest := [piece for piece in pieces if piece != "drain"]:
            with register(folder) as stack:
                for piece in rest:
                    with result.trying(piece):
                        place.say(piece)
                        result.rows += PIECES[piece](stack, folder, seconds, quick=given.quick)


@contextmanager
def register(folder: Path) -> Iterator[Any]:
    """The demonstration without what stands for other people's machines, and Django set up on it."""
    import signal

    from bench.idle_run import _others
    from rahdari.ops import postgres
    from tests.journeys import stack as stacks

    with stacks.running(folder / "data") as stack:
        place.watch(stack.process.pid)
        owner = postgres.known_url(stack.data, role=postgres.OWNER)
        os.environ.update(stack.environment() | {"DATABASE_URL": str(owner)})
        import django

        django.setup()
        others = _others(stack)
        for pid in others:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield stack
        finally:
            for pid in others:
                os.kill(pid, signal.SIGCONT)


class Meter:
    """What is spent from here on: processor seconds by process, bytes of the log and of the database, commits."""

    def __init__(self, stack: Any) -> None:
        import psycopg

        from rahdari.ops import postgres

        self._stack = stack
        url = postgres.known_url(stack.data, role="postgres")
        assert url is not None
        self._connection = psycopg.connect(url, autocommit=True)
        self._began = self._look()

    def checkpoint(self) -> None:
        self._connection.execute("CHECKPOINT")

    def _look(self) -> dict[str, float]:
        row = self._connection.execute(
            "SELECT pg_current_wal_insert_lsn() - '0/0', pg_database_size(current_database()), xact_commit, "
            "(SELECT wal_fpi FROM pg_stat_wal), pg_snapshot_xmax(pg_current_snapshot())::text::bigint "
            "FROM pg_stat_database WHERE datname = current_database()"
        ).fetchone()
        assert row is not None
        wal, size, commits, pages, writes = map(float, row)
        cpu = {f"cpu {name} s": seconds for name, seconds in used_by(self._stack).items() if name in PARTS}
        return {**cpu, "WAL MB": wal / 1e6, "full pages": pages, "database MB": size / 1e6, "commits": commits,
                "writes": writes}  # fmt: skip

    def spent(self) -> dict[str, float]:
        # Each server process tells its counters a second after it has done something.
        time.sleep(2)
        now = self._look()
        return {name: round(value - self._began.get(name, 0.0), 4) for name, value in now.items()}


def _applications(stack: Any, folder: Path, seconds: int, *, quick: bool) -> list[dict[str, Any]]:
    """Whole applications, as `bench/deadline-day` has them; those of a first while, in which processes load what they
    need, are not counted."""
    rows = []
    at_once = 4 if quick else 8
    for run, lasts in enumerate((seconds // 5, *[seconds] * RUNS)):
        letters, documents = _letters(stack), _bytes(stack.data / "documents")
        meter = Meter(stack)
        with ExitStack() as walking:
            generators = [
                walking.enter_context(
                    _generator(stack, folder, run * PROCESSES + number, 27, max(lasts, 1), at_once, 0.3)
                )
                for number in range(PROCESSES)
            ]
            said = [json.loads(process.communicate(timeout=lasts + 3 * PATIENCE)[0]) for process in generators]
        people = [person for each in said for person in each["people"]]
        filling.settle()
        spent = meter.spent()
        if failed := [person["failed"] for person in people if person["failed"]]:
            raise RuntimeError(f"{len(failed)} of {len(people)} applications failed: {failed[0]}")
        if run:
            rows.append(
                {
                    "what": f"applications, run {run}", "done": len(people), "seconds": seconds, **spent,
                    "letters": _letters(stack) - letters, "uploads": sum(person["upload"] for person in people),
                    "documents MB": (_bytes(stack.data / "documents") - documents) / 1e6,
                    "pages": sum(len(person["asked"]) for person in people),
                }
            )  # fmt: skip
    rows.append({"what": "memory after them", **{f"MiB {word}": _mib(stack, word) for word in PARTS}})
    return rows


def _after_checkpoints(stack: Any, folder: Path, seconds: int, *, quick: bool) -> list[dict[str, Any]]:
    """One application after each checkpoint: every page of the database that it touches goes into the log whole."""
    mail, photo, spent = Mail(stack.data / "mail"), _photo(folder).read_bytes(), []
    count = 3 if quick else 10
    for number in range(1, count + 1):
        meter = Meter(stack)
        meter.checkpoint()
        meter = Meter(stack)
        person = Person(9_000_000 + number, False, f"127.99.0.{number}", stack.port)
        if failed := person.apply(mail, photo)["failed"]:
            raise RuntimeError(failed)
        filling.settle()
        spent.append(meter.spent())
    whole = {column: sum(each[column] for each in spent) for column in ("WAL MB", "full pages", "writes")}
    return [{"what": "applications, each after a checkpoint", "done": count, **whole}]


def _receipts(stack: Any, folder: Path, seconds: int, *, quick: bool) -> list[dict[str, Any]]:
    """As an agent sends them, over one connection that is kept; of the newest edition of its stream."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from rahdari.feed import SignedReceipt
    from rahdari.feed.receipt import AppliedTarget, Receipt

    rows, count = [], 50 if quick else 400
    with ours.operators(stack, folder, 1) as ((_, token, repository),):
        head = json.loads((repository / "metadata" / "timestamp.json").read_bytes())["signed"]["feed"]["heads"]
        session, sequence = head[ours.ROLE]["session"], head[ours.ROLE]["sequence"]
        key, bearer = Ed25519PrivateKey.generate(), token.read_text().strip()
        for run in range(1, RUNS + 1):
            meter = Meter(stack)
            connection = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=60)
            for number in range(count):
                moment = f"2026-01-0{run}T{number // 3600:02d}:{number // 60 % 60:02d}:{number % 60:02d}Z"
                receipt = Receipt(
                    session, sequence, "00" * 32, moment, (AppliedTarget("edge", "nft", 1_000_000, ok=True),)
                )
                sent = {"Authorization": f"Bearer {bearer}", "Content-Type": "application/json"}
                connection.request("POST", "/feed/receipt", SignedReceipt.sign(receipt, key).body, sent)
                answer = connection.getresponse()
                said = answer.read()
                if answer.status >= 300:
                    raise RuntimeError(f"a receipt was answered {answer.status}: {said[:300]!r}")
            connection.close()
            rows.append({"what": f"receipts, run {run}", "done": count, **meter.spent()})
    return rows


def _editions(stack: Any, folder: Path, seconds: int, *, quick: bool) -> list[dict[str, Any]]:
    """One change, published to all operators before the next is made: to few, and to all."""
    rows = []
    for count in (1, 20 if quick else OPERATORS):
        place.say(f"{count} operators")
        with ours.operators(stack, folder, count) as made:
            grants = ours.Grants(asn=filling.FIRST_NETWORK)
            signing = ours.Signing([repository for _, _, repository in made])
            signing.start()
            try:
                _published(signing, grants)
                for run in range(1, RUNS + 1):
                    meter, changes = Meter(stack), 3 if quick else 12
                    for _ in range(changes):
                        _published(signing, grants)
                    rows.append(
                        {"what": f"one change, run {run}", "operators": count, "done": changes, **meter.spent()}
                    )
            finally:
                signing.stop()
    return rows


def _published(signing: ours.Signing, grants: ours.Grants) -> None:
    before = {name: len(seen) for name, seen in signing.seen.items()}
    grants.one()
    place.wait_for(
        "all repositories", lambda: all(len(seen) > before[name] for name, seen in signing.seen.items()),
        patience=300, every=0.01,
    )  # fmt: skip


def _at_once(stack: Any, folder: Path, seconds: int, *, quick: bool) -> list[dict[str, Any]]:
    """Many entries in one transaction, for one gateway: what an entry costs the publisher beside its edition."""
    rows, start = [], 0
    for count in (1_000,) if quick else (10_000, 10_000, filling.LARGE):
        meter = Meter(stack)
        filling.fill(count, "hosts", start=start, quietly=True)
        published = meter.spent()
        kept = {name: published[name] for name in ("cpu publisher s", "cpu postgres s", "WAL MB", "database MB")}
        start += count
        if count < filling.LARGE:
            rows.append({"what": f"entries at once, from {start}", "done": count, **kept})
        else:
            filling.wait_for_snapshot(count)
            rows.append({"what": "entries at once, with a snapshot of all", "done": count, "entries": start,
                         "cpu publisher s": meter.spent()["cpu publisher s"]})  # fmt: skip
    return rows


PIECES: dict[str, Any] = {
    "drain": None,
    "applications": _applications,
    "checkpoints": _after_checkpoints,
    "receipts": _receipts,
    "editions": _editions,
    "entries": _at_once,
}


def _letters(stack: Any) -> int:
    folder = stack.data / "mail"
    return sum(len(re.findall(r"(?m)^To: ", path.read_text(errors="replace"))) for path in folder.glob("*"))


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _mib(stack: Any, word: str) -> int:
    return round(sum(place.resident_mib(pid) for pid in stack.processes(word)))


def _apart(count: int) -> list[dict[str, Any]]:
    told = subprocess.run(
        [sys.executable, sys.argv[0], "--drain", str(count)], check=True, stdout=subprocess.PIPE, text=True
    )
    rows: list[dict[str, Any]] = json.loads(told.stdout.splitlines()[-1])
    return rows


def _drained(count: int) -> list[dict[str, Any]]:
    """So many applications wait, and then the rounds of the workflow decide them, in one thread as in the worker."""
    from bench import desk_run

    with desk_run.desk(None, 1, 1_000, 1_100, readable=False):
        from django.db import connection
        from django.utils import timezone

        from rahdari import workflow
        from rahdari.apply.models import Application
        from rahdari.confirm.models import SubscriberQuestion
        from rahdari.db.connections import backend_of
        from tests.bench import test_whole_application as walk

        # As in `bench/growth`: no query is counted, and what outsiders answered has long been taken in.
        walk.CaptureQueriesContext = lambda _: nullcontext(())  # type: ignore[assignment, misc]
        SubscriberQuestion.objects.filter(delivered_at__isnull=True).update(delivered_at=timezone.now())
        spent, rounds = Path(f"/proc/{backend_of(connection)}/schedstat"), workflow.Rounds()
        workflow.advance(now=timezone.now(), rounds=rounds)

        def look() -> tuple[float, float, int]:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")
                writes = int(cursor.fetchone()[0])
            return time.process_time(), desk_run.seconds(spent), writes

        rows = []
        for run in range(1, RUNS + 1):
            began = timezone.now()
            for number in range(run * count, (run + 1) * count):
                visitor = walk.Counting(f"203.0.113.{number}")
                Person(number, False, visitor.address, 80).fill_in(visitor, walk.Outbox(), b"")
            mine, before = Application.objects.filter(submitted_at__gte=began), look()
            for _ in range(20):
                workflow.advance(now=timezone.now(), rounds=rounds)
                after = look()
                if not mine.exclude(status="granted").exists():
                    break
            if (granted := mine.filter(status="granted").count()) < count:
                raise RuntimeError(f"only {granted} of {count} were granted")
            lasted, asked, writes = (new - old for new, old in zip(after, before, strict=True))
            spent_then = {"cpu workflow s": round(lasted, 4), "cpu postgres s": round(asked, 4), "writes": writes}
            rows.append({"what": f"decided where many wait, run {run}", "done": count, **spent_then})
        return rows
