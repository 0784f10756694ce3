"""A made-up server on loopback that shakes hands and does no more: what the demonstration measures."""

import datetime as dt
import hashlib
import socket
import ssl
import threading
from contextlib import suppress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

ADDRESS, PORT = "127.0.0.47", 8443
FILE = "sample-server.pem"
VALID = dt.timedelta(days=3650)


def fingerprint(data: Path) -> str:
    """That of its certificate, which is made once, with its key."""
    if not (file := data / FILE).exists():
        key, name, now = ec.generate_private_key(ec.SECP256R1()), x509.Name([]), dt.datetime.now(dt.UTC)
        made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + VALID)
        file.touch(mode=0o600)
        text = made.sign(key, SHA256()).public_bytes(Encoding.PEM)
        file.write_bytes(text + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    certificate = x509.load_pem_x509_certificate(file.read_bytes())
    return hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest()


def serve(data: Path) -> None:
    """For as long as the process runs. Where the port is another's, the endpoint is down."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(data / FILE)
    with suppress(OSError), socket.create_server((ADDRESS, PORT)) as listening:
        while True:
            connection, _ = listening.accept()
            with suppress(OSError), connection:
                connection.settimeout(5.0)
                context.wrap_socket(connection, server_side=True).close()


def start(data: Path) -> None:
    if (data / FILE).exists():
        threading.Thread(target=serve, args=(data,), daemon=True).start()
