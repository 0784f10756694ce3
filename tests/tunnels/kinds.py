"""Each kind of tunnel, with Debian's own daemons at both ends.

What a kernel cannot do is done in user space where a daemon offers that: ESP by strongSwan's libipsec, WireGuard by
wireguard-go. Where nothing offers it, the protocol's own packets pass instead: frames of PPP through a real PPTP tunnel
from a stand-in for `pppd`, packets of GRE from a raw socket, and for SSTP, of which Debian has no server, its request
over TLS. The firewall sees the same packets either way.
"""

import base64
import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from rahdari.probe import wireguard
from tests.agent.namespaces import Namespace, a_namespace
from tests.needs import needs_file, needs_program
from tests.probe.certificates import Identity, an_identity
from tests.probe.networks import takes_orders
from tests.waiting import until

from .ground import CLIENT, INNER_CLIENT, INNER_SERVER, SERVER, Ground

HERE = Path(__file__).parent
PACKETS = HERE / "packets.py"


@dataclass(frozen=True)
class Kind:
    """`runs` is what is registered. `start` begins both ends, whether or not they can meet, and returns a question:
    whether something passes now from the client to the server and back. `needs`: of several parts, those without any
    one of which nothing passes."""

    name: str
    runs: str
    start: Callable[[Ground, ExitStack], Callable[[], bool]]
    needs: tuple[tuple[str, int | None], ...] = ()
    is_hidden: bool = False


# IPsec


@cache
def _kernel_has_esp() -> bool:
    with a_namespace() as space:
        words = ["xfrm", "state", "add", "src", CLIENT, "dst", SERVER, "proto", "esp", "spi", "1", "mode", "tunnel"]
        words += ["enc", "cbc(aes)", f"0x{'0' * 32}", "auth", "hmac(sha256)", f"0x{'0' * 64}"]
        return subprocess.run([space.ip, "-n", space.name, *words], capture_output=True).returncode == 0


STRONGSWAN = (
    "apt-get install charon-systemd strongswan-swanctl libstrongswan-extra-plugins libcharon-extra-plugins "
    "libcharon-extauth-plugins"
)


