"""What strangers send and we parse: docs/bounds.md lists each parser with its bounds. They are found in the source, and
for each a file is made that would take gigabytes or hours without them.

Memory and processor time are limits of the process that reads: nothing is measured.
"""

import ast
import base64
import io
import ipaddress
import os
import re
import resource
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from rahdari import preflight
from rahdari.apply import rows, screening
from rahdari.attest import rules as attest
from rahdari.checks import roster_rows
from rahdari.confirm import rules as confirm
from rahdari.consult import document
from rahdari.dyndns import rules as dyndns
from rahdari.fees import statements
from rahdari.letters import bounces
from rahdari.maintenance import maintnote
from rahdari.portal.public import consultation_effort
from rahdari.probe import openvpn_keys, registry
from rahdari.programs import answers, cursors
from rahdari.sms.providers import http
from tests.apply.test_screening import MB, TYPES

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "rahdari"
# What takes text or bytes apart. Whoever calls one of these reads a format.
CALLS = {
    "json.loads", "json.load", "csv.reader", "csv.DictReader", "tomllib.loads", "tomllib.load", "Calendar.from_ical",
    "ElementTree.XMLParser", "ElementTree.fromstring", "ElementTree.parse", "etree.fromstring", "etree.parse",
    "email.message_from_bytes", "email.message_from_string", "zipfile.ZipFile", "tarfile.open", "gzip.decompress",
    "zlib.decompress", "zlib.decompressobj", "Image.open", "pikepdf.open", "puremagic.from_string", "base64.b64decode",
    "base64.urlsafe_b64decode", "pickle.loads", "yaml.safe_load", "plistlib.loads",
}  # fmt: skip
# By room or module: what these read is our own, or is read where it was made.
OURS = {
    "agent": "the feed, which is signed: docs/attacks.md",
    "client": "the same",
    "feed": "the same, in whatever is below the agent",
    "lookup": "the same",
    "push": "our own files",
    "difference": "a university reads its own",
    "vantage": "a vantage and its register, which know each other's keys: docs/vantage.md",
    "ops": "commands of whoever runs the machine",
    "archive.sealing": "what was sealed here",
    "address.directory": "a file that whoever runs the machine puts there",
    "address.rpki": "the same",
    "policy": "the policy file of whoever runs it",
    "sms.providers.configuration": "a file of whoever runs the machine",
    "probe.wireguard": "keys of 44 letters",
    "figures": "our own definitions; a statistician reads the published ones",
    "checks.commands": "commands of whoever runs the machine",
    "apply.bulk": "what `apply.rows` read",
    "apply.entered": "our own rows",
    "apply.unsaved_input": "sealed here",
    "attest.lists": "a file that `attest.rules` took, kept in our rows",
    "attest.revoking": "the same",
    "confirm.bulk": "the same of `confirm.rules`",
    "control": "our own rows",
    "db": "our own rows",
    "decide": "our own rows",
    "incident.bag": "writes",
    "people.adapter": "sealed here",
    "programs.idempotency": "our own rows",
    "publish": "our own files, and drafts of whoever holds the keys",
    "watch.board": "our own rows",
    "preflight.carried": "made anew value by value",
}


