"""The data folder: everything of one installation that is not in the database.

    version          the format of the folder and whose it is (`kind`: a register, or a demonstration)
    lock             held by the running `rahdari up`
    addresses        where it serves pages, feed and lookups, for the commands beside it
    keys/            keys of personal fields and documents; docs/secrets.md
    postgres/        the embedded database, unless DATABASE_URL is set
    documents/ feed/ mail/ policy/ static/ agents/
    backup/          what the next backup adds to, and when the last one was; the copy while one is taken

Invariants: a folder written by a newer format is not touched; a folder with other things in it is not taken; one
`rahdari up` runs on a folder; a demonstration never becomes a register or the other way round.
"""

import fcntl
import json
import os
import secrets
import shutil
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from rahdari import __version__
from rahdari.ops import drop_root, postgres
from rahdari.ops.errors import Told

FORMAT = 1
REGISTER, DEMO = "register", "demo"
ADDRESSES = ("RAHDARI_URL", "RAHDARI_FEED_URL", "RAHDARI_LOOKUP_URL")
SETTINGS = {REGISTER: "rahdari.settings.production", DEMO: "rahdari.settings.demo"}


class NewerFolder(Told):
    """Written by a newer Rahdari. `.written_by` is its version."""

    def __init__(self, folder: Path, written_by: str) -> None:
        super().__init__(
            f"The data folder {folder} was written by Rahdari {written_by}, newer than this one ({__version__}). "
            "Nothing was changed. Start it with that version or a later one, or choose another folder with --data."
        )
        self.folder, self.written_by = folder, written_by


class NotADataFolder(Told):
    """Something else is in it, or its `version` file cannot be read. `.folder` is the folder."""

    def __init__(self, folder: Path, why: str) -> None:
        super().__init__(f"{folder} cannot be used as a data folder: {why}. Choose another with --data.")
        self.folder = folder


class OtherKind(Told):
    """A demonstration is no register. `.kind` is what the folder is."""

    def __init__(self, folder: Path, kind: str) -> None:
        other = "`rahdari demo`" if kind == DEMO else "`rahdari up`"
        super().__init__(
            f"The data folder {folder} belongs to {other}. Use that command, or choose another with --data."
        )
        self.folder, self.kind = folder, kind


class FolderBusy(Told):
    """Another `rahdari up` runs on it. `.who` is its process, and on which machine, if known."""

    def __init__(self, folder: Path, who: str) -> None:
        known = f" (process {who})" if who else ""
        super().__init__(
            f"Rahdari is already running on the data folder {folder}{known}. Stop that, or choose another with --data."
        )
        self.folder, self.who = folder, who


@dataclass(frozen=True)
class Label:
    """What the file `version` says."""

    format: int
    kind: str
    written_by: str


def default(kind: str) -> Path:
    """RAHDARI_DATA, else `.data/KIND` in the checkout we were started from, else the user's data folder."""
    if given := os.environ.get("RAHDARI_DATA"):
        return Path(given)
    if checkout := os.environ.get("RAHDARI_CHECKOUT"):
        return Path(checkout) / ".data" / kind
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "rahdari" / kind


def folder_in_use() -> Path:
    """The folder that a command beside `up` means when it is given none: the register's, else the demonstration's."""
    register, demo = default(REGISTER), default(DEMO)
    return demo if demo.is_dir() and not register.is_dir() else register


def read_label(folder: Path) -> Label | None:
    """The label of a folder, None when it has none. Raises NotADataFolder when it cannot be read."""
    path = folder / "version"
    try:
        given = tomllib.loads(path.read_text())
        return Label(int(given["format"]), str(given["kind"]), str(given.get("written_by", "unknown")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NotADataFolder(folder, f"its file `version` cannot be read ({error})") from None


def write_label(folder: Path, kind: str) -> None:
    draft = folder / "version.new"
    draft.unlink(missing_ok=True)
    # Root writes it into a folder of another's: a link that stands there is not followed.
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644), "w") as file:
        os.fchmod(file.fileno(), 0o644)  # for every process of ours, whoever it runs as; the folder keeps others out
        file.write(f'format = {FORMAT}\nkind = "{kind}"\nwritten_by = "{__version__}"\n')
    draft.replace(folder / "version")


