"""`rahdari backup`, `restore` and `drill`: the words and options. docs/restore.md tells how they are used."""

import argparse
import datetime as dt
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rahdari.ops.errors import Told
from rahdari.ops.failover import commands as failover

if TYPE_CHECKING:
    from . import restoring

UTC = dt.UTC
# Code of a restore that brought back what is sound and lacks something, and of a backup beside which not all is well.
NOT_WHOLE = 3
# So many missing documents are told one by one.
NAMED = 20


BRING_BACK = "Bring it back from a copy of the place, or erase that backup and those that add to it: docs/restore.md."
COUNT_KEPT = (
    "Somebody changed the database past its guards, or put an older one back. The count before is kept, and the "
    "backups from before that are needed: docs/restore.md."
)


class NoTarget(Told):
    def __init__(self) -> None:
        super().__init__("Say where backups are kept: RAHDARI_BACKUP=/a/folder or s3://bucket/prefix, or --to.")


class NotVerified(Told):
    """The backup did not come to its end in the store. `.why` says at what."""

    def __init__(self, why: Told, last: str) -> None:
        before = f"The last verified one is {last}." if last else "None was verified before it."
        super().__init__(f"This backup is not verified and does not count. {before} {why}")
        self.why = why


class NotATime(Told):
    def __init__(self, given: str) -> None:
        super().__init__(f"{given!r} is no time. Write `latest`, or a time in UTC like 2026-11-29T14:05.")


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    backup = subparsers.add_parser(
        "backup",
        help="take a backup, and show those that are kept",
        description="Without an act: takes one of the database, the data folder and the keys, encrypted for the public "
        "key in RAHDARI_BACKUP_KEY, and reads it back. It holds what changed since the last one, where that is "
        "possible.",
    )
    backup.add_argument(
        "--full",
        action="store_true",
        help="all of it, not what changed since the last one; also into a place that is empty and was not",
    )
    backup.add_argument(
        "--count-anew",
        action="store_true",
        help="rows may be fewer than at the last backup, since an older database was put back on purpose",
    )
    backup.add_argument("--to", metavar="PLACE", help="a folder or s3://BUCKET/PREFIX (else RAHDARI_BACKUP)")
    acts = backup.add_subparsers(dest="act", metavar="ACT")
    new_key = acts.add_parser("new-key", help="make a pair of keys: FILE is the private half, to be kept elsewhere")
    new_key.add_argument("file", type=Path)
    new_key.set_defaults(run=run_new_key)
    listed = acts.add_parser("list", help="the backups that are kept, and which were restored in a rehearsal")
    listed.add_argument("--to", metavar="PLACE", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    listed.set_defaults(run=run_list)
    backup.set_defaults(run=run_backup)
    _add_restore(subparsers)
    _add_drill(subparsers)


def _add_restore(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "restore",
        help="bring a register back from its backups",
        description="Into a new data folder, as it was at a time. The feed then goes on above all that was published.",
    )
    parser.add_argument("--from", dest="target", metavar="PLACE", help="where the backups are (else RAHDARI_BACKUP)")
    parser.add_argument("--key", type=Path, required=True, metavar="FILE", help="the private key of the backups")
    parser.add_argument(
        "--to",
        default="latest",
        metavar="TIME",
        help="like 2026-11-29T14:05 (UTC) or 2026-11-29T14:05+05:00, or latest (latest)",
    )
    parser.add_argument("--backup", default="", metavar="ID", help="begin with this backup (`rahdari backup list`)")
    parser.add_argument("--data", type=Path, metavar="DIR", required=True, help="the new data folder")
    parser.set_defaults(run=run_restore)


def _add_drill(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser("drill", help="rehearse a bad day, and say what came of it")
    acts = parser.add_subparsers(dest="act", metavar="ACT", required=True)
    restore = acts.add_parser(
        "restore",
        help="destroy a register, restore it, compare",
        description="Without options: makes a register of sample data in a folder of its own, backs it up, destroys it "
        "and restores it, twice and with things broken. With --from and --key: restores the newest backup that is "
        "there into a folder of its own, compares, and notes in the place of the backups that this one is proved.",
    )
    restore.add_argument("--from", dest="target", metavar="PLACE", help="where your backups are")
    restore.add_argument("--key", type=Path, metavar="FILE", help="their private key")
    restore.add_argument("--in", dest="place", metavar="PLACE", help="keep the rehearsal's backups there (s3://...)")
    restore.add_argument("--work", type=Path, metavar="DIR", help="restore below this folder (else TMPDIR)")
    restore.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    restore.set_defaults(run=run_drill)
    failover.add_drill(acts)


def run_new_key(options: argparse.Namespace) -> int:
    from . import sealing

    try:
        public = sealing.new_key(options.file)
    except FileExistsError:
        print(
            f"{options.file} is there already. A private key is never overwritten: name another file.", file=sys.stderr
        )
        return 1
    except OSError as error:
        raise Told(
            f"{options.file} cannot be written: {error.strerror}. Name a file in a folder that is there and that you "
            "may write to."
        ) from None
    print(f"RAHDARI_BACKUP_KEY={public}")
    print(
        f"Put that line into the register's settings. {options.file} is the private half: who has it reads every "
        "backup, and without it no backup opens. Keep it twice, on no machine of the register.",
        file=sys.stderr,
    )
    return 0


def run_backup(options: argparse.Namespace) -> int:
    from . import engine, state, taking
    from .target import NoFolder, Target, TargetAway

    data = Path(os.environ["RAHDARI_DATA"])
    address = options.to or os.environ.get("RAHDARI_BACKUP") or ""
    if not address:
        raise NoTarget
    before = "" if options.full else state.places(data).get(address, "")
    try:
        try:
            target = Target(address, make=not before)
        except NoFolder:
            raise taking.PlaceEmpty(address, before) from None
        # The server archives into it, as its own user.
        give_to_owner(target.folder, data)
        made = taking.take(
            engine.server_at(url_to_copy(data, os.environ)),
            data,
            target,
            os.environ.get("RAHDARI_BACKUP_KEY", ""),
            full=options.full,
            count_anew=options.count_anew,
            clock=_now,
            say=_say,
        )
    except (TargetAway, taking.NotKept, taking.PlaceEmpty) as error:
        raise NotVerified(error, state.noted(data).get("backup", {}).get("id", "")) from None
    size = sum(size for _, size in made.objects.values())
    kind = "full" if made.is_full else f"what changed since {made.since}"
    print(f"{made.id}: {size / 1e6:.1f} MB ({kind}), verified. It can be restored from {made.finished_at[:19]} UTC on.")
    give_to_owner(target.folder, data)
    try:
        gone = taking.forget(target, now=_now(), days=int(os.environ.get("RAHDARI_BACKUP_DAYS") or taking.KEEP_DAYS))
    except TargetAway as error:
        _say(f"Old backups are not erased: {error.why}. If this account may not, erase them with another.")
    else:
        _say(f"Erased {len(gone)} objects that no restore of the last days needs." if gone else "Nothing is old.")
    if not (os.environ.get("RAHDARI_BACKUP") and engine.server_at(url_to_copy(data, os.environ)).archives):
        _say("The log is not archived, so only the moments of the backups can be restored. See docs/restore.md.")
    return tell_what_is_wrong(state.noted(data))


def tell_what_is_wrong(noted: Mapping[str, Any]) -> int:
    """The code of a backup that was verified: 0, or NOT_WHOLE where older ones are damaged or rows are missing."""
    for key in noted["damaged"]:
        _say(f"{key} is damaged or gone, and what needs it cannot be restored whole. {BRING_BACK}")
    for what in noted["fell"]:
        _say(f"There is less than before, or another, of what only grows: {what}. {COUNT_KEPT}")
    return NOT_WHOLE if noted["damaged"] or noted["fell"] else 0


def run_list(options: argparse.Namespace) -> int:
    from . import taking, wal
    from .target import Target

    address = options.to or os.environ.get("RAHDARI_BACKUP") or ""
    if not address:
        raise NoTarget
    target = Target(address, make=False)
    proved = {each["backup"]: each["at"] for each in taking.proofs(target)}
    known = taking.all_backups(target, _say)
    damaged = taking.faults(target, known)
    for each in known:
        size = sum(size for _, size in each.objects.values())
        told = f"restored in a rehearsal at {proved[each.id][:16]} UTC" if each.id in proved else "verified"
        if each.id in damaged:
            told = f"DAMAGED: {', '.join(damaged[each.id])}"
        print(f"{each.id}  {each.finished_at[:19]} UTC  {size / 1e6:9.1f} MB  {told}")
    print(f"{len(wal.names(target))} files of the log.", file=sys.stderr)
    return NOT_WHOLE if damaged else 0


def run_restore(options: argparse.Namespace) -> int:
    from . import leading_on, restoring
    from .target import Target

    address = options.target or os.environ.get("RAHDARI_BACKUP") or ""
    if not address:
        raise NoTarget
    data = options.data.absolute()
    target = Target(address, make=False)
    _end_as_by_hand()
    done = restoring.restore(target, options.key, data, to=moment(options.to), backup=options.backup, say=_say)
    print(
        f"{data}: the register of {done.backup.id}, with all that was committed until "
        f"{done.state_of:%Y-%m-%d %H:%M:%S} UTC, in {done.took_seconds:.0f} s."
    )
    try:
        code = leading_on.lead_on(data, state_of=done.state_of, say=_say)
    finally:
        lacks = tell_what_lacks(done, data)
    code = code or lacks
    if waited_for := restoring.waits_for(data / "postgres" / "cluster"):
        _say(
            f"Its settings let each commit wait for another server ({waited_for}). Started alone it waits for ever: "
            "empty synchronous_standby_names in its postgresql.conf first. docs/growing.md says how three are restored."
        )
    if os.geteuid() == 0:
        _say(f"Its files are of several owners now. Give them to the register's user: chown -R USER:GROUP {data}")
    return code


def run_drill(options: argparse.Namespace) -> int:
    from . import drill
    from .target import Target

    if options.work is not None and not options.work.is_dir():
        raise Told(f"{options.work} is no folder. Name one that is there with --work, on a disk with room.")
    _end_as_by_hand()
    if options.target or options.key:
        if not (options.target and options.key):
            raise Told("Give --from and --key together: the place of your backups, and their private key.")
        # Raises where there is none.
        Target(options.target, make=False)
        return drill.prove(options.target, options.key, work=options.work, say=_say)
    return drill.rehearse(options.place, work=options.work, json_file=options.json, say=_say)


def tell_what_lacks(done: "restoring.Restored", data: Path) -> int:
    """The code of a restore: 0 where all was sound, else NOT_WHOLE."""
    from . import restoring

    if not (done.damaged or done.lacking):
        return 0
    _say("THIS RESTORE IS NOT WHOLE. Damaged or gone in the place of the backups:")
    for name in done.damaged:
        _say(f"  {name}")
    if not done.lacking:
        _say("Nothing is missing for it: an older backup and the log had all. Take a full backup at once.")
        return NOT_WHOLE
    _say(f"{len(done.lacking)} documents did not come back; {data / restoring.LACKING} lists all of them:")
    for path, why in sorted(done.lacking.items())[:NAMED]:
        _say(f"  {path}: {why}")
    return NOT_WHOLE


def give_to_owner(place: Path | None, data: Path) -> None:
    """What root wrote into a folder of backups shall be the register's user's, as in the data folder."""
    from rahdari.ops import drop_root

    owner = data.stat()
    if place is not None and os.geteuid() == 0 and owner.st_uid != 0:
        drop_root.own_all(place, owner.st_uid, owner.st_gid)
        os.chown(place, owner.st_uid, owner.st_gid)


def url_to_copy(data: Path, environment: Mapping[str, str]) -> str:
    """The database as a role that may copy it: given, or the embedded one's administrator, or that of DATABASE_URL."""
    from rahdari.ops import postgres

    given = environment.get("RAHDARI_BACKUP_DATABASE_URL")
    return given or postgres.known_url(data, role="postgres") or environment.get("DATABASE_URL", "")


def _end_as_by_hand() -> None:
    """Stopped by another process, we clear away as after Ctrl-C."""
    for asked in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(asked, signal.default_int_handler)


def moment(text: str) -> dt.datetime | None:
    """A time in UTC, None for `latest`. Raises NotATime."""
    if text == "latest":
        return None
    try:
        found = dt.datetime.fromisoformat(text.strip().removesuffix("UTC").strip())
    except ValueError:
        raise NotATime(text) from None
    return found.replace(tzinfo=found.tzinfo or UTC)


def _now() -> dt.datetime:
    return dt.datetime.now(UTC)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
