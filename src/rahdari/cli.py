"""The command `rahdari`.

A table says which module holds which command; only the module of the command that was called is imported, so that an
operator's `rahdari agent` never meets Django. Each such module has

    def register(subparsers) -> None:              # or add_parser
        parser = subparsers.add_parser("roster", help="...")
        ...
        parser.set_defaults(run=function)          # function(arguments: argparse.Namespace) -> int (the exit code)

`needs` says what is made ready before `run` is called: nothing; the address of the data folder in RAHDARI_DATA (given
by `--data DIR`, which every such command has); Django, set up on that folder's settings and database; or the same on a
folder that is made if it is not there yet.
"""

import argparse
import difflib
import importlib
import importlib.util
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from rahdari import __version__, optional
from rahdari.ops.errors import DATABASE_AWAY, Told

if TYPE_CHECKING:
    import psycopg

# Of `rahdari[server]`: when one of them is missing, only `rahdari` was installed.
SERVER_PACKAGES = ("django", "psycopg", "granian")
TOLD_OF_CATALOGUES = "RAHDARI_TOLD_OF_CATALOGUES"


class Needs(Enum):
    NOTHING = "nothing"
    DATA = "data"
    DJANGO = "django"
    NEW = "django, on a folder that may be new"


@dataclass(frozen=True)
class Command:
    module: str
    help: str
    needs: Needs = Needs.NOTHING
    server: bool = True
    # Acts of it that need nothing made ready: those of people who have neither data folder nor database.
    free: tuple[str, ...] = ()
    # A module of another room that says what this one judges by.
    beside: str = ""


COMMANDS = {
    "demo": Command(
        "rahdari.ops.commands", "Start a demonstration with made-up data, and ready accounts for every role."
    ),
    "up": Command("rahdari.ops.commands", "Start everything of an installation in this terminal."),
    "web": Command("rahdari.ops.commands", "Serve the pages (one process of `up`).", Needs.DATA),
    "worker": Command("rahdari.ops.commands", "Move the line and send letters (one process of `up`).", Needs.DJANGO),
    "publisher": Command("rahdari.ops.commands", "Cut and sign editions (one process of `up`).", Needs.DJANGO),
    "push": Command("rahdari.ops.commands", "Serve the feed (one process of `up`).", Needs.DATA),
    "lookup": Command(
        "rahdari.ops.commands", "Tell operators whether an address is registered (one process of `up`).", Needs.DATA
    ),
    "prepare": Command(
        "rahdari.ops.commands", "Bring the database up to date and collect the files of the pages.", Needs.NEW
    ),
    "doctor": Command(
        "rahdari.ops.commands", "Check an installation, and say what is wrong and how to mend it.", Needs.DATA
    ),
    "backup": Command(
        "rahdari.ops.backup.commands",
        "Take a verified backup, encrypted for a public key, and show those that are kept.",
        Needs.DATA,
        free=("new-key", "list"),
    ),
    "restore": Command("rahdari.ops.backup.commands", "Bring a register back from its backups."),
    "drill": Command("rahdari.ops.backup.commands", "Rehearse a bad day: a lost register, a lost database."),
    "feed": Command(
        "rahdari.publish.commands",
        "Make and change the feed's keys, and show its state.",
        Needs.DJANGO,
        free=("new-key", "sign"),
    ),
    "feed mirror": Command(
        "rahdari.push.commands", "Write the feed's files to an S3-compatible store, for a CDN.", Needs.DATA
    ),
    "operator": Command("rahdari.publish.commands", "Add an operator who follows the feed.", Needs.DJANGO),
    "people": Command("rahdari.people.commands", "Give a post to a person, or take it away.", Needs.DJANGO),
    "letters": Command("rahdari.letters.commands", "Note letters that came back.", Needs.DJANGO),
    "watch": Command(
        "rahdari.ops.watch_commands",
        "Measure endpoints whose holders agreed to it (one process of `up`), and judge kept facts again.",
        Needs.DJANGO,
    ),
    "sms": Command("rahdari.ops.sms_commands", "Try the providers of SMS.", Needs.DJANGO),
    "roster": Command("rahdari.checks.commands", "Import a roster that checks are made against.", Needs.DJANGO),
    "directory": Command("rahdari.address.commands", "Import the directory of networks and operators.", Needs.DATA),
    "rpki": Command(
        "rahdari.address.rpki_commands", "Import what holders of address space have signed in the RPKI.", Needs.DATA
    ),
    "registry": Command(
        "rahdari.probe.registry_commands",
        "Ask the regional registries who holds a block, and choose whom to ask.",
        Needs.DATA,
    ),
    "policy": Command(
        "rahdari.policy.commands",
        "Check a policy file, and put one in force.",
        Needs.DATA,
        free=("check",),
        beside="rahdari.checks.kinds",
    ),
    "policy replay": Command(
        "rahdari.decide.commands", "Say which past cases would have gone another way under a draft.", Needs.DJANGO
    ),
    "consult": Command(
        "rahdari.consult.commands",
        "Publish drafts of rules, and see what is said of them.",
        Needs.DJANGO,
        free=("check",),
        beside="rahdari.checks.kinds",
    ),
    "providers": Command("rahdari.licensees.commands", "Bring in a list of licensed providers.", Needs.DJANGO),
    "keys seal": Command(
        "rahdari.archive.commands",
        "Make and change the key that sealed rows are encrypted for, and take one number out.",
        Needs.DJANGO,
        free=("new", "open"),
    ),
    "figures": Command(
        "rahdari.figures.commands",
        "Verify and correct published figures, and write the report of a year.",
        Needs.DJANGO,
    ),
    "figures check": Command(
        "rahdari.figures.check_commands", "Recompute published figures from their files alone.", server=False
    ),
    "my": Command("rahdari.client.commands", "Apply, prove, follow and renew, with a token.", server=False),
    "vantage": Command("rahdari.vantage.commands", "Probe for a register from elsewhere.", server=False),
    "difference": Command(
        "rahdari.difference.commands",
        "Measure with servers of your own whether registered endpoints are treated unlike others.",
        server=False,
    ),
    "agent": Command("rahdari.agent.commands", "Follow the feed on an operator's machine.", server=False),
}


