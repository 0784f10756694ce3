"""Servers and proxies that do as they are told: over TLS or not, by script, and the programs that operators have."""

import datetime as dt
import http.server
import ipaddress
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.ports import free_port
from tests.waiting import until


@dataclass
class Asked:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes = b""
    # SHA-256 of the client's certificate, if it showed one.
    certificate: str = ""


@dataclass
class Reply:
    status: int = 200
    body: bytes | Iterator[bytes] = b""
    headers: dict[str, str] = field(default_factory=dict)


type Script = Callable[[Asked], Reply]


@contextmanager
def answering(script: Script, *, tls: ssl.SSLContext | None = None) -> Iterator[tuple[str, list[Asked]]]:
    """A server of loopback; its address, and what it was asked."""
    asked: list[Asked] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 64 * 1024

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            shown = self.connection.getpeercert(True) if isinstance(self.connection, ssl.SSLSocket) else None
            # Through a proxy, plain http is asked for by its whole address.
            path = self.path.removeprefix(f"http://{self.headers.get('Host', '')}")
            one = Asked(self.command, path, dict(self.headers), body, x509_sha256(shown) if shown else "")
            asked.append(one)
            reply = script(one)
            self.send_response_only(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            if isinstance(reply.body, bytes):
                if reply.status not in {204, 304}:
                    self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                self.wfile.write(reply.body)
                return
            self.send_header("Connection", "close")
            self.end_headers()
            self.close_connection = True
            try:
                self.wfile.flush()
                for piece in reply.body:
                    self.wfile.write(piece)
                    self.wfile.flush()
            except OSError:
                pass  # The asker has had enough.

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None: ...

    class Quiet(http.server.ThreadingHTTPServer):
        daemon_threads = True

        def get_request(self) -> tuple[socket.socket, object]:
            connection, address = super().get_request()
            if tls is not None:
                connection.settimeout(60)
                connection = tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
            return connection, address

        def handle_error(self, *_: object) -> None: ...

    server = Quiet(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01), daemon=True)
    thread.start()
    try:
        yield f"http{'s' if tls else ''}://127.0.0.1:{server.server_address[1]}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def x509_sha256(der: bytes) -> str:
    return x509.load_der_x509_certificate(der).fingerprint(hashes.SHA256()).hex()


@dataclass
class Issued:
    """A certificate and its key, as PEM files."""

    certificate: Path
    key: Path

    @property
    def sha256(self) -> str:
        return x509.load_pem_x509_certificate(self.certificate.read_bytes()).fingerprint(hashes.SHA256()).hex()


class Authority:
    """A private authority that issues certificates for 127.0.0.1 and for clients."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Sample Authority")])
        constraints = x509.BasicConstraints(ca=True, path_length=0)
        built = self._builder("Sample Authority", self.key, days=30).add_extension(constraints, critical=True)
        signs = dict.fromkeys(
            "digital_signature content_commitment key_encipherment data_encipherment key_agreement encipher_only "
            "decipher_only crl_sign".split(),
            False,
        )
        built = built.add_extension(x509.KeyUsage(**signs, key_cert_sign=True), critical=True)
        own = x509.SubjectKeyIdentifier.from_public_key(self.key.public_key())
        built = built.add_extension(own, critical=False)
        self.certificate = built.sign(self.key, hashes.SHA256())
        self.ca_file = folder / "ca.pem"
        self.ca_file.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))

    def _builder(self, name: str, key: ec.EllipticCurvePrivateKey, *, days: float) -> x509.CertificateBuilder:
        now = dt.datetime.now(dt.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=days))
        )

    def issue(self, name: str, *, client: bool = False, days: float = 10) -> Issued:
        key = ec.generate_private_key(ec.SECP256R1())
        usage = ExtendedKeyUsageOID.CLIENT_AUTH if client else ExtendedKeyUsageOID.SERVER_AUTH
        built = self._builder(name, key, days=days).add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        built = built.add_extension(issuer, critical=False)
        if not client:
            here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
            built = built.add_extension(here, critical=False)
        certificate = built.sign(self.key, hashes.SHA256())
        issued = Issued(self.folder / f"{name}.pem", self.folder / f"{name}.key")
        issued.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        plain = serialization.NoEncryption()
        form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
        issued.key.write_bytes(key.private_bytes(*form))
        return issued

    def server_context(self, *, ask_for_certificate: bool = False) -> ssl.SSLContext:
        issued = self.issue("server")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(issued.certificate, issued.key)
        if ask_for_certificate:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.ca_file)
        return context


@contextmanager
def tinyproxy(program: str, folder: Path, *, password: str = "") -> Iterator[tuple[str, Path]]:
    """A real proxy. Its address, and its log, which names each connection it made."""
    port, log = free_port(), folder / "tinyproxy.log"
    lines = [
        f"Port {port}",
        "Listen 127.0.0.1",
        "Timeout 600",
        f'LogFile "{log}"',
        "LogLevel Connect",
        "MaxClients 50",
        "Allow 127.0.0.1",
        f'PidFile "{folder / "tinyproxy.pid"}"',
        *([f"BasicAuth operator {password}"] if password else []),
    ]
    configuration = folder / "tinyproxy.conf"
    configuration.write_text("\n".join(lines) + "\n")
    log.touch()
    with running([program, "-d", "-c", str(configuration)], folder / "tinyproxy.out", port):
        yield f"http://127.0.0.1:{port}", log


@contextmanager
def running(command: list[str], log: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A program, once it listens."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        until(lambda: process.poll() is None and listens(port), log)
        yield process
    finally:
        process.terminate()
        process.wait(60)


def listens(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


@contextmanager
def buffering_proxy(server_port: int, *, keeps_back: Callable[[bytes], bool]) -> Iterator[str]:
    """A proxy of the kind that sends an answer on once it is whole, for requests that `keeps_back` says so of."""
    listening = socket.create_server(("127.0.0.1", 0))
    stopped = threading.Event()

    def carry(asker: socket.socket) -> None:
        with asker, socket.create_connection(("127.0.0.1", server_port)) as server:
            request = b""
            while b"\r\n\r\n" not in request:
                piece = asker.recv(65536)
                if not piece:
                    return
                request += piece
            head, _, body = request.partition(b"\r\n\r\n")
            lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection:")]
            server.sendall(b"\r\n".join([*lines, b"Connection: close", b"", b""]) + body)
            held = b""
            server.settimeout(0.05)
            while not stopped.is_set():
                try:
                    piece = server.recv(65536)
                except TimeoutError:
                    if gone(asker):
                        return
                    continue
                if not piece:
                    break
                if keeps_back(head):
                    held += piece
                else:
                    asker.sendall(piece)
            if held:
                asker.sendall(held)

    def accept() -> None:
        while True:
            try:
                asker, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=quietly, args=(asker,), daemon=True).start()

    def quietly(asker: socket.socket) -> None:
        # One side may go away at any time.
        with suppress(OSError):
            carry(asker)

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        stopped.set()
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(10)


def gone(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return connection.recv(1, socket.MSG_PEEK) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True
    finally:
        connection.setblocking(True)


def replace_files(new: Issued, old: Issued) -> None:
    """As a renewing program does: each file in one step, one after the other."""
    for source, target in ((new.certificate, old.certificate), (new.key, old.key)):
        beside = target.with_suffix(".new")
        shutil.copyfile(source, beside)
        beside.replace(target)
