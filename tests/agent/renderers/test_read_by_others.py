"""Rendered files as others read them: MaxMind's reader, Python's own, and parsers of routers' configurations."""

import csv
import io
import ipaddress
import json
import re
import tarfile
from pathlib import Path

import hypothesis
import maxminddb
import pytest
from hier_config import Platform, get_hconfig
from hypothesis import given

from rahdari.agent.entries import EntryRow
from rahdari.agent.renderers.mmdb import NotInThisFormat
from tests.agent.renderers import a_row
from tests.agent.renderers.test_golden import ROWS, rendered
from tests.agent.test_sets import addresses, rows

NAMES = ["192.0.2.1/32", "192.0.2.10/32", "198.51.100.0/28", "198.51.100.16/32", "203.0.113.7/32"]


class TestMmdb:
    def reader(self, path: Path, given: list[EntryRow]) -> maxminddb.Reader:
        path.write_bytes(rendered("mmdb", list(given), {}))
        return maxminddb.open_database(path)

    def test_says_what_is_registered_at_an_address(self, tmp_path: Path) -> None:
        with self.reader(tmp_path / "r.mmdb", ROWS) as reader:
            assert reader.get("192.0.2.1") == {
                "registered": True,
                "endpoints": [{"protocol": "tcp", "port": 443}, {"protocol": "udp", "port": 51820}],
            }
            assert reader.get("198.51.100.15") == {"registered": True, "endpoints": [{"protocol": "tcp", "port": 443}]}
            assert reader.get("2001:db8::1")["endpoints"] == [{"protocol": "any"}, {"protocol": "udp", "port": 500}]  # type: ignore[index, call-overload]
            assert reader.get("2001:db8:0:ffff::")["endpoints"] == [{"protocol": "any"}]  # type: ignore[index, call-overload]
            for nobody in ("192.0.2.2", "198.51.100.17", "2001:db8:1::", "0.0.0.0", "ffff::"):
                assert reader.get(nobody) is None
            metadata = reader.metadata()
            assert (metadata.ip_version, metadata.database_type) == (6, "Rahdari-Registered-Endpoints")
            assert "must not be disrupted" in metadata.description["en"]
            assert metadata.build_epoch == 1_795_599_000

    @given(rows)
    @hypothesis.settings(deadline=None)
    def test_agrees_with_the_entries_at_every_address(self, given: list[EntryRow]) -> None:
        wanted: dict[str, set[tuple[str, int]]] = {}
        for row in given:
            for one in addresses(row.prefix):
                wanted.setdefault(one, set()).add((row.protocol, row.port or 0))
        content = io.BytesIO(rendered("mmdb", list(given), {}))
        with maxminddb.open_database(content, maxminddb.MODE_FD) as reader:  # type: ignore[arg-type]
            for one in (*addresses("192.0.2.0/25"), *addresses("2001:db8::/121")):
                found = reader.get(one)
                endpoints = {(each["protocol"], each.get("port", 0)) for each in found["endpoints"]} if found else set()  # type: ignore[index, call-overload, union-attr]
                assert endpoints == wanted.get(one, set())

    def test_takes_wider_records_when_the_tree_is_large(self, tmp_path: Path) -> None:
        """Above about 16 million nodes a record has 32 bits."""
        from rahdari.agent.renderers import mmdb

        packed = b"".join(mmdb._packed(mmdb.array("I", [1, 2, 3, 1 << 24]), 32))
        assert packed == b"\0\0\0\x01\0\0\0\x02\0\0\0\x03\x01\0\0\0"
        assert b"".join(mmdb._packed(mmdb.array("I", [1, 0x10203]), 24)) == b"\0\0\x01\x01\x02\x03"

    def test_refuses_what_stands_where_ipv4_is_kept(self) -> None:
        with pytest.raises(NotInThisFormat, match="::"):
            rendered("mmdb", [a_row("::c000:201/128")], {})