def check_format(folder: Path) -> None:
    """Raises NewerFolder when a later release has written the folder."""
    label = read_label(folder)
    if label is not None and label.format > FORMAT:
        raise NewerFolder(folder, label.written_by)


def check(folder: Path, kind: str) -> Label | None:
    """Look whether the folder may be used for this; change nothing. Gives its label, None for a new folder."""
    if not folder.exists():
        return None
    if not folder.is_dir():
        raise NotADataFolder(folder, "it is not a folder")
    label = read_label(folder)
    if label is None:
        if not drop_root.is_ours(folder):
            raise NotADataFolder(folder, "other things are in it, and no file `version` says that it is Rahdari's")
        return None
    if label.format > FORMAT:
        raise NewerFolder(folder, label.written_by)
    if label.kind != kind:
        raise OtherKind(folder, label.kind)
    return label


def make(folder: Path, kind: str) -> Path:
    """Make the folder if it is new, say in it whose it is, and give it back as an absolute path without links."""
    check(folder, kind)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = folder.resolve()
        write_label(folder, kind)
    except OSError as error:
        raise NotADataFolder(folder, f"it cannot be written ({error.strerror})") from None
    return folder


def reset(folder: Path) -> None:
    """Remove a demonstration's data. Never a register's, and nothing while it runs."""
    if check(folder, DEMO) is None:
        return
    with locked(folder):
        for path in folder.iterdir():
            if path.name == "lock":
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder: the second one to come is told who holds it."""
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FolderBusy(folder, file.read().strip()) from None
        file.truncate(0)
        file.write(f"{os.getpid()} on {os.uname().nodename}\n")
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)


def is_locked(folder: Path) -> bool:
    """Whether a `rahdari up` runs on the folder. Changes nothing."""
    try:
        with open(folder / "lock") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def secret_key(folder: Path) -> str:
    """Django's key of signed cookies and codes, made once. Losing it signs everybody out and does no more."""
    path = folder / "keys" / "django.key"
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        pass
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(48) + "\n")
    draft.replace(path)
    return path.read_text().strip()


def note_addresses(folder: Path, environment: Mapping[str, str]) -> None:
    """Where the running `rahdari up` is reached: what `rahdari operator add` tells an operator, for one."""
    draft = folder / "addresses.new"
    draft.write_text(json.dumps({name: environment[name] for name in ADDRESSES}, indent=1) + "\n")
    draft.chmod(0o644)
    draft.replace(folder / "addresses")


def environment(folder: Path) -> dict[str, str]:
    """What a command beside a running `rahdari up` needs to know; what the caller has set already stays."""
    folder = folder.resolve()
    found = {"RAHDARI_DATA": str(folder)}
    label = read_label(folder)
    if label is not None:
        found["DJANGO_SETTINGS_MODULE"] = SETTINGS.get(label.kind, SETTINGS[REGISTER])
    try:
        found["RAHDARI_SECRET_KEY"] = (folder / "keys" / "django.key").read_text().strip()
    except PermissionError:
        # Another user's, such as the publisher's, who signs no cookie: any key will do.
        found["RAHDARI_SECRET_KEY"] = secrets.token_urlsafe(48)
    except OSError:
        pass
    with suppress(OSError, ValueError):
        noted = json.loads((folder / "addresses").read_text())
        found |= {name: noted[name] for name in ADDRESSES if isinstance(noted.get(name), str)}
    if url := postgres.known_url(folder):
        found["DATABASE_URL"] = url
    return {name: os.environ.get(name) or value for name, value in found.items() if name != "RAHDARI_DATA"} | {
        "RAHDARI_DATA": str(folder)
    }
