"""Giving up root: `rahdari up`, `demo` and the database run as ordinary users even when root started them.

Started by root, what runs is three users (`Users`): one for pages, worker and database, one for the publisher, one for
what serves the feed. The supervisor is the first of them and keeps three rights of root: to become another user and
another group, and to signal another user's process (`KEPT`), since it starts again what dies. docs/adr/0019.

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
import grp
import os
import pwd
import signal
import stat
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 2, 4, 32, 4096, 16384, 1 << 18
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_KEEPCAPS, PR_SET_NO_NEW_PRIVS = 1, 4, 8, 38
# Of capabilities(7). What the supervisor keeps; what it keeps until the data folder is divided, and uses only there.
CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, SETGID, SETUID = 0, 1, 3, 4, 5, 6, 7
KEPT, DIVIDING = (KILL, SETGID, SETUID), (CHOWN, DAC_OVERRIDE, FOWNER, FSETID)
CAPABILITY_VERSION_3 = 0x20080522
# An account of our own is better than `nobody`, which other programs use too; docs/install.md says how to make it.
ACCOUNTS = ("rahdari", "nobody")
# The other accounts of docs/install.md, and the numbers that stand in for those that are not there: no distribution and
# no part of systemd gives these to anybody.
FEED, SERVE, DATA_GROUP = "rahdari-feed", "rahdari-serve", "rahdari-data"
NUMBERS = {FEED: 60_801, SERVE: 60_802, DATA_GROUP: 60_810}
# The folders that the publisher makes in `feed` are read by who serves it; `feed` itself keeps everybody else out.
UMASK = 0o022


class CannotLeaveRoot(Exception):
    """Root may not be kept and cannot be given up. `.why` says what stands in the way, and what to do."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True)
class Other:
    """A user besides the first: with an account, or with a number alone. `.groups` are the others it is in."""

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...]


@dataclass(frozen=True)
class Users:
    """Who runs what, and `data`, the group that all three are in."""

    main: pwd.struct_passwd
    feed: Other
    serve: Other
    data: int


def users(main: pwd.struct_passwd) -> Users | None:
    """The three of a folder of `main`; None where everything runs as one.

    So it is on other systems than Linux, and where the folder belongs to a person, who may start it without root too.
    """
    if sys.platform != "linux" or main.pw_name not in ACCOUNTS:
        return None
    try:
        data = grp.getgrnam(DATA_GROUP).gr_gid
    except KeyError:
        data = NUMBERS[DATA_GROUP]
    return Users(main, other(FEED, data), other(SERVE, data), data)


def other(name: str, data: int) -> Other:
    try:
        found = pwd.getpwnam(name)
    except KeyError:
        return Other(str(NUMBERS[name]), NUMBERS[name], NUMBERS[name], (data,))
    return Other(name, found.pw_uid, found.pw_gid, (data,))


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


def show(paths: Iterable[Path], *who: tuple[int, Sequence[int]]) -> None:
    """Let these users (each a number, with its groups) reach the folders, in a mount namespace of this process and its
    children. Needs root on Linux.
    """

    def closed_to_one(path: Path) -> Path | None:
        return next((folder for uid, gids in who if (folder := closed_folder(path, uid, gids))), None)

    # A path through a link is shown under both names: what is laid over a folder hides the links in it.
    names = {name for path in paths for name in (path.absolute(), path.resolve())}
    wanted = sorted(names, key=lambda path: (len(path.parts), path))
    closed = next((folder for path in wanted if (folder := closed_to_one(path))), None)
    if closed is None:
        return
    try:
        os.unshare(os.CLONE_NEWNS)
        mount("none", "/", "", MS_REC | MS_PRIVATE)
    except (OSError, AttributeError) as error:
        name = pwd.getpwuid(who[0][0]).pw_name
        raise CannotLeaveRoot(
            f"The user {name} may not enter {closed}, and this root may not mount ({error}). Start Rahdari as an "
            f"ordinary user, or from a folder that {name} may enter, such as /opt/rahdari, with --data "
            "/var/lib/rahdari, or set DATABASE_URL to a PostgreSQL of your own."
        ) from None
    handles = {path: os.open(path, os.O_RDONLY | os.O_DIRECTORY) for path in wanted}
    laid = []
    try:
        for path in wanted:
            while folder := closed_to_one(path):
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

    A folder in it that is another user's stays so, and what root left there becomes that user's. The keys of the feed
    are whose the feed is.
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
    if divided(folder) and (signing := folder / "keys" / "feed").exists():
        # Keys of the feed that root has just made lie in a folder of the pages' user.
        feed = (folder / "feed").stat()
        own_all(signing, feed.st_uid, feed.st_gid)
        own(signing, feed.st_uid, feed.st_gid, 0o700)


def divided(folder: Path) -> bool:
    """Whether the feed of a data folder is another user's than the folder: who that is alone signs it."""
    try:
        return (folder / "feed").stat().st_uid != folder.stat().st_uid
    except FileNotFoundError:
        return False


