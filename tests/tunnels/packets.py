"""Ends of protocols for which there is no program: `python packets.py ACT ...`, with the standard library alone.

Frames of PPP are framed as on a serial line (RFC 1662): that is what `pptpd` and `pptp` take and give.
"""

import ctypes
import os
import pathlib
import signal
import socket
import ssl
import struct
import subprocess
import sys
import threading

FLAG, ESCAPE = 0x7E, 0x7D
# An echo request of LCP (RFC 1661), and its reply.
ECHO = bytes.fromhex("ff03c021 09 01 000c 00000000 72616864")
REPLY = bytes.fromhex("ff03c021 0a 01 000c 00000000 72616864")
GRE = 47
SSTP = (
    b"SSTP_DUPLEX_POST /sra_{BA195980-CD49-458b-9E23-C84EE0ADCD75}/ HTTP/1.1\r\n"
    b"Content-Length: 18446744073709551615\r\n\r\n"
)


def framed(frame: bytes) -> bytes:
    check = 0xFFFF
    for byte in frame:
        check ^= byte
        for _ in range(8):
            check = (check >> 1) ^ (0x8408 if check & 1 else 0)
    frame += struct.pack("<H", check ^ 0xFFFF)
    escaped = b"".join(
        bytes([ESCAPE, byte ^ 0x20]) if byte < 0x20 or byte in (FLAG, ESCAPE) else bytes([byte]) for byte in frame
    )
    return bytes([FLAG]) + escaped + bytes([FLAG])


def frames(data: bytes) -> list[bytes]:
    """Without their check sums."""
    found = []
    for piece in data.split(bytes([FLAG])):
        plain, escaped = bytearray(), False
        for byte in piece:
            if escaped:
                plain.append(byte ^ 0x20)
            elif byte != ESCAPE:
                plain.append(byte)
            escaped = byte == ESCAPE and not escaped
        if len(plain) > 2:
            found.append(bytes(plain[:-2]))
    return found


def answer_frames() -> None:
    """In pppd's place behind pptpd: an echo request is answered."""
    import tty

    if os.isatty(0):
        tty.setraw(0)
    heard = b""
    # The daemon takes no packet before the first one of pppd.
    os.write(1, framed(ECHO))
    while got := os.read(0, 4096):
        heard += got
        if ECHO in frames(heard):
            os.write(1, framed(REPLY))
            heard = b""


def send_frames(came: str, *command: str) -> None:
    """In pppd's place before pptp: asks until the reply is there."""
    import pty
    import tty

    # What it keeps there would be found by the next one, in another network.
    pathlib.Path("/run/pptp").mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run/pptp"], check=True)
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    heard = b""
    adopt()
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs)

    def ask() -> None:
        while process.poll() is None:
            os.write(ours, framed(ECHO))
            threading.Event().wait(0.2)

    threading.Thread(target=ask, daemon=True).start()
    try:
        while process.poll() is None:
            heard += os.read(ours, 4096)
            if REPLY in frames(heard):
                pathlib.Path(came).touch()
    finally:
        end_all()


def hold(*command: str) -> None:
    """Run it, and end with it whatever it leaves behind."""
    adopt()
    try:
        subprocess.run(command)
    finally:
        end_all()


def adopt() -> None:
    """Become the parent of what a child leaves behind (prctl(2), PR_SET_CHILD_SUBREAPER)."""
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)


def end_all() -> None:
    while children := pathlib.Path("/proc/thread-self/children").read_text().split():
        for child in map(int, children):
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


def answer_gre(address: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, GRE) as ours:
        ours.bind((address, 0))
        print("ready", flush=True)
        while True:
            packet, (sender, _) = ours.recvfrom(2048)
            ours.sendto(packet[20:], (sender, 0))


def ask_gre(address: str) -> None:
    """RFC 2784: no options, IPv4 inside."""
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, GRE) as ours:
        ours.settimeout(2)
        ours.connect((address, 0))
        ours.send(bytes.fromhex("00000800") + b"a packet within")
        assert b"a packet within" in ours.recv(2048)


def answer_sstp(address: str, certificate: str, key: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with socket.create_server((address, 443)) as listening:
        while True:
            connection, _ = listening.accept()
            with connection, context.wrap_socket(connection, server_side=True) as secure:
                if secure.recv(4096) == SSTP:
                    secure.sendall(b"HTTP/1.1 200 OK\r\n\r\n")


def ask_sstp(address: str, certificate: str) -> None:
    context = ssl.create_default_context(cafile=certificate)
    with (
        socket.create_connection((address, 443), timeout=2) as plain,
        context.wrap_socket(plain, server_hostname="vpn.sample.example") as secure,
    ):
        secure.sendall(SSTP)
        assert secure.recv(4096).startswith(b"HTTP/1.1 200")


ACTS = {
    "answer-frames": answer_frames,
    "send-frames": send_frames,
    "hold": hold,
    "answer-gre": answer_gre,
    "ask-gre": ask_gre,
    "answer-sstp": answer_sstp,
    "ask-sstp": ask_sstp,
}

if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    ACTS[sys.argv[1]](*sys.argv[2:])
