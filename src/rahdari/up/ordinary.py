"""Giving up root: `rahdari up`, `demo` and the database run as an ordinary user even when root started them.

Invariants: no permission of any folder outside the data folder is ever changed. When a folder on the way to our files
lets nobody else in (a checkout in /root, mode 0700), the files are shown to the ordinary user in a private mount
namespace, at their own paths: an empty file system is laid over the closed folder, and only what is needed is bound
into it. Nobody outside the namespace sees any of it, and it goes away with the last process in it.

Only the standard library is used, and the module can be run as a program (by `postgres`, which starts one child with
it and itself stays what it was):

    python ordinary.py --user NAME --show PATH --show PATH -- program argument ...
"""

import argparse
import ctypes
import os
import pwd
import signal
import stat
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 2, 4, 32, 4096, 16384, 1 << 18
PR_SET_PDEATHSIG, PR_SET_DUMPABLE = 1, 4
# An account of our own is better than `nobody`, which other programs use too; docs/install.md says how to make it.
ACCOUNTS = ("rahdari", "nobody")


class CannotLeaveRoot(Exception):
    """Root may not be kept and cannot be given up. `.why` says what stands in the way."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def account(data: Path) -> pwd.struct_passwd:
    """Who is to run: the owner of the data folder unless that is root, else `rahdari` if that exists, else `nobody`."""
    if data.exists() and (owner := data.stat().st_uid) != 0:
        try:
            return pwd.getpwuid(owner)
        except KeyError:
            raise CannotLeaveRoot(f"The owner of {data} is the user {owner}, who has no account here.") from None
    for name in ACCOUNTS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise CannotLeaveRoot(
        "There is neither an account `rahdari` nor an account `nobody`. Run: useradd --system rahdari"
    )


def closed_folder(path: Path, uid: int, gids: Iterable[int]) -> Path | None:
    """The topmost folder above `path` that this user may not pass through."""
    groups = set(gids)
    for folder in reversed(path.parents):
        try:
            status = folder.stat()
        except FileNotFoundError:
            return None
        if status.st_uid == uid:
            bit = stat.S_IXUSR
        elif status.st_gid in groups:
            bit = stat.S_IXGRP
        else:
            bit = stat.S_IXOTH
        if not status.st_mode & bit:
            return folder
    return None


def show(paths: Iterable[Path], uid: int, gids: Sequence[int]) -> None:
    """Let this user reach the folders, in a mount namespace of this process and its children. Needs root on Linux."""
    # A path through a link is shown under both names: what is laid over a folder hides the links in it.
    names = {name for path in paths for name in (path.absolute(), path.resolve())}
    wanted = sorted(names, key=lambda path: (len(path.parts), path))
    if not any(closed_folder(path, uid, gids) for path in wanted):
        return
    closed = next(folder for path in wanted if (folder := closed_folder(path, uid, gids)))
    try:
        os.unshare(os.CLONE_NEWNS)
        mount("none", "/", "", MS_REC | MS_PRIVATE)
    except (OSError, AttributeError) as error:
        name = pwd.getpwuid(uid).pw_name
        raise CannotLeaveRoot(
            f"The user {name} may not enter {closed}, and this root may not mount ({error}). Start Rahdari as an "
            f"ordinary user, or from a folder that {name} may enter, such as /opt/rahdari, with --data "
            "/var/lib/rahdari, or set DATABASE_URL to a PostgreSQL of your own."
        ) from None
    handles = {path: os.open(path, os.O_RDONLY | os.O_DIRECTORY) for path in wanted}
    laid = []
    try:
        for path in wanted:
            while folder := closed_folder(path, uid, gids):
                mount("tmpfs", str(folder), "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,size=1m")
                laid.append(folder)
            if not path.exists():
                path.mkdir(parents=True, mode=0o755)
                mount(f"/proc/self/fd/{handles[path]}", str(path), "", MS_BIND | MS_REC)
        for folder in laid:
            mount("none", str(folder), "", MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV)
    finally:
        for handle in handles.values():
            os.close(handle)


def mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(source.encode(), target.encode(), kind.encode() or None, flags, options.encode() or None) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"mount of {target}: {os.strerror(number)}")


def prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def end_with_parent(parent: int, how: int = signal.SIGTERM) -> None:
    """Ask the kernel to send us `how` when the process that started us is gone, even by kill -9. Linux only.

    A process whose parent went before it asked is told nothing, so it ends here.
    """
    prctl(PR_SET_PDEATHSIG, how)
    if os.getppid() != parent:
        raise SystemExit("The process that wanted this is already gone.")


def is_ours(folder: Path) -> bool:
    """Whether a folder may be taken for a data folder: it is empty, or holds what only a data folder holds."""
    names = {path.name for path in folder.iterdir()}
    # A lock alone is what a reset leaves; keys alone are what was brought back from a backup.
    return names <= {"lock"} or bool(names & {"version", "postgres"}) or (folder / "keys" / "fields.key").is_file()


def give_to(user: pwd.struct_passwd, folder: Path) -> None:
    """Make the user the owner of a data folder and of what root left in it. Never follows a link.

    A folder in it that is another user's stays so, and what root left there becomes that user's.
    """
    if not is_ours(folder):
        raise CannotLeaveRoot(
            f"{folder} holds other things than a data folder does, so it is not given to the user {user.pw_name}. "
            "Choose another --data."
        )
    os.chown(folder, user.pw_uid, -1, follow_symlinks=False)
    if folder.stat().st_gid == 0:
        os.chown(folder, -1, user.pw_gid, follow_symlinks=False)
    for _, folders, files, handle in os.fwalk(folder, follow_symlinks=False):
        # From above downwards: a folder that root left is its owner's by now.
        here = os.fstat(handle)
        for name in [*folders, *files]:
            if os.stat(name, dir_fd=handle, follow_symlinks=False).st_uid == 0:
                os.chown(name, here.st_uid, here.st_gid, dir_fd=handle, follow_symlinks=False)


def become(user: pwd.struct_passwd) -> None:
    """Be this user from now on, with nothing left of root."""
    os.setgroups([user.pw_gid])
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)
    for name in ("SUDO_USER", "SUDO_UID", "SUDO_GID", "SUDO_COMMAND", "XDG_RUNTIME_DIR", "TMPDIR"):
        os.environ.pop(name, None)
    os.environ.update(HOME="/nonexistent", USER=user.pw_name, LOGNAME=user.pw_name)
    prctl(PR_SET_DUMPABLE, 1)


def program_folders() -> list[Path]:
    """The folders that our own code and its Python are read from."""
    here = Path(__file__).resolve().parent.parent
    folders = {Path(sys.prefix), Path(sys.base_prefix), here, Path(sys.executable).resolve().parent.parent}
    return [folder for folder in folders if folder != Path("/")]


def leave_root(data: Path) -> str | None:
    """Called first by the commands that serve. Returns the name of the user we have become, or None."""
    if os.geteuid() != 0:
        return None
    user = account(data)
    give_to(user, data)
    show([*program_folders(), data], user.pw_uid, [user.pw_gid])
    os.chdir(data)
    become(user)
    return user.pw_name


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--user", default="")
    parser.add_argument("--show", action="append", default=[], type=Path)
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--signal", type=int, default=int(signal.SIGTERM))
    parser.add_argument("program", nargs="+")
    given = parser.parse_args(arguments)
    if given.user:
        user = pwd.getpwnam(given.user)
        show(given.show, user.pw_uid, [user.pw_gid])
        os.chdir("/")
        become(user)
    end_with_parent(given.parent, given.signal)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)
    os.execv(given.program[0], given.program)  # noqa: S606


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except CannotLeaveRoot as error:
        raise SystemExit(error.why) from None