def divide(folder: Path, given: Users, *passages: Path) -> None:
    """Give each of the users its part of a data folder, as the commands of docs/install.md do. Never follows a link.

    Through the `passages` (folders on the way to the database's socket) the publisher may pass.
    """
    main, feed, data = given.main.pw_uid, given.feed, given.data
    own(folder, main, data, 0o2750)
    own(folder / "keys", main, data, 0o710)
    for name, mode in (("feed", 0o750), ("feed-access", 0o2750)):
        (folder / name).mkdir(exist_ok=True)
        own_all(folder / name, feed.uid, data)
        own(folder / name, feed.uid, data, mode)
    signing = folder / "keys" / "feed"
    if signing.exists():
        own_all(signing, feed.uid, feed.gid)
        own(signing, feed.uid, feed.gid, 0o700)
    for passage in passages:
        own(passage, main, feed.gid, 0o710)


def own(folder: Path, uid: int, gid: int, mode: int) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        status = os.fstat(handle)
        if (status.st_uid, status.st_gid) != (uid, gid):
            os.fchown(handle, uid, gid)
        if stat.S_IMODE(status.st_mode) != mode:
            os.fchmod(handle, mode)
    finally:
        os.close(handle)


def own_all(folder: Path, uid: int, gid: int) -> None:
    for _, folders, files, handle in os.fwalk(folder, follow_symlinks=False):
        for name in [*folders, *files]:
            status = os.stat(name, dir_fd=handle, follow_symlinks=False)
            if (status.st_uid, status.st_gid) != (uid, gid):
                os.chown(name, uid, gid, dir_fd=handle, follow_symlinks=False)


def become(user: pwd.struct_passwd, *, groups: Sequence[int] = (), keeping: Sequence[int] = ()) -> None:
    """Be this user from now on, with nothing left of root but the rights in `keeping`, of which `KEPT` are in use."""
    os.setgroups([user.pw_gid, *groups])
    os.setgid(user.pw_gid)
    if keeping:
        prctl(PR_SET_KEEPCAPS, 1)
    os.setuid(user.pw_uid)
    if keeping:
        hold(keeping)
        # Nothing that we start gets more than we have, whatever program it is.
        prctl(PR_SET_NO_NEW_PRIVS, 1)
    for name in ("SUDO_USER", "SUDO_UID", "SUDO_GID", "SUDO_COMMAND", "XDG_RUNTIME_DIR", "TMPDIR"):
        os.environ.pop(name, None)
    os.environ.update(HOME="/nonexistent", USER=user.pw_name, LOGNAME=user.pw_name)
    prctl(PR_SET_DUMPABLE, 1)


def hold(permitted: Sequence[int], effective: Sequence[int] = KEPT) -> None:
    """Have these capabilities, and use those. What is not permitted any more does not come back; Linux only.

    No program that is started inherits any of them.
    """
    masks = [sum(1 << number for number in numbers) for numbers in (effective, permitted)]
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    data = (ctypes.c_uint32 * 6)(*masks, 0, 0, 0, 0)
    if ctypes.CDLL(None, use_errno=True).capset(header, data) != 0:
        number = ctypes.get_errno()
        raise CannotLeaveRoot(
            f"This root lacks rights that are needed to run each process as a user of its own ({os.strerror(number)}). "
            "Start Rahdari as an ordinary user; docs/install.md says what that means."
        )


@contextmanager
def dividing() -> Iterator[None]:
    """Use what was kept for `divide`, once: afterwards it is gone."""
    hold([*KEPT, *DIVIDING], [*KEPT, *DIVIDING])
    try:
        yield
    finally:
        hold(KEPT)


def command(
    program: Sequence[str], user: pwd.struct_passwd, *, show: Iterable[Path] = (), how: int = signal.SIGTERM
) -> list[str]:
    """The command that runs a program as this user, in sight of the folders it needs, and never outlives us: `how` is
    the signal that it gets when we end."""
    words = [sys.executable, "-I", __file__, "--parent", str(os.getpid()), "--signal", str(int(how))]
    if os.geteuid() == 0:
        words += ["--user", user.pw_name]
        for folder in show:
            words += ["--show", str(folder)]
    return [*words, "--", *program]


def program_folders() -> list[Path]:
    """The folders that our own code and its Python are read from."""
    here = Path(__file__).resolve().parent.parent
    folders = {Path(sys.prefix), Path(sys.base_prefix), here, Path(sys.executable).resolve().parent.parent}
    return [folder for folder in folders if folder != Path("/")]


@dataclass(frozen=True)
class Left:
    """What was done: the user that we have become, and all three where each process gets one of its own."""

    user: pwd.struct_passwd
    users: Users | None


def leave_root(data: Path) -> Left | None:
    """Called first by the commands that serve. Returns who we have become, or None: we were not root.

    With three users it has to be followed by `with dividing(): divide(...)`.
    """
    if os.geteuid() != 0:
        return None
    user = account(data)
    given = users(user)
    give_to(user, data)
    groups = [given.data] if given else []
    others = [given.feed, given.serve] if given else []
    who = [(user.pw_uid, [user.pw_gid, *groups]), *((each.uid, [each.gid, *each.groups]) for each in others)]
    show([*program_folders(), data], *who)
    os.chdir(data)
    become(user, groups=groups, keeping=[*KEPT, *DIVIDING] if given else ())
    return Left(user, given)


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
        show(given.show, (user.pw_uid, [user.pw_gid]))
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
