"""The part of the doctor that looks at the feed: its keys, and until when each role is signed."""

import datetime as dt
import json
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

from securesystemslib.exceptions import StorageError
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, Root, Targets

from rahdari.ops.checks import NOTE, OK, WRONG, Finding, Inspection

# Roles of the feed that the publisher signs again by itself: near their end it is not at work.
SIGNED_BY_ITSELF = ("timestamp", "snapshot", "feed-static", "feed-dynamic", "feed-canary")
# Roles signed by hand, in a ceremony that wants planning.
SIGNED_BY_HAND = ("root", "targets")
CEREMONY_NEEDS = dt.timedelta(days=45)


def check_feed(patient: Inspection) -> Iterator[Finding]:
    feed = patient.data / "feed"
    if feed.exists() and not os.access(feed, os.R_OK | os.X_OK):
        text = f"{feed} may not be read by this user. Run the doctor as root, or as the register's user."
        yield Finding(WRONG, "feed", text)
        return
    shared = newest_of(patient.data / "feed" / "metadata")
    if not shared and (patient.data / "keys" / "feed").is_dir():
        yield Finding(
            WRONG,
            "feed",
            f"{patient.data / 'feed'} is not there, and its keys are. Bring it back from the backup, or begin above "
            "what agents hold; docs/restore.md.",
        )
        return
    if not shared:
        yield Finding(WRONG, "feed", "it has no keys, so nothing is published. Run: rahdari feed keys --offline DIR")
        return
    operators = [newest_of(path) for path in sorted((patient.data / "feed" / "repositories").glob("*/metadata"))]
    now = dt.datetime.now(dt.UTC)
    for role in (*SIGNED_BY_HAND, *SIGNED_BY_ITSELF):
        # Of what each operator has of its own, the one that ends first.
        ends = []
        for path in [found[role] for found in (shared, *operators) if role in found]:
            try:
                ends.append(dt.datetime.fromisoformat(json.loads(path.read_bytes())["signed"]["expires"]))
            except (ValueError, KeyError, OSError) as error:
                yield Finding(WRONG, "feed", f"{path} cannot be read ({error}). Restart the publisher.")
        if not ends:
            continue
        left = min(ends) - now
        day = f"{min(ends):%Y-%m-%d %H:%M} UTC"
        if role in SIGNED_BY_ITSELF and left < dt.timedelta(0):
            yield Finding(WRONG, "feed", f"{role} expired at {day}: the publisher does not run. Start it; see its log.")
        elif role in SIGNED_BY_HAND and left < CEREMONY_NEEDS:
            yield Finding(
                WRONG, "feed", f"{role} expires at {day}. Sign it again with the offline keys; docs/feed-keys.md."
            )
        else:
            yield Finding(OK, "feed", f"{role} is signed until {day}")


def check_feed_keys(patient: Inspection) -> Iterator[Finding]:
    from rahdari.publish import keys

    folder = keys.online_folder(patient.data)
    if not folder.is_dir():
        return
    if not os.access(folder, os.R_OK | os.X_OK):
        # As it should be with a user for each process: root sees more.
        yield Finding(OK, "feed", f"the keys in {folder} are the publisher's alone; run this as root to look at them")
        return
    if not patient.is_demo and folder.stat().st_uid == patient.data.stat().st_uid:
        yield Finding(
            NOTE,
            "feed",
            f"pages and worker can read the keys in {folder}: all is one user. Let root start `rahdari up`, or take "
            "the single units; docs/install.md.",
        )
    trusts = trusted_by(newest_of(patient.data / "feed" / "metadata"))
    for role in keys.ONLINE:
        if not (folder / f"{role}.pem").exists():
            yield Finding(
                WRONG,
                "feed",
                f"the key {role}.pem is gone from {folder}, so nothing can be signed with it. Bring it back from the "
                "backup, or let a standby take over: rahdari feed replace-key; docs/feed-keys.md.",
            )
            continue
        try:
            if trusts is not None:
                keys.load_signer(patient.data, role, keys.trusted_for(role, *trusts))
        except keys.KeyUnusable as error:
            text = f"{error.path} signs nothing: {error.why}. Bring back the keys of this feed from the backup, or let "
            yield Finding(WRONG, "feed", f"{text}a standby take over: rahdari feed replace-key; docs/feed-keys.md.")
    for path in sorted(folder.rglob("*.pem")):
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            yield Finding(WRONG, "feed", f"others may read the key {path}. Run: chmod 600 {path}")
    if not patient.is_demo:
        for path in offline_keys(patient.data):
            yield Finding(
                WRONG,
                "feed",
                f"the offline key {path} lies in the data folder: whoever breaks in has the whole feed. Carry it "
                "away, in three hands; docs/feed-keys.md.",
            )


def trusted_by(shared: dict[str, Path]) -> tuple[Root, Targets] | None:
    """What says whose signatures count; None before the first edition, and where it cannot be read (`check_feed` says
    so)."""
    try:
        root, targets = (Metadata.from_file(str(shared[role])).signed for role in SIGNED_BY_HAND)
    except (KeyError, RepositoryError, StorageError):
        return None
    assert isinstance(root, Root) and isinstance(targets, Targets)  # noqa: S101
    return root, targets


def offline_keys(data: Path) -> list[Path]:
    """Where somebody may have put them; not among documents and files of the feed, of which there are many."""
    from rahdari.publish import keys

    names = [f"{role}-[1-9].pem" for role in keys.OFFLINE_ROLES]
    found = [*data.glob("*.pem"), *data.glob("*/*.pem"), *(data / "keys").rglob("*.pem")]
    return sorted({path for path in found if any(path.match(name) for name in names)})


def newest_of(folder: Path) -> dict[str, Path]:
    """The newest file of each role in a folder of metadata."""
    return {path.stem.rpartition(".")[2]: path for path in sorted(folder.glob("*.json"), key=numbered)}


def numbered(path: Path) -> tuple[int, str]:
    number, _, role = path.stem.rpartition(".")
    return (int(number) if number.isdigit() else sys.maxsize, role)
