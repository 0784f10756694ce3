"""`rahdari feed keys|renew|rotate|replace-key|new-key|sign|import`: the words of docs/feed-keys.md.

`new-key` and `sign` are a custodian's, on a machine that has neither data folder nor database.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rahdari.publish import keys, offline

from .console import PassphraseMissing, fail, first_line_of, passphrase_options, read_passphrase


def add_words(acts: Any) -> None:
    make = acts.add_parser(
        "keys",
        help="make the key set of a new feed",
        description="Makes the root and targets keys of the custodians and a standby key for each online role in the "
        "offline folder, and the publisher's own keys in the data folder. Nothing is written over. "
        "docs/feed-keys.md is the ceremony.",
    )
    make.add_argument("--offline", type=Path, required=True, metavar="DIR", help="where the offline keys go")
    make.add_argument("--keys", type=int, default=keys.OFFLINE_KEYS, metavar="N", help="so many custodians (3)")
    make.add_argument("--threshold", type=int, default=keys.OFFLINE_THRESHOLD, metavar="M", help="so many sign (2)")
    passphrase_options(make)
    _standby_passphrase(make)
    make.set_defaults(run=run_keys)

    renew = acts.add_parser(
        "renew",
        help="sign the root or the targets once more with the offline keys",
        description="The publisher takes the result up by itself.",
    )
    renew.add_argument("--root", action="store_true", help="renew the root too (it lasts a year)")
    signing(renew)
    renew.set_defaults(run=run_renew)

    rotate = acts.add_parser(
        "rotate",
        help="other keys for a role: root, targets, " + ", ".join(keys.ONLINE),
        description="An online role: its standby signs from now on, a new standby is made, and the old key is trusted "
        "no more once the offline keys have signed. root or targets: other custodians' keys.",
    )
    rotate.add_argument("roles", nargs="+", metavar="ROLE")
    rotate.add_argument("--standby", type=Path, metavar="DIR", help="where the standby keys are, and the new one goes")
    rotate.add_argument("--fresh", action="store_true", help="the standby is lost or stolen too: make both keys anew")
    rotate.add_argument("--new", type=Path, metavar="DIR", help="root, targets: make the new keys here")
    rotate.add_argument("--public", type=Path, nargs="+", metavar="FILE", help="root, targets: the new public keys")
    rotate.add_argument(
        "--replace", type=int, nargs="+", metavar="N", help="root, targets: only the keys of these numbers"
    )
    rotate.add_argument("--keys", type=int, metavar="N", help="root, targets with --new: so many keys")
    rotate.add_argument("--threshold", type=int, metavar="M", help="root, targets: so many must sign from now on")
    signing(rotate)
    _standby_passphrase(rotate)
    rotate.set_defaults(run=run_rotate)

    replace = acts.add_parser(
        "replace-key",
        help="an online key is stolen or lost: let its standby sign at once",
        description="Needs no offline key. Follow it with `rahdari feed rotate ROLE`: until that is signed, the old "
        "key is still trusted.",
    )
    replace.add_argument("role", metavar="ROLE")
    replace.add_argument("--standby", type=Path, required=True, metavar="DIR", help="where the standby keys are")
    passphrase_options(replace, "the standby keys")
    replace.set_defaults(run=run_replace_key)

    new_key = acts.add_parser("new-key", help="a custodian: make a key of one's own (FILE, and FILE.pub to hand in)")
    new_key.add_argument("file", type=Path, metavar="FILE", help="such as root-2.pem")
    passphrase_options(new_key, "the new key")
    new_key.set_defaults(run=run_new_key)

    sign = acts.add_parser("sign", help="a custodian: look at a draft, and sign it")
    sign.add_argument("file", type=Path, metavar="DRAFT")
    sign.add_argument("--offline", type=Path, action="append", default=[], metavar="DIR", help="where the keys are")
    passphrase_options(sign)
    sign.set_defaults(run=run_sign)

    bring = acts.add_parser("import", help="put in force what the custodians have signed")
    bring.add_argument("file", type=Path, metavar="DRAFT")
    bring.set_defaults(run=run_import)


def signing(parser: argparse.ArgumentParser) -> None:
    how = parser.add_mutually_exclusive_group(required=True)
    how.add_argument(
        "--offline",
        type=Path,
        action="append",
        metavar="DIR",
        help="sign here and now with the keys in DIR (repeatable)",
    )
    how.add_argument("--draft", type=Path, metavar="FILE", help="write FILE for the custodians to sign elsewhere")
    passphrase_options(parser)


def _standby_passphrase(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--standby-passphrase-file", type=Path, metavar="FILE", help="the standby keys have a passphrase of their own"
    )


def _explained(run: Callable[[argparse.Namespace], int]) -> Callable[[argparse.Namespace], int]:
    """What can be wrong with keys and drafts, in sentences."""

    def explained(options: argparse.Namespace) -> int:
        try:
            return run(options)
        except PassphraseMissing as error:
            return fail(str(error))
        except keys.KeyUnusable as error:
            return fail(f"{error.path} cannot be used: {error.why}. Nothing was put in force.")
        except keys.KeysExist as error:
            return fail(f"There is a key already in {error.path}, and none is written over.")
        except keys.ThresholdUnusable as error:
            return fail(
                f"{error.threshold} of {error.keys} keys cannot be. Two at least must sign, one at least may be lost, "
                f"and {keys.MOST_OFFLINE_KEYS} keys are the most. Nothing was put in force."
            )
        except offline.DraftUnusable as error:
            return fail(f"The draft cannot be used: {error.why}. Nothing was put in force.")
        except offline.SignaturesMissing as error:
            return fail("Signatures are missing. Nothing was put in force.\n  " + "\n  ".join(error.missing))
        except OSError as error:
            return fail(f"{error.filename} cannot be read or written: {error.strerror}. Nothing was put in force.")

    return explained


def of_the_feed(run: Callable[[argparse.Namespace], int]) -> Callable[[argparse.Namespace], int]:
    """The same, and what can be wrong with the feed's folder."""
    inner = _explained(run)

    def explained(options: argparse.Namespace) -> int:
        from rahdari.publish import ceremony, envelope

        try:
            return inner(options)
        except ceremony.RoleUnknown as error:
            return fail(f"There is no role {error.role} here. There are: {', '.join(error.roles)}.")
        except envelope.FeedUnusable as error:
            return fail(f"{error.path} cannot be used: {error.why}. Nothing was changed.")
        except envelope.NoKeys as error:
            return fail(f"This feed has no keys in {error.path}. Run: rahdari feed keys --offline DIR")

    return explained


