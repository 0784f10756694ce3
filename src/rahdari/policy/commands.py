"""`rahdari policy check FILE` judges a policy; `announce` says that it is to come; `use` brings it into force.

Taking a file into use replaces the old one in a single step: whoever reads meanwhile has the old rules or the new ones,
never half of one. A file with a fault changes nothing. Applications already sent keep the rules they were sent under.
Outside a demonstration two persons do it, and what may go against somebody was announced before (`history`).
"""

import argparse
import datetime as dt
import os
import sys
import tempfile
from pathlib import Path

from . import history
from .beyond import in_sentences
from .loading import BUNDLED, SHIPPED, PolicyError, load, source_of
from .shapes import Policy


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser("policy", help="check a policy file, or bring one into force")
    acts = parser.add_subparsers(dest="act", required=True)
    check = acts.add_parser("check", help="say what is wrong with a policy file, and what is not signed yet")
    named = f"a file, or one that comes with this version: {', '.join(SHIPPED)}"
    check.add_argument("file", type=file_or_shipped, nargs="?", default=BUNDLED, help=named)
    check.set_defaults(run=check_policy)
    use = acts.add_parser("use", help="bring a policy file into force")
    use.add_argument("file", type=file_or_shipped, help=named)
    use.add_argument("--name", default="", metavar="'NAME, OFFICE'", help="who brings it into force")
    use.add_argument("--second", default="", metavar="'NAME, OFFICE'", help="who agrees; both names are public")
    use.set_defaults(run=use_policy)
    announce = acts.add_parser("announce", help="say in public that a policy file is to come into force")
    announce.add_argument("file", type=file_or_shipped, help=named)
    announce.add_argument("--name", required=True, metavar="'NAME, OFFICE'", help="who announces it; public")
    announce.add_argument("--withdraw", action="store_true", help="say that it does not come into force after all")
    announce.set_defaults(run=announce_policy)


def file_or_shipped(word: str) -> Path:
    """The file that is meant: one that ships, by its bare name, or else a path."""
    return SHIPPED.get(word) or Path(word)


def check_policy(arguments: argparse.Namespace) -> int:
    policy = _judged(arguments.file)
    if policy is None:
        return 1
    print(f"{arguments.file}: version {policy.version}, digest {policy.digest[:16]}.")
    services = [f"{key} ({'open' if service.open else 'not open'})" for key, service in policy.services.items()]
    print(f"Services: {', '.join(services)}.")
    if more := in_sentences(policy):
        print("Beyond an address, a proof of control and a way to write back:")
        for line in more:
            print(f"  {line}")
    else:
        print("It asks for an address, a proof of control and a way to write back, and for nothing else.")
    waiting = [code for code, reason in policy.reasons.items() if reason.status == "to_confirm"]
    print(f"Reason codes: {len(policy.reasons)}. To be confirmed, and until then off in production: {len(waiting)}.")
    if waiting:
        print(f"  {', '.join(waiting)}")
    first = [code for code, reason in policy.reasons.items() if reason.before_hearing]
    lasts = policy.before_hearing
    said = "off" if lasts is None else f"{lasts.length} hours at most, by {', '.join(first)}"
    print(f"Suspension before a hearing: {said}.")
    unsigned = policy.open_items()
    print(f"To be signed by the law officer: {len(unsigned)} of {len(policy.signed)}.")
    for item in unsigned:
        print(f"  {item.key}: {item.about}")
    return 0


def use_policy(arguments: argparse.Namespace) -> int:
    policy = _judged(arguments.file)
    if policy is None:
        print("Nothing was changed: the policy in force stays in force.", file=sys.stderr)
        return 1
    data, now = _data(), dt.datetime.now(dt.UTC)
    names = [name.strip() for name in (arguments.name, arguments.second) if name.strip()]
    known = history.events(data)
    if faults := history.why_not(before(data, known), policy.source, policy.digest, known, names, now):
        print(*faults, "Nothing was changed: the policy in force stays in force.", sep="\n", file=sys.stderr)
        return 1
    target = in_force(data)
    put_in_force(arguments.file, target)
    digest_of(target).write_text(f"{policy.digest}\n")
    event = history.Event(history.IN_FORCE, policy.version, policy.digest, now, tuple(names))
    history.add(data, event, arguments.file.read_bytes())
    print(f"In force now: version {policy.version}, digest {policy.digest[:16]}, as {target}.")
    return 0


def announce_policy(arguments: argparse.Namespace) -> int:
    policy = _judged(arguments.file)
    if policy is None:
        print("Nothing was announced.", file=sys.stderr)
        return 1
    data = _data()
    known = history.events(data)
    standing = next((event for event in history.announced(known) if event.digest == policy.digest), None)
    if arguments.withdraw and standing is None:
        print(f"Version {policy.version} of this digest is not announced.", file=sys.stderr)
        return 1
    act = history.WITHDRAWN if arguments.withdraw else history.ANNOUNCED
    event = history.Event(act, policy.version, policy.digest, dt.datetime.now(dt.UTC), (arguments.name.strip(),))
    if arguments.withdraw or standing is None:
        history.add(data, event, arguments.file.read_bytes())
    if arguments.withdraw:
        print(f"Withdrawn: version {policy.version}. The page of the rules says so.")
        return 0
    event = standing or event
    rules = before(data, known)
    against = history.against_somebody(rules, policy.source)
    print(f"Announced on {event.at:%d %B %Y}: version {policy.version}, digest {policy.digest[:16]}.")
    if against:
        when = f"It may come into force from {event.notice_ends:%d %B %Y, %H:%M} UTC"
        if not history.takes_notice(rules):
            when = "These are demonstration rules, and nobody depends on them: the new ones may come into force at once"
        print(f"{when}. What may go against somebody:")
        print(*(f"  {each.place}: {each.before} -> {each.after}" for each in against), sep="\n")
    else:
        print("Nothing in it puts anybody at a disadvantage: it may come into force at once.")
    return 0


def _data() -> Path:
    return Path(os.environ.get("RAHDARI_DATA", ".data")).absolute()


def before(data: Path, known: list[history.Event]) -> history.Source:
    """The rules that others take the place of: as they were brought into force, whatever a hand wrote there since. What
    cannot be read any more is no rule, so that everything in the new ones is a difference."""
    last = history.last_in_force(known)
    kept = [history.text_of(data, last.digest)] if last is not None else []
    found = [path for path in (*kept, in_force(data)) if path.exists()]
    return source_of(found[0]) if found else source_of(BUNDLED)


def in_force(data: Path) -> Path:
    """Where the data folder keeps the policy in force: `POLICY_FILE` of the settings."""
    return data / "policy" / "in-force.toml"


def digest_of(target: Path) -> Path:
    """Where it stands what was put in force: a file that somebody edits afterwards is known by it."""
    return target.with_suffix(".digest")


def digest_in_force(target: Path) -> str:
    """What `policy use` put there; empty when nothing did, or when the file is gone."""
    try:
        return digest_of(target).read_text().strip() if target.exists() else ""
    except FileNotFoundError:
        return ""


def put_in_force(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".policy-")
    try:
        with os.fdopen(handle, "wb") as copy:
            copy.write(source.read_bytes())
            copy.flush()
            os.fsync(copy.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _judged(path: Path) -> Policy | None:
    try:
        return load(path)
    except PolicyError as error:
        for problem in error.problems:
            print(f"{path}, {str(problem)[0].lower()}{str(problem)[1:]}", file=sys.stderr)
        return None
