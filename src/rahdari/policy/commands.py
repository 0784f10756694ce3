"""`rahdari policy check FILE` judges a policy; `rahdari policy use FILE` brings it into force.

Taking a file into use replaces the old one in a single step: whoever reads meanwhile has the old rules or the new ones,
never half of one. A file with a fault changes nothing. Applications already sent keep the rules they were sent under.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from .beyond import in_sentences
from .loading import BUNDLED, SHIPPED, PolicyError, load
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
    use.set_defaults(run=use_policy)


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
    target = in_force(Path(os.environ.get("RAHDARI_DATA", ".data")).absolute())
    put_in_force(arguments.file, target)
    digest_of(target).write_text(f"{policy.digest}\n")
    print(f"In force now: version {policy.version}, digest {policy.digest[:16]}, as {target}.")
    return 0


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