# -- the ceremony --------------------------------------------------------------------------------------------------


@of_the_feed
def run_keys(options: argparse.Namespace) -> int:
    from django.conf import settings
    from django.utils import timezone

    from rahdari.publish import ceremony

    passphrase = read_passphrase(options, twice=True)
    try:
        made = ceremony.make_feed_keys(
            offline=options.offline.absolute(),
            passphrase=passphrase,
            standby_passphrase=_standby_of(options, passphrase),
            number=options.keys,
            threshold=options.threshold,
            now=timezone.now(),
        )
    except keys.KeysExist as error:
        return fail(
            f"There are keys already in {error.path}, and none is written over. A feed has one key set: operators pin "
            "its root. To renew what expires, run `rahdari feed renew`. To begin a new feed, move that folder away."
        )
    except OSError as error:
        return fail(f"The keys cannot be written: {error.strerror} ({error.filename}). Nothing was put in force.")
    print(
        f"Offline keys:  {made.offline}  (root-1..{made.keys}.pem and targets-1..{made.keys}.pem, "
        f"{made.threshold} of each {made.keys} sign)"
    )
    print(f"Standby keys:  {made.offline / keys.STANDBY}  (one for each online role)")
    print(f"Online keys:   {made.online}  (the publisher's; they stay)")
    print(f"Root to pin:   {made.root}")
    print(f"  SHA-256      {made.root_sha256}")
    print("Give operators this root file, and tell them its SHA-256 by another way.")
    if made.offline.is_relative_to(Path(settings.DATA)):
        print(
            "\n*** The offline keys lie in the data folder. That is for demonstrations only: who takes this machine "
            "takes the feed. Carry them away (docs/feed-keys.md). ***",
            file=sys.stderr,
        )
    if passphrase is None:
        print("\n*** The offline keys have no passphrase. Use --passphrase for a real feed. ***", file=sys.stderr)
    return 0


def _standby_of(options: argparse.Namespace, passphrase: bytes | None) -> bytes | None:
    return first_line_of(options.standby_passphrase_file) if options.standby_passphrase_file else passphrase


# -- renewals and rotations ----------------------------------------------------------------------------------------


@of_the_feed
def run_renew(options: argparse.Namespace) -> int:
    from django.utils import timezone

    from rahdari.publish import ceremony

    draft = ceremony.draft_renewal(roles=["root", "targets"] if options.root else ["targets"], now=timezone.now())
    return sign_or_write(draft, options, read_passphrase(options, twice=False), list(options.offline or []))


@of_the_feed
def run_rotate(options: argparse.Namespace) -> int:
    from django.utils import timezone

    from rahdari.publish import ceremony

    passphrase = read_passphrase(options, twice=False)
    of_custodians = [role for role in options.roles if role in keys.OFFLINE_ROLES]
    online = [role for role in options.roles if role not in keys.OFFLINE_ROLES]
    if of_custodians and (online or len(of_custodians) > 1):
        return fail("root and targets are rotated by themselves, one at a time: their keys come by other ways.")
    folders = list(options.offline or [])
    custodians, thresholds = {}, {}
    if of_custodians:
        (role,) = of_custodians
        if (options.new is None) == (options.public is None):
            return fail(f"Say where the new {role} keys come from: --new DIR makes them, --public FILE ... takes them.")
        custodians[role], thresholds[role] = _custodians(role, options, passphrase)
        folders += [options.new] if options.new else []
    elif options.standby is None:
        return fail("Say where the standby keys are, and where the new ones go: --standby DIR.")
    draft = ceremony.draft_rotation(
        online=online,
        custodians=custodians,
        thresholds=thresholds,
        standby=options.standby,
        passphrase=_standby_of(options, passphrase),
        fresh=options.fresh,
        now=timezone.now(),
    )
    code = sign_or_write(draft, options, passphrase, folders)
    for role in online:
        _print_trusted(ceremony.trusted_keys(role))
    return code


