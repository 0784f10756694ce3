"""Which addresses hold a secret, asked of the URL table itself, and what logs keep of them."""

import logging
import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.converters import StringConverter

from rahdari.web.logs import SECRETS, Formatter

SECRET = "5ecretabcdefghijklmnopqrst"
NGINX = Path(__file__).resolve().parents[2] / "deploy" / "nginx" / "rahdari.conf"
# What stands in an address and is no secret: whoever sees it can do nothing with it.
PUBLIC = set(
    """act attestation code digest how key kind line method name number part provider receipt reference rest rule
    template way""".split()
)
SAMPLES = {"reference": "A-7K2M-91QX", "number": "RD-8E7A-15VQ", "invitation": "7"}


def routes(resolver: URLResolver, before: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    for each in resolver.url_patterns:
        route = before + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from routes(each, route)
        elif isinstance(each, URLPattern):
            yield route, each.pattern.converters


ALL = list(routes(get_resolver()))


def secret_addresses() -> list[str]:
    """Each route with a secret, filled in."""

    def filled(found: re.Match[str]) -> str:
        name = found.group(2)
        return SECRET if name == "token" else SAMPLES.get(name, str(uuid.UUID(int=5)))

    return sorted("/" + re.sub(r"<(\w+):(\w+)>", filled, route) for route, converters in ALL if "token" in converters)


def test_every_word_in_an_address_is_a_secret_or_is_known_to_be_none() -> None:
    words = {name for _, converters in ALL for name, kind in converters.items() if isinstance(kind, StringConverter)}
    words |= {name for route, _ in ALL for name in re.findall(r"\(\?P<(\w+)>", route)}
    assert words - PUBLIC == {"token"}, "an address has a new word: is it a secret?"


@pytest.mark.parametrize("address", secret_addresses())
def test_a_log_keeps_no_secret(address: str) -> None:
    for text in (address, f"Forbidden (CSRF cookie not set.): {address}", f"GET {address}?a=b", f"'{address}'"):
        record = logging.LogRecord("django.request", logging.WARNING, __file__, 1, text, None, None)
        line = Formatter().format(record)
        assert SECRET not in line and "..." in line


@pytest.mark.parametrize("address", secret_addresses())
def test_the_sample_web_server_logs_no_secret(address: str) -> None:
    assert SECRET not in logged_by_nginx(address)


@pytest.mark.parametrize("address", ["/", "/check/", "/my/applications/A-7K2M-91QX/prove/"])
def test_other_addresses_are_logged_as_they_are(address: str) -> None:
    assert logged_by_nginx(address) == address
    assert Formatter().format(logging.LogRecord("a", logging.INFO, __file__, 1, address, None, None)) == address


def test_nothing_in_the_list_is_without_an_address() -> None:
    patterns = [re.escape(each).replace(r"\*", "[^/]+") + re.escape(SECRET) for each in SECRETS]
    for pattern in patterns:
        assert any(re.match(pattern, address) for address in secret_addresses()), pattern


def test_the_sample_web_server_tells_nobodys_address() -> None:
    text = NGINX.read_text()
    formats = re.findall(r"log_format[^;]*;", text)
    assert formats
    for told in ("$remote_addr", "$request_uri", "$request ", "$http_referer"):
        assert not any(told in each for each in formats)
    servers = text.split("\nserver {")[1:]
    ways = ("access_log off;", "access_log /var/log/nginx/rahdari.log rahdari;")
    assert all(any(way in each for way in ways) for each in servers)
    assert all("error_log /var/log/nginx/error.log crit;" in each for each in servers if "listen 443" in each)
    reports = re.search(r"location ~ \^/\(nic\|v3\)/ \{[^}]*\}", text)
    assert reports is not None and "access_log off;" in reports.group()


def test_the_sample_web_server_leads_to_its_own_names_alone() -> None:
    leading = re.findall(r"return 301 (\S+);", NGINX.read_text())
    assert leading and not any("$host" in each or "$http_host" in each for each in leading)


def logged_by_nginx(address: str) -> str:
    """What the map of the configuration makes of an address: the first pattern that fits, as nginx does it."""
    found = re.search(r"map \$uri \$logged_path \{(.*?)\n\}", NGINX.read_text(), re.DOTALL)
    assert found is not None
    for line in found.group(1).strip().splitlines():
        pattern, becomes = line.strip().rstrip(";").split()
        if pattern.startswith("~") and re.search(pattern[1:], address):
            return becomes
    return address
