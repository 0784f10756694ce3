"""Each renderer against its golden file, byte for byte; and what holds for all of them."""

import gzip
import io
import re
from pathlib import Path

import maxminddb
import pytest

from rahdari.agent.configuration import FileTarget
from rahdari.agent.files import write_rendered
from rahdari.agent.renderers import RENDERERS
from tests.agent.renderers import HEAD, a_row, in_order

GOLDEN = Path(__file__).parent / "golden"
ROWS = in_order(
    [
        a_row("192.0.2.1/32", "udp", 51820, kept_stale=True, not_after="2026-11-25T09:00:00Z"),
        a_row("192.0.2.1/32", "tcp", 443, role="feed-dynamic", not_after="2026-11-26T09:30:00Z"),
        a_row("192.0.2.10/32", "esp", role="feed-dynamic", not_after="2026-11-25T21:30:00Z"),
        a_row("198.51.100.0/28", "tcp", 443, held=True),
        a_row("198.51.100.16/32"),
        a_row("203.0.113.7/32", "gre", local="our own concentrator", id="", not_before="", not_after="", role=""),
        a_row("2001:db8::/48"),
        a_row("2001:db8::1/128", "udp", 500),
    ]
)
OPTIONS = {
    "bird": [{"community": "64496:1:1"}],
    "cisco-xr": [{}, {"style": "object-group"}],
}
CASES = [(kind, number, o) for kind in RENDERERS for number, o in enumerate(OPTIONS.get(kind, [{}]))]


def rendered(kind: str, rows: list[object], options: dict[str, object]) -> bytes:
    out = io.BytesIO()
    write_rendered(out, FileTarget(kind, kind, Path(kind), options), lambda: iter(rows), HEAD)  # type: ignore[arg-type]
    return out.getvalue()


@pytest.mark.parametrize(("kind", "number", "options"), CASES)
def test_is_byte_for_byte_the_golden_file(kind: str, number: int, options: dict[str, object]) -> None:
    assert rendered(kind, ROWS, options) == (GOLDEN / f"{kind}{number or ''}").read_bytes()


@pytest.mark.parametrize(("kind", "options"), [(kind, o) for kind, _, o in CASES])
def test_of_nothing_is_a_file_without_any_address(kind: str, options: dict[str, object]) -> None:
    content = rendered(kind, [], options)
    if kind == "juniper-srx":
        content = gzip.decompress(content)
    assert not re.search(rb"\b192\.0|\b198\.51|\b203\.0|2001:db8", content)


IKEV2 = in_order(
    [a_row("203.0.113.40/32", "udp", 500), a_row("203.0.113.40/32", "udp", 4500), a_row("203.0.113.40/32", "esp")]
)


@pytest.mark.parametrize("kind", RENDERERS)
def test_carries_a_service_of_several_parts_whole(kind: str) -> None:
    content = rendered(kind, IKEV2, {})
    if kind == "juniper-srx":
        content = gzip.decompress(content)
    if kind in {"csv", "json", "json-lines"}:
        text = content.decode().replace('"', "").replace("protocol:", "").replace("port:", "").replace("null", "")
        assert all(part in text.replace(" ", "") for part in ("udp,500,", "udp,4500,", "esp,,"))
    elif kind != "mmdb":
        # A list of addresses has it once, and with it everything that runs there.
        rows = [line for line in content.splitlines() if b"203.0.113.40" in line]
        assert len(rows) == 1, rows


def test_tells_all_parts_of_an_address_to_who_looks_it_up(tmp_path: Path) -> None:
    path = tmp_path / "feed.mmdb"
    path.write_bytes(rendered("mmdb", IKEV2, {}))
    with maxminddb.open_database(path) as read:
        found = read.get("203.0.113.40")
    assert isinstance(found, dict)
    told = {(each["protocol"], each.get("port")) for each in found["endpoints"]}
    assert told == {("udp", 500), ("udp", 4500), ("esp", None)}


@pytest.mark.parametrize("kind", [kind for kind, one in RENDERERS.items() if one.takes == "prefixes"])
def test_lists_each_address_once_though_it_has_several_entries(kind: str) -> None:
    content = rendered(kind, ROWS, {})
    if kind == "juniper-srx":
        content = gzip.decompress(content)
    assert len(re.findall(rb"192\.0\.2\.1(?![0-9])", content)) == 1
