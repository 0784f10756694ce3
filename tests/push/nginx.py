"""A real nginx with a configuration of `deploy/nginx`, on loopback ports, with a certificate made for it."""

import datetime as dt
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.needs import needs_program
from tests.ports import free_port
from tests.push.process import PATIENCE
from tests.waiting import until

DEPLOY = Path(__file__).parents[2] / "deploy" / "nginx"


@dataclass(frozen=True)
class Identity:
    """A certificate that signs itself, and its key."""

    certificate: Path
    key: Path
    der: bytes


def identity(folder: Path, name: str) -> Identity:
    folder.mkdir(parents=True, exist_ok=True)
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    found = Identity(folder / f"{name}.pem", folder / f"{name}.key", made.public_bytes(Encoding.DER))
    found.certificate.write_bytes(made.public_bytes(Encoding.PEM))
    found.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    found.key.chmod(0o600)
    return found


@dataclass(frozen=True)
class Nginx:
    port: int
    identity: Identity
    log: Path

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"


def configured(name: str, replaced: Mapping[str, str]) -> str:
    """The file as it is given to deployers, with these texts of it replaced, each of which must be there."""
    text = (DEPLOY / name).read_text()
    for old, new in replaced.items():
        assert old in text, f"{name} no longer has {old!r}"
        text = text.replace(old, new)
    return text


@contextmanager
def nginx(folder: Path, name: str, host: str, **replaced: str) -> Iterator[Nginx]:
    """Serve `name` of deploy/nginx for `host`. A replacement's key is a text of the file, spelled with `replaced`."""
    ours = identity(folder, host)
    port = free_port()
    texts = {
        "    listen [::]:443 ssl;\n": "",
        "listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;",
        f"/etc/ssl/{host}.pem": str(ours.certificate),
        f"/etc/ssl/private/{host}.key": str(ours.key),
        **replaced,
    }
    with running(folder, configured(name, texts)) as log:
        yield Nginx(port, ours, log)


@contextmanager
def running(folder: Path, servers: str) -> Iterator[Path]:
    program = needs_program("nginx", "apt-get install nginx-light")
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "nginx.log"
    paths = "".join(
        f"{kind}_temp_path {folder / kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;\n" if os.geteuid() == 0 else ""
    main = (
        f"{user}daemon off;\nmaster_process on;\nworker_processes 1;\npid {folder / 'pid'};\nerror_log {log} warn;\n"
        f"events {{ worker_connections 512; }}\nhttp {{\naccess_log off;\n{paths}{servers}\n}}\n"
    )
    file = folder / "nginx.conf"
    file.write_text(main)
    with log.open("ab") as output:
        process = subprocess.Popen([program, "-e", str(log), "-c", str(file), "-p", str(folder)], stderr=output)
    try:
        until(lambda: process.poll() is None and (folder / "pid").exists(), log)
        yield log
    finally:
        process.terminate()
        process.wait(PATIENCE)
