"""Whom names are asked of: how settings write it. Needs no library for DNS, as settings are read without one."""

import ipaddress
import re


def parse_resolver(text: str) -> tuple[str, int]:
    """`ADDRESS`, `ADDRESS:PORT` or `[ADDRESS]:PORT`. Raises ValueError."""
    host, port = text, "53"
    if found := re.fullmatch(r"\[([0-9A-Fa-f:.]+)\](?::([0-9]{1,5}))?", text, re.ASCII):
        host, port = found[1], found[2] or port
    elif found := re.fullmatch(r"([0-9.]+):([0-9]{1,5})", text, re.ASCII):
        host, port = found[1], found[2]
    if not 1 <= int(port) <= 65_535:
        raise ValueError("a port lies between 1 and 65535")
    return str(ipaddress.ip_address(host)), int(port)
