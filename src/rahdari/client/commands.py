"""The command `rahdari my`: what an applicant does with the register, from a terminal.

Exit codes: 0 done, or granted; 1 refused or wrong; 3 your turn; 4 over without a registration; 5 waited in vain;
75 the register does not answer.
"""

import argparse
import datetime as dt
import getpass
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rahdari.feed import webhook

from . import adding, calling, filing, operations
from .calling import Access, Json, Register, Trouble
from .terminal import DONE, IN_VAIN, OVER, YOUR_TURN, endpoint_of, register_of, say

GRANTED = frozenset({"granted", "registered", "published", "in_force"})
OVER_STAGES = frozenset({"refused", "withdrawn", "not_pursued", "ended", "struck_out", "expired"})
TURN = frozenset({"draft", "proof", "fee", "question", "notice"})
EVERY = 5.0


def register(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "my", help="Apply, prove, follow and renew with a token.", description="Apply, prove, follow and renew."
    )
    parser.add_argument("--language", choices=("en", "ur"), default="en", help="the language of what the register says")
    parser.add_argument("--json", action="store_true", help="print what the register answered, as JSON")
    acts = parser.add_subparsers(dest="act", metavar="ACT", required=True)

    def act(name: str, run: Callable[[argparse.Namespace], int], help: str) -> argparse.ArgumentParser:
        found: argparse.ArgumentParser = acts.add_parser(name, help=help, description=help)
        found.set_defaults(run=lambda given: with_plain_errors(run, given))
        return found

    one = act("sign-in", sign_in, "Keep a token for the next calls; it is asked for, or read from standard input.")
    one.add_argument("server", help="for example https://register.example")
    act("services", services, "List the services, and what each asks for.")
    act("list", listing, "List applications and registrations.")
    one = act("apply", apply, "Apply from a file, TOML or JSON; the same file again goes on where it was.")
    one.add_argument("file", type=Path)
    one.add_argument("--send", action="store_true", help="declare that the answers are true, and send it")
    one.add_argument("--into", default="", metavar="REFERENCE", help="go on with this draft, when a file was mended")
    one = act("send", send, "Declare that the answers are true, and send an application.")
    one.add_argument("reference")
    one = act("status", status, "How an application stands: what is awaited, from whom, until when.")
    one.add_argument("reference")
    one = act("prove", prove, "The methods to prove an address; or open one, and have the register probe.")
    one.add_argument("reference")
    one.add_argument("--address", default="", help="which address; needed when there are several")
    one.add_argument("--method", default="")
    one.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="what the method needs")
    one.add_argument(
        "--try", dest="look", action="store_true", help="have the register look, and wait for what it finds"
    )
    one.add_argument("--send-to", default="", metavar="CONTACT", help="of a range: write a code to this contact of it")
    one.add_argument("--code", default="", help="of a range: the code that the contact handed over")
    one.add_argument("--timeout", type=float, default=120.0)
    adding.add_to(act)
    operations.add_to(act)
    one = act("wait", wait, "Wait until an application is decided, or it is your turn.")
    one.add_argument("reference")
    one.add_argument("--timeout", type=float, default=600.0)
    one = act("renew", renew, "Begin the renewal of a registration, and send it if nothing is missing.")
    one.add_argument("reference")
    one.add_argument("--send", action="store_true")
    one = act("certificate", certificate, "Fetch the certificate of a registration, as PDF.")
    one.add_argument("reference")
    one.add_argument("--to", type=Path, metavar="FILE", help="where to write it (REFERENCE.pdf)")
    one = act("webhook-verify", verify, "Hold an event from standard input against the secret of a webhook.")
    one.add_argument("--secret-file", type=Path, required=True)
    one.add_argument("--id", required=True)
    one.add_argument("--timestamp", required=True)
    one.add_argument("--signature", required=True)


def with_plain_errors(run: Callable[[argparse.Namespace], int], given: argparse.Namespace) -> int:
    try:
        return run(given)
    except Trouble as error:
        print(error, file=sys.stderr)
        return error.code


def sign_in(given: argparse.Namespace) -> int:
    token = (getpass.getpass("Token: ") if sys.stdin.isatty() else sys.stdin.readline()).strip()
    access = Access(calling.checked_server(given.server), token)
    try:
        Register(access).get("/applications?limit=1")
    except calling.Refused as error:
        if error.kind != "missing-scope":  # then it is a token all the same
            raise
    print(f"The token counts. It is kept in {calling.keep(access, os.environ)}")
    return DONE


def services(given: argparse.Namespace) -> int:
    said = register_of(given).get("/services")
    lines = [
        f"{each['key']:<24}{'' if each['open'] else '(closed) '}{each['title']}: {', '.join(each['steps'])}"
        for each in said["services"]
    ]
    say(given, said, lines)
    return DONE


def listing(given: argparse.Namespace) -> int:
    register = register_of(given)
    said = {"applications": _all(register, "/applications"), "registrations": _all(register, "/registrations")}
    lines = [f"{each['reference']:<20}{each['stage']:<12}{each['heading']}" for each in said["applications"]]
    lines += [
        f"{each['reference']:<20}{each['standing']:<12}until {each['valid_until'][:10]}"
        for each in said["registrations"]
    ]
    say(given, said, lines or ["There is nothing yet."])
    return DONE


