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


class TestAerleon:
    """One policy, written by aerleon for each platform, is one change for us (`by_aerleon/policy.yaml`)."""

    FOLDER = Path(__file__).parent / "by_aerleon"
    ENTRIES = Edition(
        [
            held("198.51.100.7", "udp", 51820, id="gate"),
            held("198.51.100.7", "udp", 500, id="ike"),
            held("198.51.100.7", "esp", id="esp"),
            held("198.51.100.7", "tcp", 443, id="another port of the gate"),
            held("192.0.2.9", "tcp", 443, id="web"),
            held("192.0.2.0/24", "tcp", 443, id="half of it is ours"),
            held("203.0.113.5", "tcp", 443, id="bad"),
            held("100.64.1.1", "gre", id="nobody's"),
        ]
    )
    CUT = ("another port of the gate", "bad", "nobody's")

    @pytest.mark.parametrize(
        ("name", "rules"),
        [("cisco.acl", 8), ("ciscoxr.xacl", 8), ("cisconx.nxacl", 8), ("juniper.jcl", 5), ("nftables.nft", 11)],
    )
    def test_writes_what_is_read_as_the_same_change(self, name: str, rules: int) -> None:
        change = read((self.FOLDER / name).read_bytes())
        found = answer(change, self.ENTRIES)
        assert (change.unread, change.rules) == ((), rules)
        hit = {each.entry.id: str(each.verdict.state) for each in found.found}
        assert hit == {"half of it is ours": "affected", **dict.fromkeys(self.CUT, "cut")}
        assert found.denies_by_default and found.shares[4].touched == 1
