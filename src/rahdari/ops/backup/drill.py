"""A bad day, rehearsed: a register is destroyed and restored, and everything is compared; then things are broken first.

`prove` does the same with the newest backup of a real register, and notes that it did.
"""

import datetime as dt
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg

from rahdari.ops import datafolder, postgres
from rahdari.ops.drills import Differs, Report
from rahdari.ops.errors import Told

from . import drill_acts, engine, facts, leading_on, looking, restoring, sealing, taking, wal
from .target import Target

# So long the archive may take for what was switched to, in seconds.
PATIENCE = 60
# The first so many acts are followed by a backup, so the papers of these come back.
IN_A_BACKUP = 60


def rehearse(place: str | None, *, work: Path | None, json_file: Path | None, say: taking.Step) -> int:
    """Everything from an empty folder on, in one below `work`. Raises Differs, or what the acts themselves raise."""
    report = Report(say)
    with tempfile.TemporaryDirectory(prefix="rahdari-drill-", dir=work) as name:
        folder = Path(name)
        # The server may run as another user than ours.
        folder.chmod(0o755)
        _rehearse(folder, place or str(folder / "backups"), report)
    report.end("Nothing was lost.", json_file)
    return 0


def _rehearse(folder: Path, address: str, report: Report) -> None:
    data, private, place = folder / "register", folder / "private.key", Path(address)
    public = sealing.new_key(private)
    target = Target(address)
    settings = {"RAHDARI_BACKUP": target.address, "RAHDARI_BACKUP_KEY": public, "RAHDARI_BACKUP_SECONDS": "3600"}
    with report.step("a register of sample data"):
        datafolder.make(data, datafolder.DEMO)
        datafolder.secret_key(data)
        server = _started(data, settings)
        if os.geteuid() == 0 and place.is_dir():
            # Root started us, and the server, which archives, runs as somebody else.
            os.chown(place, server.user.pw_uid, server.user.pw_gid)
        _call(data, "prepare", "--sample-data")
    try:
        with report.step("a full backup") as told:
            told.append(_size(_take(data, target, public, full=True)))
        with report.step("acts, then the time to which it is restored first"):
            _act(data, 0, 40)
            at_mark, mark = _facts(data), _clock_of(data)
        with report.step("more acts, and a backup of what changed"):
            _act(data, 40, IN_A_BACKUP)
            _take(data, target, public, full=False)
        with report.step("more acts, which are in the log alone"):
            _act(data, IN_A_BACKUP, 70)
            _archive_all(data)
            _act(data, 70, 80)
            at_end = _facts(data)
            published = _published(data)
            _archive_all(data)
    finally:
        server.stop()
    with report.step("the register is destroyed"):
        shutil.rmtree(data)
    # Refused, each for its reason, before the real thing.
    for what, broken in _broken(target, private, folder):
        with report.step(f"refused: {what}") as told:
            told.append(broken())
    with report.step("restored to the end of the log") as told:
        done = restoring.restore(target, private, data, to=None)
        server = _started(data, {})
        try:
            told.append(_compare("at the end of the log", at_end, _facts(data)) + ";")
            papers = len(drill_acts.with_paper(0, IN_A_BACKUP))
            told.append(_looked_at(data, _admin(data), done.files_of, papers=papers))
        finally:
            server.stop()
    with report.step("the feed goes on above what was published") as told:
        leading_on.lead_on(data, state_of=done.state_of, say=lambda text: None)
        server = _started(data, {})
        try:
            _act(data, 80, 81)
            told.append(_above(published, _published(data)))
        finally:
            server.stop()
        shutil.rmtree(data)
    with report.step("restored to the time before, from what came after it") as told:
        restoring.restore(target, private, data, to=mark)
        server = _started(data, {})
        try:
            told.append(_compare("at the time", at_mark, _facts(data)))
        finally:
            server.stop()


