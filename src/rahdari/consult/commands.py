"""`rahdari consult`: publish a version of a draft from its file, and see which drafts there are."""

import argparse
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

BY = "command line"
IN_FORCE = "the policy in force"


def register(subparsers: Any) -> None:
    parser = subparsers.add_parser("consult", help="draft rules, in the open")
    acts = parser.add_subparsers(dest="act", required=True)
    check = acts.add_parser("check", help="judge the file of a draft, and the policy file that it would become")
    publish = acts.add_parser("publish", help="publish a version of a draft")
    for each in (check, publish):
        each.add_argument("draft", type=Path, help="the file of the draft (docs/consult.md)")
        each.add_argument("policy", type=Path, help="the policy file that it would become")
    publish.add_argument(
        "--after", type=int, default=0, metavar="N", help="the version that you know; 0 (the default) for a new draft"
    )
    archive = acts.add_parser(
        "archive", help="write a draft, and all that was said of it, as files that need no program"
    )
    archive.add_argument("draft", metavar="DRAFT", help="its reference, such as DR-2026-01")
    archive.add_argument("folder", type=Path, help="a folder that is new or empty")
    archive.set_defaults(run=run_archive)
    invite = acts.add_parser("invite", help="have a ministry, board or association speak as such")
    invite.add_argument("email", help="an address at the domain that the body publishes as its own")
    invite.add_argument("--name-en", required=True, help="its name, in English")
    invite.add_argument("--name-ur", required=True, help="and in Urdu")
    invite.add_argument("--language", choices=("en", "ur"), default="en", help="of the letter")
    invite.set_defaults(run=run_invite)
    acts.add_parser("bodies", help="which bodies speak as such, and which did").set_defaults(run=run_bodies)
    end = acts.add_parser("end", help="have a body speak as such no more: its link opens nothing")
    end.add_argument("domain", help="that of the body, as `rahdari consult bodies` tells it")
    end.add_argument("--why", required=True, help="in a sentence, for the journal")
    end.set_defaults(run=run_end)
    check.set_defaults(run=run_check)
    publish.set_defaults(run=run_publish)
    acts.add_parser("list", help="which drafts there are").set_defaults(run=run_list)


def run_check(arguments: argparse.Namespace) -> int:
    from . import document

    read = _read(arguments)
    if read is None:
        return 1
    try:
        found = document.read(read[0])
    except document.DraftError as error:
        return _said(arguments.draft, error.problems)
    print(f"{found.title.en}: {len(found.clauses)} clauses, digest {found.digest[:16]}. Nothing is wrong with it.")
    name, before = _to_compare_with()
    print(_differences(name, before, read[1]))
    return 0


def run_publish(arguments: argparse.Namespace) -> int:
    from django.utils import timezone

    from . import actions, document, queries

    read = _read(arguments)
    if read is None:
        return 1
    try:
        version = actions.publish(
            text=read[0], policy_text=read[1], after=arguments.after, actor=BY, now=timezone.now()
        )
    except document.DraftError as error:
        return _said(arguments.draft, error.problems)
    except actions.Overtaken as error:
        told = f"Version {error.latest} is there already: read it, and say --after {error.latest}."
        return _said(arguments.draft, [told if error.latest else "There is no such draft yet: leave --after out."])
    except actions.NothingChanged as error:
        return _said(arguments.draft, [f"Version {error.number} says the same, word for word."])
    except actions.NotNow:
        return _said(arguments.draft, ["This draft has ended: a new one takes another key."])
    until = timezone.localtime(version.draft.closes_at)
    print(f"{version.draft.reference}, version {version.number}: published, open for comment until {until:%d %B %Y}.")
    print(_differences(IN_FORCE, queries.in_force().source, read[1]))
    return 0


def run_list(arguments: argparse.Namespace) -> int:
    from django.utils import timezone

    from . import queries

    now = timezone.now()
    for draft in queries.drafts():
        said, waiting = queries.comments(draft).count(), queries.waiting(draft)
        counts = f"version {draft.versions.count()}, {said} comments, {waiting} to be answered"
        print(f"{draft.reference}  {draft.key}: {draft.state(now)}, {counts}.")
    return 0


