"""`rahdari letters returned` reads a mail server's notice that a letter came back."""

import argparse
import sys


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser("letters", help="note a letter that came back")
    acts = parser.add_subparsers(dest="act", required=True)
    bounces = acts.add_parser("returned", help="read a mail server's notice (RFC 3464) from standard input")
    bounces.set_defaults(run=note_return)


def note_return(arguments: argparse.Namespace) -> int:
    from django.utils import timezone

    from . import bounces

    try:
        letter = bounces.record_return(content=sys.stdin.buffer.read(bounces.LARGEST), now=timezone.now())
    except bounces.NotAReturn as error:
        # A mailbox gets other mail too: nothing to repeat and nothing to alarm about.
        print(f"Nothing noted: {error.why}.")
        return 0
    print(f"Noted: letter {letter.pk} came back ({letter.last_error}).")
    return 0
