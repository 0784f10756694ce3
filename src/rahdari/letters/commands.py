"""`rahdari letters returned` reads a mail server's notice that a letter came back; `try NUMBER` sends a sample note."""

import argparse
import sys


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser("letters", help="note a letter that came back, and try the providers of SMS")
    acts = parser.add_subparsers(dest="act", required=True)
    bounces = acts.add_parser("returned", help="read a mail server's notice (RFC 3464) from standard input")
    bounces.set_defaults(run=note_return)
    trial = acts.add_parser("try", help="send a sample note to a telephone of yours by each provider")
    trial.add_argument("number", help="a mobile number, such as 03001234567")
    trial.set_defaults(run=try_number)


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


def try_number(arguments: argparse.Namespace) -> int:
    import uuid

    from django.utils import timezone

    from rahdari.people.identifiers import IdentifierError, parse_mobile

    from . import messages, queries, samples
    from .providers import Accepted, Text, configuration
    from .writing import compose_note

    try:
        number = parse_mobile(arguments.number)
    except IdentifierError:
        print(f"{arguments.number} is not a mobile number such as 03001234567.", file=sys.stderr)
        return 2
    try:
        providers = queries.providers(told=messages.on_report)
    except configuration.ConfigurationError as error:
        print(error.problem, file=sys.stderr)
        return 1
    if not providers:
        print("No provider is set up. docs/letters.md says how.", file=sys.stderr)
        return 1
    body = compose_note(note="news", language="ur", context=samples.facts_of_note("news"))
    failed = 0
    for provider in providers:
        answer = provider.send(Text(str(uuid.uuid4()), number, body), now=timezone.now())
        failed += not isinstance(answer, Accepted)
        said = f"taken, in {answer.parts} parts" if isinstance(answer, Accepted) else f"not taken: {answer.reason}"
        print(f"{provider.name}: {said}")
    messages.stop_listening()
    return 1 if failed else 0
