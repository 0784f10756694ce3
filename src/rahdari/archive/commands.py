"""`rahdari keys seal new|open` on a machine off the network, `use|take` on the register's."""

import argparse
import getpass
import os
import secrets
import sys
from collections.abc import Callable
from pathlib import Path

from . import sealing

PASSPHRASE = "RAHDARI_SEAL_PASSPHRASE"  # noqa: S105 - its name
REHEARSAL = "rehearsal"


class RehearsalFailed(sealing.Refused):
    """The word is not the one that was sealed: the private half is not shown to be there. Nothing was installed."""

    def __init__(self) -> None:
        super().__init__(
            "This is not the word that was sealed, so nobody has shown that the private half can be used. No key was "
            "installed, and what was in force stays. Open the file again on the other machine, or make a new key."
        )


class NoTerminal(sealing.Refused):
    """A passphrase is typed where nobody else reads it, or given by the environment."""

    def __init__(self) -> None:
        super().__init__(
            f"There is no terminal to type the passphrase at, and {PASSPHRASE} is not set. Nothing was done."
        )


class GroundMissing(sealing.Refused):
    """Nothing is taken out without a ground."""

    def __init__(self) -> None:
        super().__init__("Say on which ground, with its number: --ground 'order W.P. 12/2027 of the High Court'.")


class NothingIsSealed(sealing.Refused):
    """There is nothing under this number. `.about`"""

    def __init__(self, about: str) -> None:
        super().__init__(
            f"Nothing is sealed under {about}. An application, a registration and an invoice each have a number; what "
            "was erased by consent, or is kept, is not here."
        )
        self.about = about


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    keys = subparsers.add_parser("keys", help="the key that sealed rows are encrypted for")
    seal = keys.add_subparsers(dest="word", required=True).add_parser("seal", help="what may not be erased yet")
    acts = seal.add_subparsers(dest="act", required=True)
    new = acts.add_parser("new", help="make a pair, on a machine off the network")
    new.add_argument("file", type=Path, help="where the private half goes; the public half beside it, as FILE.pub")
    new.set_defaults(run=with_plain_errors(run_new))
    use = acts.add_parser("use", help="seal for this public half from now on, once a rehearsal was opened")
    use.add_argument("public", type=Path)
    use.add_argument("--rehearsal", type=Path, required=True, metavar="FILE", help="where the sealed word is written")
    use.set_defaults(run=with_plain_errors(run_use))
    take = acts.add_parser("take", help="write what is sealed under one number into a file")
    take.add_argument("number")
    take.add_argument("--ground", default="", help="the law, order or request, with its number")
    take.add_argument("--to", type=Path, required=True, metavar="FILE")
    take.set_defaults(run=with_plain_errors(run_take))
    opens = acts.add_parser("open", help="open such a file, on the machine off the network")
    opens.add_argument("file", type=Path)
    opens.add_argument("--key", type=Path, required=True, help="the private half")
    opens.add_argument("--to", type=Path, metavar="FOLDER", help="a new folder for what is in it")
    opens.set_defaults(run=with_plain_errors(run_open))


def with_plain_errors(run: Callable[[argparse.Namespace], int]) -> Callable[[argparse.Namespace], int]:
    """What a person can mend is one plain message."""

    def tell(options: argparse.Namespace) -> int:
        try:
            return run(options)
        except sealing.Refused as error:
            print(error, file=sys.stderr)
        except OSError as error:
            print(f"{error.filename or 'A file'}: {error.strerror}.", file=sys.stderr)
        return 1

    return tell


def passphrase(*, twice: bool = False) -> str:
    """From the environment, for programs, or typed."""
    given = os.environ.get(PASSPHRASE)
    if given is not None:
        return given
    if not sys.stdin.isatty():
        raise NoTerminal
    given = getpass.getpass("Passphrase: ")
    if twice and getpass.getpass("Once more: ") != given:
        raise sealing.Refused("The two are not alike. Nothing was made.")
    return given


def run_new(options: argparse.Namespace) -> int:
    name = sealing.make(options.file, passphrase(twice=True))
    print(
        f"Key {name}. The private half is {options.file}: it stays off the network, with a copy elsewhere and the "
        f"passphrase at another place. Carry {sealing.public_path(options.file)} to the register: rahdari keys seal "
        f"use {sealing.public_path(options.file).name} --rehearsal FILE"
    )
    return 0


def run_use(options: argparse.Namespace) -> int:
    from django.utils import timezone

    from . import actions

    key = sealing.read_public(options.public)
    word = secrets.token_hex(6)
    part = {
        "kind": REHEARSAL,
        "key": sealing.fingerprint(key),
        "sealed_at": timezone.now().isoformat(),
        "content": sealing.seal(key, word.encode(), about=REHEARSAL, kind=REHEARSAL),
    }
    sealing.write(options.rehearsal, sealing.sealed_file(REHEARSAL, [part]), mode=0o600)
    print(
        f"Take {options.rehearsal} to the other machine and open it: rahdari keys seal open {options.rehearsal.name} "
        "--key FILE. It shows a word."
    )
    print("Word: ", end="", flush=True)
    typed = sys.stdin.readline().strip()
    if not secrets.compare_digest(typed.encode(), word.encode()):
        raise RehearsalFailed
    name = actions.install_key(key=key, now=timezone.now())
    print(f"Sealed for the key {name} from now on.")
    return 0


def run_take(options: argparse.Namespace) -> int:
    from django.utils import timezone

    from rahdari.archive import actions

    if not options.ground.strip():
        raise GroundMissing
    number = options.number.strip().upper()
    try:
        parts = actions.take_out(
            about=number, subject=_subject(number), ground=options.ground.strip(), path=options.to, now=timezone.now()
        )
    except actions.NothingSealed:
        raise NothingIsSealed(number) from None
    print(f"{parts} parts of {number} are in {options.to}. Whoever has the account sees that they were taken out.")
    return 0


def _subject(number: str) -> str:
    """How the journal names it: the row of this number, of whichever room."""
    from django.apps import apps

    for label, field, prefix in (
        ("apply.Application", "reference", "application"),
        ("register.Registration", "reference", "registration"),
        ("fees.Invoice", "number", "invoice"),
    ):
        if not apps.is_installed(f"rahdari.{label.partition('.')[0]}"):
            continue
        found = apps.get_model(label)._default_manager.filter(**{field: number}).first()
        if found is not None:
            return f"{prefix}:{found.pk}"
    return "archive:unknown"


def run_open(options: argparse.Namespace) -> int:
    key = sealing.read_private(options.key, passphrase())
    opened = sealing.open_file(options.file, key)
    if [kind for kind, _content in opened] == [REHEARSAL]:
        print(f"The word is: {opened[0][1].decode()}")
        return 0
    folder = options.to or options.file.with_name(f"{options.file.name}.opened")
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        raise sealing.KeyFileExists(folder) from None
    for number, (kind, content) in enumerate(opened, 1):
        sealing.write(folder / f"{number:03}-{kind}.json", content, mode=0o600)
    print(f"{len(opened)} parts are in {folder}. A paper is in its part as `content`, in base64.")
    return 0