def _all(register: Register, path: str) -> list[Json]:
    found: list[Json] = []
    after: str | None = ""
    while after is not None:
        page = register.get(f"{path}?limit=100" + (f"&after={after}" if after else ""))
        found += page["items"]
        after = page["next"]
    return found


def apply(given: argparse.Namespace) -> int:
    register = register_of(given)
    said = filing.file_application(register, filing.read(given.file), given.file.parent, given.into)
    if given.send and said["status"] == "draft":
        said = filing.send(register, said["reference"])
    return _stand(given, said)


def send(given: argparse.Namespace) -> int:
    return _stand(given, filing.send(register_of(given), given.reference))


def status(given: argparse.Namespace) -> int:
    _stand(given, register_of(given).get(f"/applications/{given.reference}"))
    return DONE


def _stand(given: argparse.Namespace, said: Json) -> int:
    lines = [f"{said['reference']}  {said['stage']}: {said['heading']}"]
    for each in said["awaited"]:
        until = f", until {each['until']}" if each["until"] else ""
        lines.append(f"  awaited: {each['what']} from {each['from']}{until}: {each['text']}")
    if said["missing"]:
        lines.append(f"  missing: {', '.join(said['missing'])}")
    lines += [
        f"  {each['address']} {each['protocol']} {each['port'] or ''}  {'proved' if each['proved'] else 'not proved'}"
        for each in said["endpoints"]
    ]
    if said["registration"]:
        lines.append(f"  registration: {said['registration']}")
    say(given, said, lines)
    return code_of(said["stage"])


def code_of(stage: str) -> int:
    return YOUR_TURN if stage in TURN else OVER if stage in OVER_STAGES else DONE


def prove(given: argparse.Namespace) -> int:
    register = register_of(given)
    endpoint = endpoint_of(register, given)
    at = f"/applications/{given.reference}/endpoints/{endpoint['id']}/proof"
    if given.send_to or given.code:
        step, body = ("letter", {"contact": given.send_to}) if given.send_to else ("code", {"code": given.code})
        said = register.post(f"{at}/contact/{step}", body)
        say(given, said, _challenge(said))
        return DONE if said["status"] == "valid" else YOUR_TURN
    if not given.method:
        said = register.get(at)
        lines = [f"{said['address']}: {'proved' if said['proved'] else 'not proved'} {said['text']}".strip()]
        lines += [
            f"  {each['method']:<12}{'fits  ' if each['fits'] else '      '}{each['title']}" for each in said["methods"]
        ]
        say(given, said, lines)
        return DONE if said["proved"] else YOUR_TURN
    body = _given(given.set)
    said = register.post(f"{at}/{given.method}", body)
    if given.look:
        said = _look(register, f"{at}/{given.method}", given.timeout)
    say(given, said, _challenge(said))
    return DONE if said["status"] == "valid" else YOUR_TURN


def _given(pairs: list[str]) -> Json:
    found: Json = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise Trouble(f"--set wants NAME=VALUE, not {pair!r}")
        found[name] = int(value) if name == "port" and value.isdecimal() else value
    return found


def _look(register: Register, at: str, timeout: float) -> Json:
    said: Json = register.post(f"{at}/try")
    end = time.monotonic() + timeout
    while said["looking"] and said["status"] == "pending" and time.monotonic() < end:
        register.sleep(1.0)
        said = register.get(at)
    return said


def _challenge(said: Json) -> list[str]:
    lines = [f"{said['method']}: {said['status']}"]
    lines += [f"  {name}: {value}" for name, value in said["instructions"].items()]
    lines += [f"  contact: {each['address']}  {each['title']}" for each in said["contacts"]]
    lines += [f"  {each['at']} {each['short']} {each['text']}" for each in said["tries"]]
    return lines + [f"  try: {each}" for each in said["advice"]]


def wait(given: argparse.Namespace) -> int:
    register, end = register_of(given), time.monotonic() + given.timeout
    while True:
        said = register.get(f"/applications/{given.reference}")
        if said["stage"] in GRANTED | OVER_STAGES | TURN:
            return _stand(given, said)
        if time.monotonic() >= end:
            _stand(given, said)
            return IN_VAIN
        register.sleep(min(EVERY, max(0.1, end - time.monotonic())))


def renew(given: argparse.Namespace) -> int:
    register = register_of(given)
    said = register.post(f"/registrations/{given.reference}/renew")
    if given.send and said["status"] == "draft":
        said = filing.send(register, said["reference"])
    return _stand(given, said)


def certificate(given: argparse.Namespace) -> int:
    path = given.to or Path(f"{given.reference}.pdf")
    content = register_of(given).get(f"/registrations/{given.reference}/certificate")
    try:
        path.write_bytes(content)
    except OSError as error:
        raise Trouble(f"{path} cannot be written ({error.strerror}).") from None
    say(given, {"file": str(path)}, [f"{path}, {len(content):,} bytes"])
    return DONE


def verify(given: argparse.Namespace) -> int:
    headers = {
        "webhook-id": given.id,
        "webhook-timestamp": given.timestamp,
        "webhook-signature": given.signature,
    }
    try:
        secret = given.secret_file.read_text().strip()
        body = sys.stdin.buffer.read()
        webhook.verify(secret=secret, headers=headers, body=body, now=dt.datetime.now(dt.UTC))
    except OSError as error:
        raise Trouble(f"{given.secret_file} cannot be read ({error.strerror}).") from None
    except ValueError as error:
        raise Trouble(f"Not genuine: {error}.") from None
    print("Genuine.")
    return DONE