class NoSuchCommand(Told):
    """The word is not in the table."""


class ServerNotInstalled(Told):
    """The command belongs to the server, and only the light side is here."""

    def __init__(self, word: str) -> None:
        super().__init__(
            f"`rahdari {word}` belongs to the server, which is not installed. Run: pip install 'rahdari[server]'"
        )
        self.word = word


class NoDataFolder(Told):
    """A command beside `rahdari up` found no data folder. `.folder` is where it looked."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"There is no data folder at {folder}. Give that of your installation with --data DIR or in RAHDARI_DATA; "
            "`rahdari up` makes a new one."
        )
        self.folder = folder


class DatabaseAway(Told):
    """A command beside `rahdari up` cannot reach the database. `.why` is the first line of what was said."""

    code = DATABASE_AWAY

    def __init__(self, why: str) -> None:
        super().__init__(
            f"The database does not answer ({why}). Start the installation with `rahdari up` or `rahdari demo`, "
            "or look at DATABASE_URL; then call this again. What was finished before stays."
        )
        self.why = why


class TablesBehind(Told):
    """The tables are those of an earlier release. `.why` is the first line of what was said."""

    def __init__(self, why: str) -> None:
        super().__init__(f"The database is not up to date ({why}). Run: rahdari prepare")
        self.why = why


class RoleRefused(Told):
    """The role of this command may not do this in the database. `.why` is the first line of what was said."""

    def __init__(self, why: str) -> None:
        super().__init__(
            f"The database refuses this to the role of DATABASE_URL ({why}). `rahdari prepare` grants what that role "
            "needs, with RAHDARI_OWNER_DATABASE_URL where another role owns the tables (docs/install.md); "
            "`rahdari doctor` says what is missing."
        )
        self.why = why


class SettingsRefused(Told):
    """The settings of this installation will not do; the message is theirs."""


def overview() -> str:
    width = max(map(len, COMMANDS)) + 2
    lines = "\n".join(f"  {word:<{width}}{command.help}" for word, command in commands().items())
    return (
        f"commands:\n{lines}\n\n`rahdari COMMAND --help` says more about one of them. "
        "What works on the data folder of a register takes --data DIR too."
    )


def parser_for(word: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="rahdari",
        description="A register of VPN endpoints that operators are to spare, and the feed that keeps them in step.",
        epilog=None if word else overview(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"rahdari {__version__}")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    if word:
        module = importlib.import_module(COMMANDS[word].module)
        if COMMANDS[word].beside:
            importlib.import_module(COMMANDS[word].beside)
        face = getattr(module, "register", None) or module.add_parser
        face(subparsers)
        if COMMANDS[word].needs is not Needs.NOTHING:
            for each in subparsers.choices.values():
                name_data(each)
    return parser


def name_data(parser: argparse.ArgumentParser) -> None:
    """The help of a command, and of each of its acts, names the option that is taken out before they see it."""
    parser.epilog = parser.epilog or (
        "--data DIR names the data folder (else RAHDARI_DATA, else .data/register of a checkout, or that of the user)."
    )
    for action in parser._actions:
        for each in (action.choices or {}).values() if isinstance(action, argparse._SubParsersAction) else ():
            name_data(each)


def take_data(arguments: list[str]) -> tuple[Path | None, list[str]]:
    """Take `--data DIR` out of the arguments, wherever it stands before a bare `--`."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--data", type=Path)
    mine, rest = arguments, []
    if "--" in arguments:
        at = arguments.index("--")
        mine, rest = arguments[:at], arguments[at:]
    given, others = parser.parse_known_args(mine)
    return given.data, [*others, *rest]