def prove(address: str, private: Path, *, work: Path | None = None, say: taking.Step) -> int:
    """Restore the newest backup into a folder below `work`, look whether all that it knew is there, and note it.
    Raises Differs."""
    target, report = Target(address), Report(say)
    with tempfile.TemporaryDirectory(prefix="rahdari-drill-", dir=work) as name:
        data = Path(name) / "register"
        Path(name).chmod(0o755)
        with report.step("restored to the end of the log") as told:
            done = restoring.restore(target, private, data, to=None, say=say)
            if done.damaged or done.lacking:
                lacking = [f"{path}: {why}" for path, why in sorted(done.lacking.items())]
                raise Differs("The newest backup", [*(f"{name} is damaged or gone" for name in done.damaged), *lacking])
            told.append(f"{done.backup.id}, {done.took_seconds:.0f} s")
        server = restoring.server_on(data, done.backup)
        server.start()
        try:
            url = postgres.known_url(data, role="postgres") or server.admin_url
            with report.step("compared with what was counted at the backup") as told:
                told.append(_has_all(done.known, facts.of(url, data), facts.beginning(done.known, url)))
            if "editions" in done.known:
                with report.step("papers opened, and the feed beside it read") as told:
                    told.append(_looked_at(data, url, done.files_of))
        finally:
            server.stop()
    at = dt.datetime.now(dt.UTC)
    target.put_data(
        f"proved/{at:%Y%m%dT%H%M%SZ}.json",
        {
            "backup": done.backup.id,
            "at": at.isoformat(),
            "seconds": round(done.took_seconds, 1),
            "reached": done.reached,
        },
    )
    say(f"{done.backup.id} is proved: it was restored, and nothing of it is missing.")
    return 0


# -- how -----------------------------------------------------------------------------------------------------------


def _started(data: Path, settings: dict[str, str]) -> postgres.Server:
    server = postgres.Server(data, settings=postgres.archiving(settings))
    server.environment = settings
    server.start()
    return server


def _call(data: Path, *words: str) -> None:
    done = leading_on.run(data, *words, without=leading_on.OF_ANY)
    if done.returncode != 0:
        raise leading_on.NotLedOn(" ".join(words), done.stderr or done.stdout)


def _act(data: Path, first: int, last: int) -> None:
    done = leading_on.run(
        data, str(first), str(last), module="rahdari.ops.backup.drill_acts", without=leading_on.OF_ANY
    )
    if done.returncode != 0:
        raise Told(f"The acts of the rehearsal failed:\n{done.stderr.strip()}")


def _admin(data: Path) -> str:
    return postgres.known_url(data, role="postgres") or ""


def _facts(data: Path) -> dict[str, Any]:
    return facts.of(_admin(data), data)


def _take(data: Path, target: Target, public: str, *, full: bool) -> taking.Backup:
    server = engine.server_at(_admin(data))
    return taking.take(server, data, target, public, full=full, clock=lambda: dt.datetime.now(dt.UTC))


def _size(backup: taking.Backup) -> str:
    return f"{sum(size for _, size in backup.objects.values()) / 1e6:.1f} MB sealed"


def _clock_of(data: Path) -> dt.datetime:
    with psycopg.connect(_admin(data)) as connection:
        row = connection.execute("SELECT clock_timestamp()").fetchone()
        assert row is not None  # noqa: S101
        return dt.datetime.fromisoformat(row[0].isoformat())


def _archive_all(data: Path) -> None:
    archive_all(_admin(data), log=data / "postgres" / "postgres.log")


def archive_all(url: str, *, log: Path) -> None:
    """Until what was written last is in the archive. Raises Told when it does not get there, with the end of `log`."""
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute("SELECT pg_walfile_name(pg_switch_wal())").fetchone()
        assert row is not None  # noqa: S101
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            last = connection.execute("SELECT last_archived_wal FROM pg_stat_archiver").fetchone()
            if last is not None and last[0] and last[0][:24] >= row[0]:
                return
            time.sleep(0.1)
    said = log.read_text(errors="replace")[-1000:]
    raise Told(f"The log is not archived: {row[0]} is not there after {PATIENCE} s. PostgreSQL said:\n{said}")


def _published(data: Path) -> dict[str, int]:
    """What an agent holds it against: the version of each signed role of each repository, and each stream's number."""
    found: dict[str, int] = {}
    for path in sorted((data / "feed").rglob("timestamp.json")):
        signed = json.loads(path.read_text())["signed"]
        found[f"{path.relative_to(data / 'feed')} version"] = signed["version"]
    with psycopg.connect(_admin(data)) as connection:
        for role, sequence in connection.execute(
            "SELECT role || ' ' || stream.id, max(sequence) FROM publish_session JOIN publish_stream stream"
            " ON stream.id = stream_id GROUP BY 1"
        ):
            found[f"{role} edition"] = sequence
    return found


def _above(before: dict[str, int], after: dict[str, int]) -> str:
    low = [
        f"{name}: {after.get(name)} after {number}" for name, number in before.items() if after.get(name, -1) <= number
    ]
    if low or not before:
        raise Differs("The feed", low or ["nothing was published"])
    return f"{len(before)} numbers, each above the one before"


