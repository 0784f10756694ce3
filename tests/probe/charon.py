"""strongSwan's daemon on the server's machine, with one certificate and whatever settings a test gives it."""

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from rahdari.probe import ikev2
from rahdari.probe.outcome import ProbeAnswer
from tests.needs import needs_file, needs_program
from tests.waiting import until

from .certificates import Identity, an_identity
from .networks import ALLOWED, SERVER, Line, a_line, asleep, running

INSTALL = (
    "apt-get install charon-systemd strongswan-swanctl libstrongswan-extra-plugins libcharon-extra-plugins "
    "libcharon-extauth-plugins"
)
PARTS = ("strongswan-eap-mschapv2", "strongswan-eap-identity", "strongswan-chapoly", "strongswan-kdf")
PLUGINS = (
    "random nonce openssl pem pkcs1 pkcs8 x509 pubkey hmac kdf chapoly eap-mschapv2 eap-identity "
    "kernel-netlink socket-default vici"
)


class Charon:
    def __init__(self, line: Line, identity: Identity, process: subprocess.Popen[bytes], folder: Path) -> None:
        self.line, self.identity, self.process, self.folder = line, identity, process, folder

    def swanctl(self, *words: str) -> str:
        settings = f"STRONGSWAN_CONF={self.folder}/strongswan.conf"
        return self.line.run_on_server("env", settings, "swanctl", *words, "--uri", f"unix://{self.folder}/vici")

    def log(self) -> str:
        return (self.folder / "charon.log").read_text()

    def probe(
        self, *, fingerprint: str = "", address: object = SERVER, port: int = 500, timeout: float = 30.0, name: str = ""
    ) -> ProbeAnswer:
        return self.line.at_prober(
            lambda: ikev2.match_certificate(
                address,  # type: ignore[arg-type]
                port=port,
                fingerprint=fingerprint or self.identity.fingerprint,
                server_name=name,
                timeout=timeout,
                allowed_ranges=ALLOWED,
            )
        )

    def asleep(self, seconds: float | None = None) -> contextlib.AbstractContextManager[None]:
        return asleep(self.process, seconds)


@contextlib.contextmanager
def a_charon(
    folder: Path,
    *,
    local: str = "auth = pubkey",
    remote: str = "auth = eap-mschapv2\n eap_id = %any",
    connection: str = "",
    daemon: str = "",
    kind: str = "ec",
) -> Iterator[Charon]:
    program = needs_program("charon-systemd", INSTALL)
    needs_program("swanctl", INSTALL)
    for part in PARTS:
        needs_file(f"/usr/lib/ipsec/plugins/lib{part}.so", INSTALL)
    identity = an_identity(folder, "server.sample.example", kind=kind)
    (folder / "private").mkdir()
    shutil.copy(identity.key, folder / "private" / "server.key")
    certificates = f"certs = {identity.certificate}" if "pubkey" in local else ""
    settings = folder / "swanctl.conf"
    settings.write_text(
        f"""connections {{
  sample {{
    version = 2
    {connection}
    local {{
      {local}
      {certificates}
      id = server.sample.example
    }}
    remote {{
      {remote}
    }}
    children {{
      all {{
        local_ts = 0.0.0.0/0
      }}
    }}
  }}
}}
secrets {{
  ike-sample {{
    secret = sample
  }}
}}
"""
    )
    socket, own = folder / "vici", folder / "strongswan.conf"
    own.write_text(
        f"""charon-systemd {{
  load = {PLUGINS}
  {daemon}
  plugins {{
    vici {{
      socket = unix://{socket}
    }}
  }}
  filelog {{
    log {{
      path = {folder}/charon.log
      ike = 2
      cfg = 2
      flush_line = yes
    }}
  }}
}}
swanctl {{
  load = pem pkcs1 pkcs8 x509 openssl
}}
"""
    )
    with_settings = ["env", f"STRONGSWAN_CONF={own}"]
    with (
        a_line() as line,
        running(line.on_server(*with_settings, program), folder / "out") as process,
    ):
        until(socket.exists)
        charon = Charon(line, identity, process, folder)
        charon.swanctl("--load-all", "--file", str(settings))
        yield charon