def _custodians(role: str, options: argparse.Namespace, passphrase: bytes | None) -> tuple[list[Any], int]:
    """The public keys that role is to have, and its threshold."""
    from rahdari.publish import ceremony

    present, threshold = ceremony.custodians_of(role)
    wanted = options.keys or (len(options.public) if options.public else len(present))
    numbers = sorted(set(options.replace or range(1, wanted + 1)))
    if options.replace and not set(numbers) <= set(range(1, len(present) + 1)):
        raise offline.DraftUnusable(f"the keys of {role} have the numbers 1 to {len(present)}")
    if options.public and len(options.public) != len(numbers):
        raise offline.DraftUnusable("there must be one public key for each number")
    made = (
        [keys.load_public(path) for path in options.public]
        if options.public
        else [keys.next_key(options.new / f"{role}-{number}.pem", passphrase).public_key for number in numbers]
    )
    listed = dict(enumerate(present, start=1)) if options.replace else {}
    listed.update(zip(numbers, made, strict=True))
    return [listed[number] for number in sorted(listed)], options.threshold or threshold


def sign_or_write(
    draft: offline.Draft, options: argparse.Namespace, passphrase: bytes | None, folders: list[Path]
) -> int:
    from django.utils import timezone

    from rahdari.publish import ceremony

    for line in offline.describe_draft(draft):
        print(line)
    if options.draft:
        write_draft(options.draft, draft)
        return 0
    ceremony.sign_here(draft=draft, folders=folders, passphrase=passphrase)
    return _take_up(draft, timezone.now())


def write_draft(path: Path, draft: offline.Draft) -> None:
    path.write_bytes(draft.body)
    print(f"Written to {path}; its fingerprint, for the custodians to compare:")
    print(f"  {draft.fingerprint}")
    for line in draft.missing():
        print(f"  {line}")


def _take_up(draft: offline.Draft, now: Any) -> int:
    from rahdari.publish import ceremony

    for role, version in ceremony.take_up(draft=draft, now=now).items():
        print(f"Version {version} of {role} is signed and in force.")
    return 0


def _print_trusted(trusted: Any) -> None:
    others = ", ".join(keyid[:16] for keyid in trusted.others) or "none"
    print(f"{trusted.role} signs with {trusted.signing[:16]}; trusted beside it: {others}")


# -- the emergency -------------------------------------------------------------------------------------------------


@of_the_feed
def run_replace_key(options: argparse.Namespace) -> int:
    from django.utils import timezone

    from rahdari.publish import ceremony

    trusted = ceremony.replace_key(
        role=options.role,
        standby=options.standby.absolute(),
        passphrase=read_passphrase(options, twice=False, whose="the standby keys"),
        now=timezone.now(),
    )
    _print_trusted(trusted)
    print(
        "The other key is still trusted until the offline keys say otherwise. Now: "
        f"rahdari feed rotate {options.role} --standby DIR --draft FILE"
    )
    return 0


# -- a custodian's -------------------------------------------------------------------------------------------------


@_explained
def run_new_key(options: argparse.Namespace) -> int:
    signer = keys.generate()
    keys.write_key(options.file, signer, read_passphrase(options, twice=True, whose="the new key"))
    public = options.file.with_suffix(".pub")
    keys.write_public(public, signer)
    print(f"Key {signer.public_key.keyid[:16]}: {options.file} stays with you, {public} goes to the register.")
    return 0


@_explained
def run_sign(options: argparse.Namespace) -> int:
    draft = offline.Draft.decode(options.file.read_bytes())
    for line in offline.describe_draft(draft):
        print(line)
    print(f"Fingerprint  {draft.fingerprint}")
    if options.offline:
        passphrase = read_passphrase(options, twice=False)
        added = 0
        for place in options.offline:
            for name in draft.documents:
                if any(place.glob(f"{name}-*.pem")):
                    added += sum(draft.sign(keys.load_offline(place, name, passphrase)).values())
        if not added:
            return fail("None of these keys is asked for, or they have signed already. The draft is as it was.")
        options.file.write_bytes(draft.body)
        print(f"{added} signatures were added.")
    missing = draft.missing()
    print(
        "\n".join(["Still missing:", *(f"  {line}" for line in missing)]) if missing else "It has all its signatures."
    )
    return 0


@of_the_feed
def run_import(options: argparse.Namespace) -> int:
    from django.utils import timezone

    draft = offline.Draft.decode(options.file.read_bytes())
    for line in offline.describe_draft(draft):
        print(line)
    return _take_up(draft, timezone.now())
