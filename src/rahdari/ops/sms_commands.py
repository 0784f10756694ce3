"""`rahdari sms try NUMBER` sends a sample note by each provider."""

import argparse
import sys


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser("sms", help="try the providers of SMS")
    acts = parser.add_subparsers(dest="act", required=True)
    trial = acts.add_parser("try", help="send a sample note to a telephone of yours by each provider")
    trial.add_argument("number", help="a mobile number, such as 03001234567")
    trial.set_defaults(run=try_number)


def try_number(arguments: argparse.Namespace) -> int:
    import uuid

    from django.utils import timezone

    from rahdari.letters.sms import NOTES
    from rahdari.people.identifiers import IdentifierError, parse_mobile
    from rahdari.sms import actions, queries, writing
    from rahdari.sms.providers import Accepted, Text, configuration

    try:
        number = parse_mobile(arguments.number)
    except IdentifierError:
        print(f"{arguments.number} is not a mobile number such as 03001234567.", file=sys.stderr)
        return 2
    try:
        providers = queries.providers(told=actions.on_report)
    except configuration.ConfigurationError as error:
        print(error.problem, file=sys.stderr)
        return 1
    if not providers:
        print("No provider is set up. docs/letters.md says how.", file=sys.stderr)
        return 1
    body = writing.compose(note="news", language="ur", context=NOTES["news"][1])
    failed = 0
    for provider in providers:
        answer = provider.send(Text(str(uuid.uuid4()), number, body), now=timezone.now())
        failed += not isinstance(answer, Accepted)
        said = f"taken, in {answer.parts} parts" if isinstance(answer, Accepted) else f"not taken: {answer.reason}"
        print(f"{provider.name}: {said}")
    actions.stop_listening()
    return 1 if failed else 0
