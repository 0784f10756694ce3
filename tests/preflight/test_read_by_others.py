"""The same change, taken apart by somebody else's program: what is read of both is one change."""

from pathlib import Path

import pytest
from hier_config import Platform, get_hconfig

from rahdari.preflight import Change, answer, read
from tests.preflight.editions import Edition, held

FOLDER = Path(__file__).parent / "denies_by_default"
ENTRIES = Edition(
    [
        held("192.0.2.10", "udp", 500),
        held("192.0.2.10", "esp"),
        held("203.0.113.9", "udp", 51820),
        held("198.51.100.200", "tcp", 443),
        held("2001:db8:1::7", "udp", 51820),
        held("2001:db8:77::/64"),
    ]
)
BY_HIER_CONFIG = {
    "junos-implicit.conf": Platform.JUNIPER_JUNOS,
    "junos-except.conf": Platform.JUNIPER_JUNOS,
    "junos-esp.conf": Platform.JUNIPER_JUNOS,
    "ios-implicit.cfg": Platform.CISCO_IOS,
    "ios-halves.cfg": Platform.CISCO_IOS,
    "xr-implicit.cfg": Platform.CISCO_XR,
}


def said(change: Change) -> object:
    found = answer(change, ENTRIES)
    hit = {each.entry.id: each.verdict.state for each in found.found}
    return change.unread_count, change.rules, hit, found.by_default, found.shares


class TestHierConfig:
    @pytest.mark.parametrize("name", BY_HIER_CONFIG)
    def test_takes_it_apart_into_the_same_change(self, name: str) -> None:
        text = (FOLDER / name).read_text()
        lines = list(get_hconfig(BY_HIER_CONFIG[name], text).dump_simple())
        assert lines != text.splitlines()
        assert said(read("\n".join(lines).encode())) == said(read(text.encode()))