def make_ready(command: Command, data: Path | None) -> Path:
    """Prepare what a command needs: the data folder, the environment from it, Django. Returns the folder.
    Raises NoDataFolder, SettingsRefused, and what `datafolder` raises.
    """
    from rahdari.ops import datafolder

    folder = (data or datafolder.folder_in_use()).absolute()
    if command.needs is Needs.NEW:
        label = datafolder.read_label(folder) if folder.is_dir() else None
        folder = datafolder.make(folder, label.kind if label else datafolder.REGISTER)
        datafolder.secret_key(folder)
    if not folder.is_dir():
        raise NoDataFolder(folder)
    if command.needs is Needs.DJANGO:
        datafolder.check_format(folder)
    embedded = not os.environ.get("DATABASE_URL")
    os.environ.update(datafolder.environment(folder))
    if command.needs is Needs.NEW:
        be_the_owner(folder, embedded=embedded)
    if command.needs in (Needs.DJANGO, Needs.NEW):
        import django
        from django.core.exceptions import ImproperlyConfigured

        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rahdari.settings.production")
        try:
            django.setup()
        except ImproperlyConfigured as error:
            raise SettingsRefused(str(error)) from None
    return folder


def be_the_owner(folder: Path, *, embedded: bool) -> None:
    """Use the database as the role that owns the tables, where there is one besides that of all that runs."""
    from rahdari.ops import postgres

    owner = os.environ.pop("RAHDARI_OWNER_DATABASE_URL", "")
    if embedded:
        owner = postgres.known_url(folder, role=postgres.OWNER) or ""
    if owner:
        os.environ["RAHDARI_SHARED_WITH"] = os.environ.get("DATABASE_URL", "")
        os.environ["DATABASE_URL"] = owner


def stale_catalogues(package: Path) -> list[Path]:
    """Of a checkout: the translations that changed after they were compiled. What is installed was compiled with it."""
    if not (package.parent.parent / "pyproject.toml").is_file():
        return []
    sources = sorted(package.glob("*/locale/*/LC_MESSAGES/*.po"))
    compiled = {source: source.with_suffix(".mo") for source in sources}
    return [
        source
        for source, ours in compiled.items()
        if not ours.exists() or ours.stat().st_mtime_ns < source.stat().st_mtime_ns
    ]


