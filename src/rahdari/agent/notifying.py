"""Telling the service manager how we are (sd_notify(3)): one datagram to the socket that it named, or nothing."""

import os
import socket
from contextlib import suppress


def notify_manager(*lines: str) -> None:
    """`READY=1`, `WATCHDOG=1`, `STATUS=...`. What cannot be told is not told: the work goes on."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    if address.startswith("@"):
        address = f"\0{address[1:]}"
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
        channel.connect(address)
        channel.sendall("\n".join(lines).encode())