def dotted(node: ast.expr) -> str:
    return f"{dotted(node.value)}.{node.attr}" if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def found() -> set[str]:
    """The modules that call something of CALLS."""
    names = set()
    for path in SOURCE.rglob("*.py"):
        text = path.read_text()
        if not any(f"{each.rpartition('.')[2]}(" in text for each in CALLS):
            continue
        tree = ast.parse(text)
        called = {dotted(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
        if any(".".join(each.split(".")[-2:]) in CALLS for each in called):
            names.add(".".join(path.relative_to(SOURCE).with_suffix("").parts))
    return names


def listed() -> set[str]:
    """The modules in the table of docs/bounds.md."""
    text = (ROOT / "docs" / "bounds.md").read_text()
    return {
        each
        for row in re.findall(r"^\| .*\|$", text, re.MULTILINE)
        for each in re.findall(r"`([a-z_]+\.[a-z_.]+)`", row)
    }


def is_ours(module: str) -> bool:
    parts = module.split(".")
    return any(".".join(parts[:length]) in OURS for length in range(1, len(parts) + 1))


DEEP = 200_000
HOSTILE: dict[str, Callable[[], object]] = {
    "preflight.reading": lambda: [
        screening_of(text)
        for text in (
            b"define s0 = { 192.0.2.1 }\n"
            + b"".join(b"define s%d = { $s%d, $s%d }\n" % (at, at - 1, at - 1) for at in range(1, 40))
            + b"table ip t { chain c { ip daddr $s39 drop\n} }\n",
            b"set " + b"a " * 50_000 + b"[ " + b"b " * 50_000 + b"]",
            b"a { " * 30_000 + b"b c; " * 30_000,
            b"ip access-list extended X\n"
            + b"".join(b" deny ip any 10.%d.%d.0 0.0.31.254\n" % (at // 256, at % 256) for at in range(5_000)),
        )
    ],
    "preflight.syntaxes.table": lambda: screening_of(b"prefix,action\n" + b'"' * 3_000_000, preflight.Syntax.CSV),
    "apply.screening": lambda: refused(
        lambda: screening.screen(b"\x89PNG\r\n\x1a\n" + b"\0" * 1_000, name="a.png", most_bytes=MB, types=TYPES)
    ),
    "apply.portable_documents": lambda: refused(
        lambda: screening.screen(
            b"%PDF-1.4\n" + b"1 0 obj\n<<" * 100_000, name="a.pdf", most_bytes=10 * MB, types=TYPES
        )
    ),
    "apply.rows": lambda: rows.read(b"address,service\n" + b'"' * (rows.MOST_BYTES - 20), most_rows=1_000),
    "checks.roster_rows": lambda: list(pieces_of(b"a," * 20_000_000)),
    "consult.document": lambda: refused(lambda: document.read("a = " + "[" * DEEP)),
    "dyndns.rules": lambda: dyndns.read_authorization("Basic " + "A" * 8_000_000),
    "fees.statements": lambda: [
        refused(lambda text=text: statements.read(text))  # type: ignore[misc]
        for text in (
            b"<Document>" + b"<a>" * 1_000_000,
            b"<Document>" + b"<a/>" * statements.MOST_ELEMENTS + b"</Document>",
            b'<!DOCTYPE a [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><Document>&b;</Document>',
            b"date,amount\n" + b"1,1\n" * 300_000,
        )
    ],
    "letters.bounces": lambda: refused(
        lambda: bounces.read(
            b"".join(b'Content-Type: multipart/report; boundary="%d"\n\n--%d\n' % (at, at) for at in range(15_000))
        )
    ),
    "maintenance.maintnote": lambda: [
        maintnote.read(text[: maintnote.LARGEST])
        for text in (b"BEGIN:VCALENDAR\n" * DEEP, b"BEGIN:VCALENDAR\nBEGIN:VEVENT\n" + b"X-A;B=" + b";C=" * DEEP)
    ],
    "portal.public.consultation_effort": lambda: consultation_effort.is_done(base64.b64encode(b"[" * DEEP).decode()),
    "probe.openvpn_keys": lambda: refused(lambda: openvpn_keys.read_profile("<ca>" * 15_000)),
    "probe.registry": lambda: registry.read_answer(b"[" * DEEP, ipaddress.ip_network("192.0.2.0/24"), "x"),
    "programs.answers": lambda: refused(lambda: answers.read_json(b"[" * DEEP)),
    "programs.cursors": lambda: refused(lambda: cursors.read("A" * 8_000_000)),
    "sms.providers.http": lambda: refused(lambda: http.found({"a": {}}, "a." * DEEP)),
    "tables.csv_tables": lambda: [
        confirm.read_file(b"check,answer\n" + b'"' * 5_000_000),
        attest.read_file(b"name\n" + b"a\n" * 2_000_000, most_rows=1_000),
    ],
}


def screening_of(text: bytes, syntax: preflight.Syntax | None = None) -> None:
    with suppress(preflight.PlanError):
        change = preflight.read(text, syntax)
        preflight.as_data(change)


def pieces_of(content: bytes) -> object:
    return roster_rows.pieces(io.BytesIO(content), line=2)


def refused(do: Callable[[], object]) -> None:
    """Whatever it says: but no error of Python's."""
    try:
        do()
    except (RecursionError, MemoryError):
        raise
    except Exception:
        pass


def bounded(do: Callable[[], object], *, memory: int = 800 * 2**20, seconds: int = 60) -> str:
    """What went wrong in a process that may take so much more memory, and so much time of the processor."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        said = b"failed"
        try:
            held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (held + memory,) * 2)
            resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
            do()
            said = b""
        except BaseException as error:
            said = repr(error)[:500].encode()
        finally:
            os.write(writing, said)
            os._exit(0 if not said else 1)
    os.close(writing)
    with os.fdopen(reading, "rb") as told:
        said = told.read().decode()
    _, status = os.waitpid(child, 0)
    return said or ("" if status == 0 else f"ended with {status}")


class TestParsers:
    def test_each_that_reads_what_others_send_is_in_the_table(self) -> None:
        assert {each for each in found() if not is_ours(each)} <= listed()

    def test_nothing_is_called_our_own_that_is_gone(self) -> None:
        assert {each for each in OURS if not (SOURCE / Path(*each.split("."))).is_dir()} <= {
            each for each in OURS if (SOURCE / Path(*each.split("."))).with_suffix(".py").is_file()
        }

    def test_each_in_the_table_is_there_and_has_a_hostile_file(self) -> None:
        assert listed() == set(HOSTILE)
        assert all((SOURCE / Path(*each.split("."))).with_suffix(".py").is_file() for each in HOSTILE)

    @pytest.mark.parametrize("parser", sorted(HOSTILE))
    def test_a_hostile_file_takes_no_more_than_it_may(self, parser: str) -> None:
        assert bounded(HOSTILE[parser]) == ""
