"""`rahdari people appoint EMAIL ROLE` gives a post, `dismiss` ends it, `reset EMAIL` helps who lost a second factor."""

import argparse
import sys

ROLES = ("officer", "supervisor", "operator", "administrator", "accounts", "association")


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser("people", help="give a post to a person, or take it away")
    acts = parser.add_subparsers(dest="act", required=True)
    for act, help_text, run in (
        ("appoint", "give a post; the person is registered if need be", appoint),
        ("dismiss", "end a post", dismiss),
    ):
        command = acts.add_parser(act, help=help_text)
        command.add_argument("email")
        command.add_argument("role", choices=ROLES)
        command.add_argument("--operator", default="", metavar="SLUG", help="the operator, for the role operator")
        command.add_argument(
            "--association", default="", metavar="SLUG", help="the association of the policy, for the role association"
        )
        command.set_defaults(run=run)
        if act == "appoint":
            command.add_argument("--rank", default="", choices=("director",), help="for officers and supervisors")
        else:
            command.add_argument(
                "--keys", action="store_true", help="end the keys of the operator's system that they made as well"
            )
    reset = acts.add_parser("reset", help="forget the lost passkeys, app and recovery codes of a person")
    reset.add_argument("email")
    reset.set_defaults(run=reset_second_factor)


def appoint(arguments: argparse.Namespace) -> int:
    from django.core.exceptions import ValidationError
    from django.utils import timezone

    from . import actions
    from .mailboxes import clean_email

    now = timezone.now()
    if arguments.association and arguments.association not in _associations():
        print(f"The policy names no association {arguments.association}.", file=sys.stderr)
        return 2
    try:
        email = clean_email(arguments.email)
    except ValidationError as error:
        # As the page says it on which they would sign in.
        print(f"{arguments.email}: {' '.join(error.messages)}.", file=sys.stderr)
        return 2
    user = actions.register_person(email=email, actor="system:command", now=now)
    try:
        post = actions.appoint(
            user=user,
            role=arguments.role,
            rank=arguments.rank,
            operator=arguments.operator,
            association=arguments.association,
            actor="system:command",
            now=now,
        )
    except actions.OperatorNeeded:
        print("Give --operator SLUG with the role operator, and with no other.", file=sys.stderr)
        return 2
    except actions.AssociationNeeded:
        print("Give --association SLUG with the role association, and with no other.", file=sys.stderr)
        return 2
    except actions.RankNotAllowed as error:
        print(f"The role {error.role} has no rank {error.rank}.", file=sys.stderr)
        return 2
    actions.notify_of_post(user=user, title=post.label, change="given", actor="system:command", now=now)
    body = post.operator or post.association
    holding = f"{post.role}{f', {post.rank}' if post.rank else ''}{f' for {body}' if body else ''}"
    print(f"{user.email} holds the post: {holding}. They sign in with a code, and set up a second factor then.")
    return 0


def _associations() -> set[str]:
    """The associations that the policy in force lets attest."""
    from django.conf import settings

    from rahdari import policy

    attesting = policy.current(settings.POLICY_FILE).attesting
    return {each.key for each in attesting.associations} if attesting else set()


def dismiss(arguments: argparse.Namespace) -> int:
    from django.utils import timezone

    from . import actions, queries

    user = queries.person_by_email(arguments.email)
    held = [
        post
        for post in (queries.posts_of(user) if user is not None else [])
        if (post.role, post.operator, post.association) == (arguments.role, arguments.operator, arguments.association)
    ]
    if not held:
        print(f"{arguments.email} holds no such post.", file=sys.stderr)
        return 1
    now, left = timezone.now(), 0
    for post in held:
        actions.end_post(post=post, actor="system:command", with_keys=arguments.keys, now=now)
        left += queries.keys_of(post, now)
        actions.notify_of_post(user=post.user, title=post.label, change="ended", actor="system:command", now=now)
    print(f"{arguments.email} holds the post of {arguments.role} no longer.")
    if left:
        what = "1 key" if left == 1 else f"{left} keys"
        print(
            f"{what} of the operator's system that they made work on. Somebody else of the operator ends them on the "
            "page “Let your system answer” (/operator/checks/system/) once the system has new ones."
        )
    return 0


def reset_second_factor(arguments: argparse.Namespace) -> int:
    from django.utils import timezone

    from . import actions, queries

    user = queries.person_by_email(arguments.email)
    if user is None:
        print(f"Nobody is registered with {arguments.email}.", file=sys.stderr)
        return 1
    now = timezone.now()
    actions.forget_second_factors(user=user, actor="system:command", now=now)
    if queries.holds_post(user):
        title = ", ".join(post.label for post in queries.posts_of(user))
        actions.notify_of_post(user=user, title=title, change="reset", actor="system:command", now=now)
    print(
        f"{user.email} is signed out everywhere. They sign in with a code; who holds a post sets up a new factor then."
    )
    return 0