def run_archive(arguments: argparse.Namespace) -> int:
    from django.utils import timezone

    from . import archiving, queries

    try:
        draft = queries.draft_by_reference(arguments.draft)
        names = archiving.write(draft, arguments.folder, timezone.now())
    except queries.DraftNotFound:
        print(f"There is no draft {arguments.draft}: `rahdari consult list` names all.", file=sys.stderr)
        return 1
    except FileExistsError:
        print(f"{arguments.folder} is not empty: nothing was written.", file=sys.stderr)
        return 1
    print(f"{draft.reference}: {len(names)} files in {arguments.folder}; begin with index.en.html or index.ur.html.")
    return 0


def run_invite(arguments: argparse.Namespace) -> int:
    from django.utils import timezone

    from rahdari import policy

    from . import bodies

    name = policy.Text(arguments.name_en, arguments.name_ur)
    try:
        body = bodies.invite(
            name=name, email=arguments.email, language=arguments.language, actor=BY, now=timezone.now()
        )
    except bodies.NotAnAddress as error:
        told = f"`{error.email}` is no address of email: write it like desk@association.example."
        print(f"{told} No letter was sent.", file=sys.stderr)
        return 1
    except bodies.AtAMailboxProvider as error:
        told = f"Anybody gets an address at {error.domain}. Write to an address at a domain of the body's own."
        print(f"{told} No letter was sent.", file=sys.stderr)
        return 1
    print(
        f"A letter goes to that address. Comments by its link, with a code to {body.domain}, are marked as the body's."
    )
    if (known := body.name_text) != name:
        print(
            f"{body.domain} was invited before, and keeps the name of then: {known.en} ({known.ur}). "
            f"To give it another, run `rahdari consult end {body.domain} --why ...`, then invite it again: "
            "it has another link then."
        )
    return 0


def run_bodies(arguments: argparse.Namespace) -> int:
    from . import bodies

    for each in bodies.bodies():
        ended = f", ended {each.ended_at:%Y-%m-%d}" if each.ended_at is not None else ""
        print(f"{each.domain}  {each.name_text.en}: invited {each.invited_at:%Y-%m-%d}{ended}.")
    return 0


def run_end(arguments: argparse.Namespace) -> int:
    from django.utils import timezone

    from . import bodies

    try:
        body = bodies.end(domain=arguments.domain, why=arguments.why, actor=BY, now=timezone.now())
    except bodies.NoSuchBody:
        print(f"No body at {arguments.domain} speaks as such: `rahdari consult bodies` names all.", file=sys.stderr)
        return 1
    print(f"The link of {body.domain} opens nothing any more. What was said by it stays, and says so.")
    return 0


def _read(arguments: argparse.Namespace) -> tuple[str, str] | None:
    """Both files, judged as far as the policy goes; None when something was said."""
    from rahdari import policy

    texts = []
    for path in (arguments.draft, arguments.policy):
        try:
            texts.append(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            print(f"{path}: cannot be read as UTF-8 text ({type(error).__name__}).", file=sys.stderr)
            return None
    try:
        policy.read(texts[1])
    except policy.PolicyError as error:
        _said(arguments.policy, [str(problem) for problem in error.problems])
        return None
    return texts[0], texts[1]


def _to_compare_with() -> tuple[str, Mapping[str, Any]]:
    """The policy in force of the data folder, and what it is called: an author without one compares with the policy
    that comes with this version. Neither Django nor a database is needed."""
    from rahdari import policy
    from rahdari.policy import commands
    from rahdari.policy.loading import source_in

    data = Path(os.environ.get("RAHDARI_DATA", ".data")).absolute()
    try:
        return IN_FORCE, source_in(commands.in_force(data).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        pass
    bundled = policy.BUNDLED
    if (data / "version").is_file():  # an installation, in which nothing was put in force yet
        return IN_FORCE, policy.load(bundled).source
    print(f"There is no installation at {data}. --data DIR names its data folder, to compare with its policy.")
    return f"the policy that comes with this version ({bundled.stem})", policy.load(bundled).source


def _differences(name: str, before: Mapping[str, Any], policy_text: str) -> str:
    """Which keys of the policy file differ from that one, in a sentence."""
    from rahdari import policy
    from rahdari.policy.changes import changes

    places = [each.place for each in changes(before, policy.read(policy_text).source)]
    keys = [place for place in places if place != "version"]
    if keys:
        return f"The policy file differs from {name} in: {', '.join(keys)}."
    but = " but its version" if places else ""
    return f"Nothing in the policy file differs from {name}{but}."


def _said(path: Path, problems: list[str]) -> int:
    for problem in problems:
        print(f"{path}: {problem}", file=sys.stderr)
    return 1