def warn_of_stale_catalogues() -> None:
    """Said once by the command, and not again by the processes that it starts."""
    if os.environ.get(TOLD_OF_CATALOGUES):
        return
    os.environ[TOLD_OF_CATALOGUES] = "1"
    if stale := stale_catalogues(Path(__file__).parent):
        rooms = ", ".join(path.parents[3].name for path in stale)
        print(
            f"Translations changed after they were compiled ({rooms}): Urdu pages may show old or English words. "
            "In the checkout, `./rahdari --version` compiles them.",
            file=sys.stderr,
        )


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code. Raises NoSuchCommand, ServerNotInstalled."""
    given = list(arguments)
    word = next((argument for argument in given if not argument.startswith("-")), None)
    if word is None:
        parser = parser_for(None)
        if given:
            parser.parse_args(given)
        parser.print_help(sys.stderr)
        return 2
    # A command of two words has a module of its own, and may need less than the others of its first word.
    rest = given[given.index(word) + 1 :]
    if (both := " ".join([word, *rest[:1]])) in COMMANDS:
        word, rest = both, rest[1:]
    if word not in (ours := commands()):
        near = difflib.get_close_matches(word, ours, 1)
        hint = f" Did you mean `rahdari {near[0]}`?" if near else ""
        raise NoSuchCommand(f"There is no command `rahdari {word}`.{hint} `rahdari --help` lists them all.")
    command = COMMANDS[word]
    if command.server and any(importlib.util.find_spec(name) is None for name in SERVER_PACKAGES):
        raise ServerNotInstalled(word)
    if command.free and next((each for each in take_data(rest)[1] if not each.startswith("-")), "") in command.free:
        # Named all the same, as to the other acts of this command: one may read there what is in force.
        from rahdari.ops import datafolder

        named, given = take_data(given)
        command = replace(command, needs=Needs.NOTHING)
        os.environ["RAHDARI_DATA"] = str((named or datafolder.folder_in_use()).absolute())
    data = None
    asks = {"-h", "--help"} & set(given)
    if command.server and not asks:
        warn_of_stale_catalogues()
    if command.needs is not Needs.NOTHING and not asks:
        data, given = take_data(given)
        folder = make_ready(command, data)
    parsed = parser_for(word).parse_args(given)
    try:
        return int(parsed.run(parsed) or 0)
    except Told:
        raise
    except Exception as error:
        told = of_a_file(error) if isinstance(error, PermissionError) else of_the_database(error)
        if told is None:
            raise
        raise told from None
    finally:
        if command.needs is not Needs.NOTHING and not asks:
            give_back(folder)


def commands() -> dict[str, Command]:
    """All but those of rooms that are left out. Raises SettingsRefused."""
    try:
        return {word: command for word, command in COMMANDS.items() if word not in optional.left_out()}
    except optional.WrongChoice as error:
        raise SettingsRefused(str(error)) from None


def of_the_database(error: Exception) -> Told | None:
    """What to tell of an error, when it is the database that is away or behind."""
    if "django.db" not in sys.modules:
        return None
    import psycopg
    from django.db import ProgrammingError

    # Django wraps what psycopg says in errors of its own.
    cause: BaseException | None = error
    while cause is not None:
        why = str(cause).strip().partition("\n")[0]
        if isinstance(cause, psycopg.InterfaceError) or (
            isinstance(cause, psycopg.OperationalError) and is_away(cause)
        ):
            return DatabaseAway(why)
        # Guards refuse with the same state, in words of their own.
        if isinstance(cause, psycopg.errors.InsufficientPrivilege) and why.startswith("permission denied"):
            return RoleRefused(why)
        if isinstance(cause, ProgrammingError) and "does not exist" in why:
            return TablesBehind(why)
        inner = cause.exceptions[0] if isinstance(cause, BaseExceptionGroup) else None
        cause = inner or cause.__cause__ or cause.__context__
    return None


def is_away(error: "psycopg.OperationalError") -> bool:
    """Whether the connection is gone or was not made: not so when a disk is full or a lock is held."""
    # Without a state nothing was answered; 08: connection exceptions, 57P: operator intervention.
    return error.sqlstate is None or error.sqlstate.startswith(("08", "57P"))


def give_back(folder: Path) -> None:
    """What root wrote into the data folder of an ordinary user shall be that user's."""
    from rahdari.ops import drop_root

    if os.geteuid() == 0 and folder.stat().st_uid != 0:
        drop_root.give_to(drop_root.account(folder), folder)


class Closed(Told):
    """A file or a folder belongs to another account. `.path` is which."""

    def __init__(self, path: Path, owner: str) -> None:
        mend = f"Run this as {owner}, or as root: each process has a user of its own (docs/install.md)."
        if owner == "root":
            mend = "Give it the owner of the data folder (chown -R), or run this as root."
        super().__init__(f"{path} is closed to the account {name_of(os.geteuid())}; it belongs to {owner}. {mend}")
        self.path = path


def name_of(uid: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def of_a_file(error: PermissionError) -> Told | None:
    """What to tell of a file that may not be opened, when it or the folder that it lies in is somebody else's."""
    if error.filename is None:
        return None
    path = Path(os.fsdecode(error.filename))
    for place in (path, *path.parents):
        try:
            owner = place.stat().st_uid
        except PermissionError:
            continue
        except OSError:
            return None
        return Closed(place, name_of(owner)) if owner != os.geteuid() else None
    return None


def main(arguments: Sequence[str] | None = None) -> int:
    try:
        return run(sys.argv[1:] if arguments is None else arguments)
    except Told as error:
        print(error, file=sys.stderr)
        return error.code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read our output has gone, such as `head`; nothing more can be told.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
