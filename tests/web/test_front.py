"""Whether the addresses of a register answer by their names, and what a monitoring system is told of it."""

import datetime as dt
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from django.test import Client

from rahdari.web import front
from rahdari.web.front import Fault, Looked
from tests.ports import free_port

NOW = dt.datetime(2026, 11, 25, 9, tzinfo=dt.UTC)
# Python asks its own clock whether a certificate is over: one is for ever, and one was over long ago.
FOREVER, OVER = dt.datetime(2120, 1, 1, tzinfo=dt.UTC), dt.datetime(2021, 1, 1, tzinfo=dt.UTC)


def a_certificate(folder: Path, *, ends: dt.datetime) -> Path:
    """Of 127.0.0.1, with its key in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "register.example")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
        .not_valid_after(ends)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{ends.year}.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(private + made.public_bytes(Encoding.PEM))
    return path


@contextmanager
def answering(status: int, body: bytes, *, certificate: Path | None = None) -> Iterator[str]:
    """The address of a server that answers so to everything."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
            # A handshake that fails is the other side's to tell.
            server.handle_error = lambda *_: None  # type: ignore[method-assign]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"{'https' if certificate else 'http'}://localhost:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


class TestLook:
    @pytest.mark.parametrize(
        ("of", "status", "body"),
        [
            ("pages", 200, b"ready\n"),
            ("pages", 503, b"the database does not answer\n"),
            ("feed", 503, b"2 folders of the feed cannot be read\n"),
            ("lookups", 200, b'{"rdapConformance": ["rdap_level_0"]}'),
        ],
    )
    def test_that_meets_ours_finds_no_fault(self, of: str, status: int, body: bytes) -> None:
        """Whether ours is well is told elsewhere."""
        with answering(status, body) as url:
            assert front.look(of, url, patience=120) == Looked(of, url)

    @pytest.mark.parametrize(("status", "body"), [(502, b"<h1>502 Bad Gateway</h1>"), (200, b"Welcome to nginx!")])
    def test_that_meets_another_tells_what_it_said(self, status: int, body: bytes) -> None:
        with answering(status, body) as url:
            looked = front.look("pages", url, patience=120)
        assert looked.fault is Fault.ANSWER and looked.why.startswith(str(status))

    def test_that_meets_nobody_says_why(self) -> None:
        looked = front.look("feed", f"https://localhost:{free_port()}", patience=120)
        assert looked.fault is Fault.CONNECTION and "refused" in looked.why

    def test_for_a_name_that_nobody_knows_says_so(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def unknown(*arguments: Any, **options: Any) -> None:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

        monkeypatch.setattr(socket, "getaddrinfo", unknown)
        looked = front.look("pages", "https://register.example")
        assert (looked.fault, looked.why) == (Fault.NAME, "Name or service not known")

    def test_reads_until_when_the_certificate_lasts(self, tmp_path: Path) -> None:
        certificate = a_certificate(tmp_path, ends=FOREVER)
        with answering(200, b"ready\n", certificate=certificate) as url:
            trusting = ssl.create_default_context(cafile=str(certificate))
            assert front.look("pages", url, patience=120, context=trusting) == Looked("pages", url, ends=FOREVER)
            stranger = front.look("pages", url, patience=120)
        assert stranger.fault is Fault.CERTIFICATE and "self-signed" in stranger.why

    def test_says_that_the_certificate_is_over(self, tmp_path: Path) -> None:
        certificate = a_certificate(tmp_path, ends=OVER)
        with answering(200, b"ready\n", certificate=certificate) as url:
            trusting = ssl.create_default_context(cafile=str(certificate))
            looked = front.look("pages", url, patience=120, context=trusting)
        assert (looked.fault, looked.why) == (Fault.CERTIFICATE, "certificate has expired")


class TestMetricsPage:
    def test_tells_of_each_address_that_is_set(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with answering(200, b"ready\n") as url:
            monkeypatch.setenv("RAHDARI_URL", url)
            monkeypatch.setenv("RAHDARI_FEED_URL", f"http://localhost:{free_port()}")
            monkeypatch.delenv("RAHDARI_LOOKUP_URL", raising=False)
            monkeypatch.setattr(front, "PATIENCE_WITH_ALL", 120)
            page = Client().get("/metrics/front").content.decode()
        assert 'rahdari_front_answers{of="pages"} 1.0' in page
        assert 'rahdari_front_answers{of="feed"} 0.0' in page
        assert 'of="lookups"' not in page

    def test_is_for_this_machine(self) -> None:
        away = Client(REMOTE_ADDR="192.0.2.7", raise_request_exception=False)
        assert away.get("/metrics/front").status_code == 404

    def test_counts_the_seconds_of_a_certificate(self) -> None:
        looked = [Looked("pages", "", ends=NOW + dt.timedelta(days=2)), Looked("feed", "", Fault.NAME)]
        (_, _, answers), (name, _, ends) = front.families(looked, NOW)
        assert name == "front_certificate_expires_seconds"
        assert list(answers) == [({"of": "pages"}, True), ({"of": "feed"}, False)]
        assert list(ends) == [({"of": "pages"}, 2 * 86400)]
