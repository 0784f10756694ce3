"""Where our own control endpoint is looked for."""

import socket
from typing import Any

import pytest

from rahdari.watch import control

IPV4, IPV6 = "192.0.2.7", "2001:db8::7"


@pytest.mark.parametrize(
    ("known", "chosen"), [((IPV6, IPV4), IPV4), ((IPV4, IPV6), IPV4), ((IPV6,), IPV6)], ids=["6-4", "4-6", "6"]
)
def test_is_at_an_address_of_ipv4_where_the_name_has_one(
    known: tuple[str, ...], chosen: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SITE_URL, settings.WATCH_CONTROL = "https://register.example", ""
    found = [(socket.AF_UNSPEC, socket.SOCK_STREAM, 6, "", (each, 80)) for each in known]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *asked, **more: found)
    attempt = control.endpoint()
    assert attempt is not None and str(attempt.address) == chosen
