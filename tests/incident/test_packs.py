"""The pack of evidence, checked by programs that are not ours: `sha256sum` and `openssl`."""

import datetime as dt
import hashlib
import io
import json
import re
import subprocess
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from rahdari.feed import AppliedTarget, Receipt
from rahdari.feed.entry import time_text
from rahdari.incident import actions, clocks, packs, queries, stamping
from rahdari.incident.bag import bag
from rahdari.incident.models import Incident, Pack
from rahdari.publish.models import Operator
from rahdari.publish.models import Receipt as Kept
from rahdari.publish.receipts import record_receipt
from rahdari.register.models import Registration
from tests.builders.incidents import a_report
from tests.builders.publishing import an_operator
from tests.needs import needs_program
from tests.publish.receipts import signed

from .test_incidents import HOLDER, MINUTE, NOW, held

pytestmark = pytest.mark.django_db
ADDRESSES = ("203.0.113.41", "51820", "198.51.100.9")


def run(*words: str, cwd: Path, text: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(words, cwd=cwd, input=text, capture_output=True, check=False)


class Authority:
    """An authority for time of this test, as `openssl ts` runs one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.answers = True
        subject = ("-subj", "/CN=Sample time")
        new = (
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
        )
        made = [
            run(*new, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Sample root", cwd=folder),
            run(
                *(*new, "-keyout", "ts.key", "-out", "ts.pem", *subject, "-CA", "ca.pem", "-CAkey", "ca.key"),
                *("-addext", "extendedKeyUsage=critical,timeStamping", "-addext", "basicConstraints=critical,CA:FALSE"),
                cwd=folder,
            ),
        ]
        assert all(each.returncode == 0 for each in made), made[-1].stderr.decode()
        (folder / "serial").write_text("01")
        (folder / "ts.cnf").write_text(
            "[tsa]\ndefault_tsa=t\n[t]\nserial=serial\nsigner_cert=ts.pem\nsigner_key=ts.key\n"
            "signer_digest=sha256\ndefault_policy=1.2.3.4.1\ndigests=sha256,sha512\nordering=yes\ness_cert_id_chain=no\n"
        )

    def answer(self, asked: bytes) -> bytes:
        (self.folder / "asked.tsq").write_bytes(asked)
        done = run(
            *("openssl", "ts", "-reply", "-config", "ts.cnf", "-section", "t", "-queryfile", "asked.tsq"),
            *("-out", "answer.tsr"),
            cwd=self.folder,
        )
        assert done.returncode == 0, done.stderr.decode()
        return (self.folder / "answer.tsr").read_bytes() if self.answers else b"no answer"


@pytest.fixture
def authority(tmp_path: Path, settings: Any) -> Iterator[Authority]:
    needs_program("openssl", "apt-get install openssl")
    folder = tmp_path / "authority"
    folder.mkdir()
    made = Authority(folder)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = made.answer(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *arguments: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings.TIME_AUTHORITY = f"http://127.0.0.1:{server.server_port}/"
    settings.TIME_AUTHORITY_CA = str(folder / "ca.pem")
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()


def closed() -> tuple[Incident, Registration]:
    """Reported by two holders for one cause, and closed by what they say."""
    applied(an_operator())
    mine = held("203.0.113.41/32")
    report = a_report(mine, NOW, words="It is my office.")
    actions.say_it_works(report=report, actor=HOLDER, now=NOW + MINUTE)
    clocks.follow(now=NOW + 2 * MINUTE)
    return queries.incidents().get(pk=report.incident_id), mine


def applied(operator: Operator) -> None:
    """What its agent says of an edition, once as it is kept, and once as it was before signatures were kept."""
    said = Receipt("5e" * 16, 7, "d1" * 32, time_text(NOW), (AppliedTarget("North gateway", "nft", 9, True),))
    record_receipt(operator=operator, receipt=signed(operator, said), now=NOW)
    before = Kept.objects.get()
    before.pk, before.signature, before.body_sha256 = None, "", "0" * 64
    before.save()


def unpacked(pack: Pack, part: str, folder: Path) -> Path:
    with zipfile.ZipFile(io.BytesIO(packs.content_of(pack, part))) as archive:
        archive.extractall(folder / part)
    (only,) = (folder / part).iterdir()
    return only


def is_whole(place: Path) -> None:
    """A bag as RFC 8493 has it: declared, each file of the payload in the manifest and no other, as many as it says."""
    assert (place / "bagit.txt").read_text() == "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
    there = sorted(each.relative_to(place).as_posix() for each in (place / "data").rglob("*") if each.is_file())
    listed = [line.split("  ", 1)[1] for line in (place / "manifest-sha256.txt").read_text().splitlines()]
    assert listed == there
    size = sum((place / each).stat().st_size for each in there)
    assert f"Payload-Oxum: {size}.{len(there)}\n" in (place / "bag-info.txt").read_text()
    done = run("sha256sum", "-c", "tagmanifest-sha256.txt", "manifest-sha256.txt", cwd=place)
    assert done.returncode == 0, done.stdout.decode()


def alter(file: Path, before: bytes, after: bytes) -> None:
    file.write_bytes(file.read_bytes().replace(before, after, 1))


def commands(readme: Path) -> list[list[str]]:
    """What the README tells its reader to type, line by line."""
    return [
        line.split() for line in readme.read_text().splitlines() if line.startswith("    ") and "data/" not in line[:9]
    ]


class TestThePack:
    def test_verifies_with_the_two_programs_that_its_readme_names_and_altered_it_does_not(
        self, authority: Authority, tmp_path: Path
    ) -> None:
        incident, mine = closed()
        assert packs.make_due(now=NOW + 3 * MINUTE) == 1
        pack = queries.pack_of(incident, mine)
        assert pack is not None and pack.stamped_at is not None
        place = unpacked(pack, "evidence", tmp_path)
        is_whole(place)
        for code in ("en", "ur"):
            hashes, signature, time, _reply, receipt, _address = commands(place / f"README.{code}.txt")
            done = run(*hashes, cwd=place)
            assert done.returncode == 0 and b"FAILED" not in done.stdout, done
            done = run(*time, cwd=place)
            assert b"Verification: OK" in done.stdout, done.stderr.decode()
            for said in (signature, receipt):
                done = run(*said, cwd=place)
                assert b"Signature Verified Successfully" in done.stdout, done.stderr.decode()
        # The key is the register's by its own page, and the receipt is what the agent said.
        assert Client().get(reverse("portal:evidence_key")).content == (place / "register-key.pem").read_bytes()
        told = json.loads((place / "data/receipts.json").read_text())
        assert [each["signed"] for each in told] == ["data/receipts/001", None]
        assert json.loads((place / "data/receipts/001").read_bytes().partition(b"\n")[2])["sequence"] == 7
        alter(place / "data/receipts/001", b"North", b"South")
        assert run(*receipt, cwd=place).returncode != 0
        alter(place / "data/receipts/001", b"South", b"North")
        # Whatever is altered, each of the others says so.
        for name in ("data/timeline.json", "manifest-sha256.txt", "README.en.txt"):
            file = place / name
            before = file.read_bytes()
            file.write_bytes(before.replace(b"e", b"a", 1))
            assert run(*hashes, cwd=place).returncode != 0, name
            file.write_bytes(before)
        alter(place / "tagmanifest-sha256.txt", b"0", b"1")
        assert b"Verification: OK" not in run(*time, cwd=place).stdout
        assert run(*signature, cwd=place).returncode != 0

    def test_holds_no_address_and_no_name_and_the_address_lies_in_a_part_bound_to_it(
        self, authority: Authority, tmp_path: Path
    ) -> None:
        incident, mine = closed()
        packs.make_due(now=NOW + 3 * MINUTE)
        pack = queries.pack_of(incident, mine)
        assert pack is not None
        place = unpacked(pack, "evidence", tmp_path)
        told = "".join(each.read_text() for each in place.rglob("*") if each.suffix in {".txt", ".json"})
        for secret in (*ADDRESSES, mine.reference, str(mine.holder), "Freelancer"):
            # Whole: five digits in a row stand in a digest by chance.
            assert re.search(rf"\b{re.escape(secret)}\b", told) is None, secret
        assert "It is my office." in told, "the holder's own words are theirs"
        bound = json.loads((place / "data/address-part.json").read_text())
        assert bound["sha256"] == hashlib.sha256(packs.content_of(pack, "address")).hexdigest()
        apart = unpacked(pack, "address", tmp_path)
        is_whole(apart)
        (one,) = json.loads((apart / "data/connections.json").read_text())["connections"]
        assert (one["address"], one["runs"]) == ("203.0.113.41", "udp 51820")

    @pytest.mark.parametrize("how", ["none named", "lies", "not public"])
    def test_says_that_it_has_no_foreign_time_where_none_can_be_had(
        self, how: str, authority: Authority, settings: Any, tmp_path: Path
    ) -> None:
        if how == "none named":
            settings.TIME_AUTHORITY = ""
        elif how == "lies":
            authority.answers = False
        else:
            settings.CALLBACK_RANGES = []
            assert stamping.stamp(b"x") is None, "a server beside ours is asked nothing"
        incident, mine = closed()
        packs.make_due(now=NOW + 3 * MINUTE)
        pack = queries.pack_of(incident, mine)
        assert pack is not None and pack.stamped_at is None
        place = unpacked(pack, "evidence", tmp_path)
        assert "No foreign time" in (place / "README.en.txt").read_text() and not list(place.glob("*.tsr"))
        is_whole(place)
        _hashes, signature, receipt, _address = commands(place / "README.en.txt")
        assert [run(*each, cwd=place).returncode for each in (signature, receipt)] == [0, 0]


def test_a_bag_takes_no_name_that_leads_elsewhere() -> None:
    for name in ("facts.json", "data/../x", "data/a b", "data\\x"):
        with pytest.raises(ValueError, match="no name"):
            bag({name: b""}, tags={}, info={})


def test_is_asked_for_once_until_it_is_made(authority: Any) -> None:
    incident, mine = closed()
    first = packs.ask(incident=incident, registration=mine, now=NOW + dt.timedelta(hours=1))
    assert packs.ask(incident=incident, registration=mine, now=NOW + dt.timedelta(hours=2)) == first
    assert packs.make_due(now=NOW + dt.timedelta(hours=3)) == 1 and packs.make_due(now=NOW + dt.timedelta(hours=3)) == 0
    assert packs.ask(incident=incident, registration=mine, now=NOW + dt.timedelta(hours=4)) != first
