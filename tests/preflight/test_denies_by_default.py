"""Twenty rule sets that deny whoever they do not name, in five syntaxes: each is recognised, and answered with the
share of the address space that it cuts, however it hides that."""

from pathlib import Path
from typing import NamedTuple

import pytest

from rahdari.preflight import answer, read
from tests.preflight.editions import Edition, held

FOLDER = Path(__file__).parent / "denies_by_default"
# What nobody named in any of them, and what somebody did.
NOBODYS = (held("100.64.9.9", "esp"), held("2001:db8:ffff::9", "gre"))
ALL = ("tcp", "udp", "esp", "gre", "other")


class Expected(NamedTuple):
    """The share of IPv4 and of IPv6 that is touched, that which is cut wholly, the protocols that it denies to others,
    and of the two that nobody named how many are cut and affected."""

    touched: tuple[float, float]
    wholly: tuple[float, float]
    protocols: tuple[str, ...]
    cut: int
    affected: int = 0


def spared(count: int, bits: int = 32) -> float:
    return 1 - count / 2**bits


SETS = {
    "nftables-forward.nft": Expected((spared(256), spared(2**80, 128)), (spared(256), spared(2**80, 128)), ALL, 2),
    "nftables-last-rule.nft": Expected((spared(128 + 1 + 64), 0), (spared(128 + 1 + 64), 0), ALL, 1),
    "nftables-commands.nft": Expected((1, 1), (0, 0), ("udp", "esp", "gre", "other"), 2),
    "nftables-jump.nft": Expected((spared(512), 1), (spared(512), 1), ALL, 2),
    "ios-implicit.cfg": Expected((1, 0), (spared(1), 0), ALL, 1),
    "ios-numbered.cfg": Expected((1, 0), (0, 0), ALL, 1),
    "ios-halves.cfg": Expected((spared(1), 0), (spared(1), 0), (), 1),
    "ios-ipv6.cfg": Expected((0, 1), (0, spared(2**80, 128)), ALL, 1),
    "xr-implicit.cfg": Expected((spared(257), 0), (spared(257), 0), ALL, 1),
    "xr-ipv6.cfg": Expected((0, spared(2**80, 128)), (0, spared(2**80, 128)), ALL, 1),
    "nxos-udp.cfg": Expected((1, 0), (0, 0), ("udp",), 0),
    "nxos-groups.cfg": Expected((spared(128 + 1 + 64), 0), (spared(128 + 1 + 64), 0), ALL, 1),
    "junos-implicit.conf": Expected((1, 0), (0, 0), ALL, 1),
    "junos-set.conf": Expected((spared(384), 0), (spared(384), 0), ALL, 1),
    "junos-except.conf": Expected((0, spared(2**80, 128)), (0, spared(2**80, 128)), (), 1),
    "junos-esp.conf": Expected((1, 0), (0, 0), ("udp", "esp", "gre"), 1),
    "mikrotik-forward.rsc": Expected((spared(320), 0), (spared(320), 0), ALL, 1),
    "mikrotik-wan.rsc": Expected((1, 0), (0, 0), ALL, 0, 1),
    "mikrotik-raw.rsc": Expected((1, 0), (0, 0), ("udp", "esp", "gre", "other"), 1),
    "mikrotik-jump.rsc": Expected((0, spared(2**80, 128)), (0, spared(2**80, 128)), ALL, 1),
}


class TestDeniesByDefault:
    def test_twenty_sets_in_five_syntaxes_are_here(self) -> None:
        assert len(SETS) == 20 and {path.name for path in FOLDER.iterdir()} == set(SETS)
        changes = [read((FOLDER / name).read_bytes()) for name in SETS]
        # Cisco's are of IOS, of IOS-XR and of NX-OS.
        assert {name.split("-")[0] for name in SETS} == {"nftables", "ios", "xr", "nxos", "junos", "mikrotik"}
        assert all(change.unread_count == 0 for change in changes)

    @pytest.mark.parametrize("name", SETS)
    def test_is_recognised_with_the_share_that_it_cuts(self, name: str) -> None:
        found = answer(read((FOLDER / name).read_bytes()), Edition(NOBODYS))
        expected = SETS[name]
        assert found.denies_by_default
        assert found.by_default == expected.protocols
        for at, version in enumerate((4, 6)):
            assert found.shares[version].touched == pytest.approx(expected.touched[at], abs=1e-12)
            assert found.shares[version].everything == pytest.approx(expected.wholly[at], abs=1e-12)
        assert (found.cut, found.affected) == (expected.cut, expected.affected)

    @pytest.mark.parametrize("name", SETS)
    def test_lets_everybody_through_once_it_ends_with_a_permit(self, name: str) -> None:
        """So what is recognised is the rule set, and not its look."""
        everything = {
            "nft": "table inet z {\n chain z {\n type filter hook forward priority 0; policy accept;\n }\n}\n",
            "cfg": "ip access-list extended OPEN\n permit ip any any\n",
            "conf": "firewall { family inet { filter OPEN { term all { then accept; } } } }\n",
            "rsc": "/ip firewall filter\nadd action=accept chain=forward\n",
        }[name.rpartition(".")[2]]
        found = answer(read(everything.encode()), Edition(NOBODYS))
        assert not found.denies_by_default and not found.cut and not found.affected
        assert {share.touched for share in found.shares.values()} == {0}