def _charon(ground: Ground, stack: ExitStack, end: Namespace, selectors: str, mode: str) -> Path:
    is_client = end is ground.client
    own, other = (CLIENT, SERVER) if is_client else (SERVER, "%any")
    program = needs_program("charon-systemd", STRONGSWAN)
    needs_program("swanctl", STRONGSWAN)
    # In user space ESP comes out of a device; it knows no transport mode.
    esp = "kernel-netlink"
    if not _kernel_has_esp():
        needs_file("/usr/lib/ipsec/plugins/libstrongswan-kernel-libipsec.so", STRONGSWAN)
        esp, mode = "kernel-libipsec kernel-netlink", "tunnel"
    # The path of a socket has 107 bytes at most.
    folder = Path(stack.enter_context(TemporaryDirectory()))
    (folder / "swanctl.conf").write_text(
        f"""connections {{
  sample {{
    version = 2
    local_addrs = {own}
    remote_addrs = {other}
    local {{
      auth = psk
      id = {"client" if is_client else "server"}.sample.example
    }}
    remote {{
      auth = psk
      id = {"server" if is_client else "client"}.sample.example
    }}
    children {{
      all {{
        {selectors}
        mode = {mode}
        start_action = {"start" if is_client else "none"}
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
    (folder / "strongswan.conf").write_text(
        f"""charon-systemd {{
  load = random nonce openssl hmac kdf {esp} socket-default vici
  retransmit_tries = 4
  retransmit_timeout = 1.0
  retransmit_base = 1.0
  plugins {{
    vici {{
      socket = unix://{folder}/vici
    }}
    kernel-libipsec {{
      raw_esp = yes
      allow_peer_ts = yes
      fwmark = 0x42
    }}
    socket-default {{
      fwmark = 0x42
    }}
    kernel-netlink {{
      fwmark = !0x42
    }}
  }}
  filelog {{
    log {{
      path = {folder}/charon.log
      ike = 1
      flush_line = yes
    }}
  }}
}}
"""
    )
    settings = f"STRONGSWAN_CONF={folder}/strongswan.conf"
    stack.enter_context(end.running("env", settings, program, log=folder / "out"))
    until((folder / "vici").exists, folder / "out")
    loads = ["--load-all", "--file", str(folder / "swanctl.conf"), "--uri", f"unix://{folder}/vici"]
    end.run("env", settings, "swanctl", *loads)
    return folder


ONLY_WITHIN = """
table inet own {
    chain out {
        type filter hook output priority filter; policy accept;
        oifname "line" rt ipsec missing udp dport 1701 drop
    }
}
"""


def _inner(ground: Ground) -> None:
    for end, address in ((ground.client, INNER_CLIENT), (ground.server, INNER_SERVER)):
        end.run(end.ip, "address", "replace", f"{address}/32", "dev", "lo")


def start_ikev2(ground: Ground, stack: ExitStack) -> Callable[[], bool]:
    _inner(ground)
    ours, theirs = f"{INNER_CLIENT}/32", f"{INNER_SERVER}/32"
    _charon(ground, stack, ground.server, f"local_ts = {theirs}\nremote_ts = {ours}", "tunnel")
    _charon(ground, stack, ground.client, f"local_ts = {ours}\nremote_ts = {theirs}", "tunnel")
    return lambda: ground.pings(source=INNER_CLIENT)


def start_l2tp(ground: Ground, stack: ExitStack) -> Callable[[], bool]:
    """A call of L2TP, through IPsec between the two addresses themselves, and never beside it."""
    needs_program("xl2tpd", "apt-get install xl2tpd")
    folders = []
    for end in (ground.server, ground.client):
        folders.append(
            _charon(ground, stack, end, "local_ts = dynamic[udp/1701]\nremote_ts = dynamic[udp/1701]", "transport")
        )
        end.nft("-f", "-", given=ONLY_WITHIN)
    server = f"[lns default]\nip range = {INNER_CLIENT}\nlocal ip = {INNER_SERVER}\n"
    said = _xl2tpd(stack, ground.server, server)
    calling = False

    def carries() -> bool:
        nonlocal calling
        if not calling and "CHILD_SA all{1} established" in (folders[-1] / "charon.log").read_text():
            client = f"[lac sample]\nlns = {SERVER}\nautodial = yes\nredial = yes\nredial timeout = 1\n"
            _xl2tpd(stack, ground.client, client)
            calling = True
        return "Call established with" in said.read_text()

    return carries


def _xl2tpd(stack: ExitStack, end: Namespace, settings: str) -> Path:
    """Its log. It takes no long paths."""
    folder = Path(stack.enter_context(TemporaryDirectory()))
    (folder / "conf").write_text(f"[global]\nport = 1701\n{settings}")
    (folder / "secrets").touch()
    places = {"-c": "conf", "-s": "secrets", "-p": "pid", "-C": "control"}
    words = [word for option, name in places.items() for word in (option, str(folder / name))]
    stack.enter_context(end.running("xl2tpd", "-D", *words, log=folder / "log"))
    return folder / "log"


# Others


def start_wireguard(ground: Ground, stack: ExitStack) -> Callable[[], bool]:
    daemon = needs_program("wireguard-go", "apt-get install wireguard-go")
    needs_program("wg", "apt-get install wireguard-tools")
    keys = {"client": wireguard.new_key(), "server": wireguard.new_key()}
    for name, other, end, own, peer, listen in (
        ("server", "client", ground.server, INNER_SERVER, INNER_CLIENT, ["listen-port", "51820"]),
        ("client", "server", ground.client, INNER_CLIENT, INNER_SERVER, []),
    ):
        device, key = f"wg{name}{os.getpid() % 10**7}", ground.folder / f"{name}.key"
        key.write_text(keys[name][0])
        stack.enter_context(end.running(daemon, "-f", device, log=ground.folder / f"wg-{name}.log"))
        until(lambda device=device: takes_orders(device), ground.folder / f"wg-{name}.log")
        end.run("wg", "set", device, "private-key", str(key), *listen)
        where = ["endpoint", f"{SERVER}:51820"] if name == "client" else []
        end.run("wg", "set", device, "peer", keys[other][1], "allowed-ips", f"{peer}/32", *where)
        end.run(end.ip, "address", "add", f"{own}/32", "dev", device)
        end.run(end.ip, "link", "set", device, "up")
        end.run(end.ip, "route", "add", f"{peer}/32", "dev", device)
    return ground.pings


def _openvpn(protocol: str, port: int) -> Callable[[Ground, ExitStack], Callable[[], bool]]:
    def start(ground: Ground, stack: ExitStack) -> Callable[[], bool]:
        program = needs_program("openvpn", "apt-get install openvpn")
        identity = an_identity(ground.folder, "server.sample.example")
        shared = f"port {port}\ndev tun\ndisable-dco\nverb 4\ndata-ciphers AES-256-GCM\nca {identity.certificate}\n"
        shared += f"cert {identity.certificate}\nkey {identity.key}\n"
        texts = {
            "server": f"proto {protocol}{'-server' if protocol == 'tcp' else ''}\n{shared}dh none\ntls-server\n"
            f"ifconfig {INNER_SERVER} {INNER_CLIENT}\n",
            "client": f"proto {protocol}{'-client' if protocol == 'tcp' else ''}\n{shared}tls-client\nremote {SERVER}\n"
            f"nobind\nconnect-retry 1 1\nifconfig {INNER_CLIENT} {INNER_SERVER}\n",
        }
        for name, end in (("server", ground.server), ("client", ground.client)):
            settings = ground.folder / f"openvpn-{name}.conf"
            text = texts[name].replace(f"port {port}\n", "" if name == "client" else f"port {port}\n")
            settings.write_text(text.replace(f"remote {SERVER}\n", f"remote {SERVER} {port}\n"))
            stack.enter_context(end.running(program, "--config", str(settings), log=settings.with_suffix(".log")))
        return ground.pings

    return start


def start_anyconnect(ground: Ground, stack: ExitStack) -> Callable[[], bool]:
    server, client = (
        needs_program("ocserv", "apt-get install ocserv"),
        needs_program("openconnect", "apt-get install openconnect"),
    )
    needs_program("ocpasswd", "apt-get install ocserv")
    folder = Path(stack.enter_context(TemporaryDirectory()))
    identity = an_identity(folder, "vpn.sample.example", kind="rsa")
    subprocess.run(
        ["ocpasswd", "-c", str(folder / "passwd"), "sample"],
        input="sample\nsample\n",
        text=True,
        check=True,
        capture_output=True,
    )
    (folder / "ocserv.conf").write_text(
        f'auth = "plain[passwd={folder}/passwd]"\ntcp-port = 443\nudp-port = 443\nrun-as-user = root\n'
        f"run-as-group = root\nsocket-file = {folder}/socket\nserver-cert = {identity.certificate}\n"
        f"server-key = {identity.key}\nisolate-workers = false\nrate-limit-ms = 0\nmax-ban-score = 0\nmax-clients = 8\n"
        f"max-same-clients = 8\nkeepalive = 300\ndevice = vpns\nipv4-network = 192.0.2.64/28\n"
        "ipv4-netmask = 255.255.255.240\ncookie-timeout = 300\nrekey-time = 172800\n"
    )
    stack.enter_context(
        ground.server.running(server, "-f", "-c", str(folder / "ocserv.conf"), log=folder / "ocserv.log")
    )
    until(lambda: ":443" in ground.server.run("ss", "-ltn"), folder / "ocserv.log")
    script = folder / "script"
    script.write_text(
        '#!/bin/sh\n[ "$reason" = connect ] || exit 0\nip link set "$TUNDEV" up\n'
        f'ip address add "$INTERNAL_IP4_ADDRESS" peer {INNER_SERVER} dev "$TUNDEV"\n'
    )
    script.chmod(0o755)
    words = [
        client,
        f"https://{SERVER}",
        "--user",
        "sample",
        "--passwd-on-stdin",
        "--non-inter",
        "--script",
        str(script),
    ]
    words += ["--servercert", _pin(identity), "--reconnect-timeout", "1", "-v"]
    (folder / "password").write_text("sample\n")
    log = folder / "openconnect.log"
    stack.enter_context(ground.client.running("sh", "-c", f'exec "$@" < {folder}/password', "sh", *words, log=log))

    # Over TLS it works already; what carries the packets is DTLS, and that is half of the service.
    return lambda: "DTLS connection" in log.read_text() and ground.pings()


def _pin(identity: Identity) -> str:
    """As openconnect knows a server: by the public key."""
    key = x509.load_der_x509_certificate(identity.der).public_key()
    said = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return f"pin-sha256:{base64.b64encode(hashlib.sha256(said).digest()).decode()}"


def start_pptp(ground: Ground, stack: ExitStack) -> Callable[[], bool]:
    """Control by TCP, and GRE by the daemons themselves; only `pppd`, which needs the kernel, has a stand-in."""
    server, client = (
        needs_program("pptpd", "apt-get install pptpd"),
        needs_program("pptp", "apt-get install pptp-linux"),
    )
    folder = ground.folder
    answers = folder / "pppd"
    answers.write_text(f"#!/bin/sh\nexec {sys.executable} -I {PACKETS} answer-frames\n")
    answers.chmod(0o755)
    (folder / "options").touch()
    (folder / "pptpd.conf").write_text(
        f"ppp {answers}\noption {folder}/options\nlocalip {INNER_SERVER}\nremoteip {INNER_CLIENT}\nlisten {SERVER}\n"
    )
    holds = [sys.executable, "-I", str(PACKETS), "hold", server, "-f", "-c", str(folder / "pptpd.conf")]
    stack.enter_context(ground.server.running(*holds, "-p", str(folder / "pid"), log=folder / "pptpd.log"))
    until(lambda: ":1723" in ground.server.run("ss", "-ltn"), folder / "pptpd.log")
    came = folder / "frames"
    words = [sys.executable, "-I", str(PACKETS), "send-frames", str(came), client, SERVER, "--nolaunchpppd"]
    stack.enter_context(ground.client.running(*words, log=folder / "pptp.log"))
    return came.exists


def start_sstp(ground: Ground, stack: ExitStack) -> Callable[[], bool]:
    """Debian has no server of SSTP: its first request, over TLS, and the answer."""
    identity = an_identity(ground.folder, "vpn.sample.example")
    log = ground.folder / "sstp.log"
    words = [sys.executable, "-I", str(PACKETS)]
    stack.enter_context(
        ground.server.running(*words, "answer-sstp", SERVER, str(identity.certificate), str(identity.key), log=log)
    )
    until(lambda: ":443" in ground.server.run("ss", "-ltn"), log)
    return lambda: _says_yes(ground, "ask-sstp", SERVER, str(identity.certificate))


def start_gre(ground: Ground, stack: ExitStack) -> Callable[[], bool]:
    log = ground.folder / "gre.log"
    stack.enter_context(ground.server.running(sys.executable, "-I", str(PACKETS), "answer-gre", SERVER, log=log))
    until(lambda: "ready" in log.read_text(), log)
    return lambda: _says_yes(ground, "ask-gre", SERVER)


def _says_yes(ground: Ground, *words: str) -> bool:
    command = [ground.client.ip, "netns", "exec", ground.client.name, sys.executable, "-I", str(PACKETS), *words]
    return subprocess.run(command, capture_output=True).returncode == 0


KINDS = (
    Kind("IKEv2 with ESP", "ikev2", start_ikev2, needs=(("udp", 500), ("esp", None))),
    Kind("IKEv2 behind address translation", "ikev2", start_ikev2, needs=(("udp", 4500),), is_hidden=True),
    Kind("L2TP over IPsec", "l2tp", start_l2tp, needs=(("esp", None),)),
    Kind("WireGuard", "wireguard", start_wireguard),
    Kind("OpenVPN over UDP", "openvpn_udp", _openvpn("udp", 1194)),
    Kind("OpenVPN over TCP", "openvpn_tcp", _openvpn("tcp", 443)),
    Kind("AnyConnect", "anyconnect", start_anyconnect, needs=(("tcp", 443), ("udp", 443))),
    Kind("PPTP", "pptp", start_pptp, needs=(("tcp", 1723), ("gre", None))),
    Kind("SSTP", "sstp", start_sstp),
    Kind("GRE", "gre", start_gre),
)