def _compare(about: str, before: dict[str, Any], after: dict[str, Any]) -> str:
    differences = [
        f"{name} {key}: {before[name].get(key)} before, {after.get(name, {}).get(key)} after"
        for name in before
        for key in before[name] | after.get(name, {})
        if after.get(name, {}).get(key) != before[name].get(key)
    ]
    if differences:
        raise Differs(about, differences)
    rows, tables, acts = sum(before["rows"].values()), len(before["rows"]), before["journal"]["rows"]
    return f"{rows} rows of {tables} tables, the journal's {acts}, editions and keys the same"


def _looked_at(data: Path, url: str, files_of: taking.Backup, *, papers: int = 0) -> str:
    """`papers`: so many are known to be in the backup."""
    done = leading_on.run(
        data, files_of.began_at, module="rahdari.ops.backup.looking", without=leading_on.OF_ANY, database=url
    )
    if done.returncode != 0:
        raise Told(f"The restored register cannot be looked at:\n{done.stderr.strip()}")
    seen = looking.Seen(**json.loads(done.stdout))
    differences = [f"the paper {name} does not open" for name in seen.closed]
    differences += [f"{seen.papers} papers open, and {papers} were kept"] if seen.papers < papers else []
    differences += [f"the feed: {seen.unreadable}"] if seen.unreadable else []
    differences += ["more is published on disk than the database knows"] if seen.behind else []
    if differences:
        raise Differs("What was restored", differences)
    return f"{seen.papers} papers open, {seen.entries} entries of the feed are those of the database"


def _has_all(known: dict[str, Any], now: dict[str, Any], beginning: dict[str, Any] | None) -> str:
    """What only grows has grown, and the journal begins as it did, by the digest of all its words. From tables of which
    rows are deleted some may have gone since: of these it is said where there are fewer."""
    differences = [] if known["keys"] == now["keys"] else ["the keys are others"]
    gone = known["rows"].keys() - now["rows"].keys() - facts.GROWS
    differences += [f"the table {name} is gone" for name in sorted(gone)] + facts.fallen(known, now, beginning)
    may_be_fewer = [
        f"{name} {number} to {now['rows'][name]}"
        for name, number in sorted(known["rows"].items())
        if name not in facts.GROWS and now["rows"].get(name, number) < number
    ]
    if differences:
        raise Differs("The newest backup", differences)
    journal, editions = known.get("journal"), known.get("editions", {})
    rows, compared = journal["rows"] if journal else 0, len(known["rows"].keys() & facts.GROWS)
    return (
        f"the journal's {rows} rows, {len(editions)} sessions of the feed, {len(known['keys'])} keys are there; no "
        f"row is missing from {compared} tables that only grow, and no application that was sent. The other "
        f"{len(known['rows']) - compared} tables lose rows in a register that runs and are not compared; fewer than "
        f"then: {', '.join(may_be_fewer) or 'in none'}."
    )


def _broken(target: Target, private: Path, folder: Path) -> Iterator[tuple[str, Callable[[], str]]]:
    """What is broken, and a call that restores with it so, expects the refusal, and mends it."""

    def refused(kind: type[Told], break_it: Callable[[], Callable[[], None]], key: Path = private) -> str:
        mend = break_it()
        try:
            restoring.restore(target, key, folder / "refused", to=None)
        except kind as error:
            return str(error).partition(". ")[0].rstrip(".") + "."
        finally:
            mend()
            shutil.rmtree(folder / "refused.restoring", ignore_errors=True)
        raise Differs("A broken backup", ["was restored"])

    def taken_away(key: str) -> Callable[[], Callable[[], None]]:
        def act() -> Callable[[], None]:
            kept = b"".join(target.pieces(key))
            target.erase([key])
            return lambda: target.put(key, kept)

        return act

    def damaged(key: str) -> Callable[[], Callable[[], None]]:
        def act() -> Callable[[], None]:
            kept = b"".join(target.pieces(key))
            at = len(kept) // 2
            target.put(key, kept[:at] + bytes([kept[at] ^ 1]) + kept[at + 1 :])
            return lambda: target.put(key, kept)

        return act

    backups, log = taking.all_backups(target), wal.names(target)
    first = backups[-1].first_segment
    after = sorted(name for name in log if wal.segment(name) and name > first)
    yield "a damaged file", lambda: refused(sealing.CannotOpen, damaged(backups[0].key(taking.DATABASE)))
    yield "the full backup is gone", lambda: refused(restoring.PartMissing, taken_away(backups[0].key("backup.json")))
    yield "a segment of the log is gone", lambda: refused(wal.Missing, taken_away(log[after[0]]))
    other = folder / "other.key"
    sealing.new_key(other)
    yield "another private key", lambda: refused(sealing.CannotOpen, lambda: lambda: None, other)