class TestText:
    def test_json_and_json_lines_say_the_same(self) -> None:
        whole = json.loads(rendered("json", list(ROWS), {}))
        lines = [json.loads(line) for line in rendered("json-lines", list(ROWS), {}).splitlines()]
        assert whole["entries"] == lines
        assert [line["prefix"] for line in lines] == [row.prefix for row in ROWS]
        assert [line["port"] for line in lines] == [row.port for row in ROWS]

    def test_csv_has_a_row_for_each_entry(self) -> None:
        found = list(csv.DictReader(io.StringIO(rendered("csv", list(ROWS), {}).decode())))
        assert [row["prefix"] for row in found] == [row.prefix for row in ROWS]
        assert [row["local"] for row in found].count("yes") == 1

    @pytest.mark.parametrize("kind", ["palo-alto", "fortigate"])
    def test_lists_have_an_address_or_prefix_on_each_line_and_nothing_else(self, kind: str) -> None:
        lines = rendered(kind, list(ROWS), {}).decode().splitlines()
        assert [str(ipaddress.ip_network(line)) for line in lines] == sorted({row.prefix for row in ROWS}, key=order)

    def test_the_archive_of_srx_holds_one_feed(self) -> None:
        with tarfile.open(fileobj=io.BytesIO(rendered("juniper-srx", list(ROWS), {"feed": "vpn"}))) as archive:
            assert archive.getnames() == ["vpn"]
            content = archive.extractfile("vpn")
            assert content is not None
            assert content.read().decode().splitlines() == sorted({row.prefix for row in ROWS}, key=order)


def order(prefix: str) -> tuple[int, int, int]:
    network = ipaddress.ip_network(prefix)
    return network.version, int(network.network_address), network.prefixlen


class TestConfigurations:
    def test_ios_is_a_list_of_commands_and_the_same_file_again_changes_nothing(self) -> None:
        config = get_hconfig(Platform.CISCO_IOS, rendered("cisco-ios", list(ROWS), {}).decode())
        commands = [child.text for child in config.children]
        assert [
            command.split()[6] for command in commands if command.startswith("ip ") and " permit " in command
        ] == NAMES
        assert commands[:2] == ["no ip prefix-list RAHDARI4", "no ipv6 prefix-list RAHDARI6"]

    def test_xr_has_one_prefix_set_or_one_group_for_each_family(self) -> None:
        config = get_hconfig(Platform.CISCO_XR, rendered("cisco-xr", list(ROWS), {}).decode())
        assert [(child.text, len(child.children)) for child in config.children] == [("prefix-set RAHDARI", 7)]
        groups = get_hconfig(Platform.CISCO_XR, rendered("cisco-xr", list(ROWS), {"style": "object-group"}).decode())
        sections = {child.text: [line.text for line in child.children] for child in groups.children}
        assert sections["object-group network ipv4 RAHDARI4"][1:] == [
            "host 192.0.2.1",
            "host 192.0.2.10",
            "198.51.100.0/28",
            "host 198.51.100.16",
            "host 203.0.113.7",
        ]
        assert sections["object-group network ipv6 RAHDARI6"][1:] == ["2001:db8::/48", "host 2001:db8::1"]

    def test_junos_closes_what_it_opens(self) -> None:
        for listed in (list(ROWS), []):
            text = re.sub(r"/\*.*?\*/", "", rendered("junos", listed, {}).decode())
            assert text.count("{") == text.count("}")
            for line in text.splitlines():
                assert line == "" or line.strip()[-1] in "{};:"
            assert text.count("replace:") == 2

    def test_routeros_script_fills_one_list_before_it_empties_the_other(self) -> None:
        lines = rendered("mikrotik", list(ROWS), {}).decode().splitlines()
        adding = [number for number, line in enumerate(lines) if " add list=$new " in line]
        emptied = [number for number, line in enumerate(lines) if "[find list=$old]" in line]
        assert max(adding) < min(emptied)
        terms = {}
        for line in (lines[number] for number in adding):
            path, address, seconds = re.fullmatch(  # type: ignore[union-attr]
                r"(/ip|/ipv6) firewall address-list add list=\$new address=(\S+) timeout=(\d+)s", line
            ).groups()
            assert (path == "/ipv6") is (":" in address)
            terms[address] = int(seconds)
        assert list(terms) == sorted({row.prefix for row in ROWS}, key=order)
        # Its own end and an hour; what is kept, held or local as long as may be, and never for ever.
        assert terms["192.0.2.10/32"] == 13 * 3600
        assert terms["192.0.2.1/32"] == terms["203.0.113.7/32"] == terms["198.51.100.0/28"] == 30 * 86_400
