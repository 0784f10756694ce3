"""The operator directory: longest match, import, and what happens to a broken file."""

import ipaddress
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rahdari.address import Block, contains, directory, parse_block
from rahdari.address.directory import Directory, DirectoryError, Origin, RowFault

from .test_block import blocks


def an_origin(prefix: str, asn: int = 64496, organisation: str = "Sample Network") -> Origin:
    return Origin(asn, organisation, parse_block(prefix))


def a_file(folder: Path, *rows: str, name: str = "networks.csv") -> Path:
    path = folder / name
    path.write_text("\n".join(["asn,organisation,prefix", *rows]) + "\n", encoding="utf-8")
    return path


@pytest.fixture(autouse=True)
def bundled_again() -> Iterator[None]:
    yield
    directory.configure(None)


class TestOrigin:
    @given(st.lists(blocks(), max_size=30), st.lists(blocks(), min_size=1, max_size=10))
    def test_is_the_longest_match_as_brute_force_finds_it(self, prefixes: list[Block], asked: list[Block]) -> None:
        origins = {prefix: Origin(number + 1, f"Sample {number}", prefix) for number, prefix in enumerate(prefixes)}
        built = Directory(origins.values())
        for block in [*asked, *prefixes]:
            holding = [origin for prefix, origin in origins.items() if contains(prefix, block)]
            expected = max(holding, key=lambda origin: origin.prefix.prefixlen, default=None)
            assert built.origin(block) == expected

    def test_is_the_narrowest_prefix(self) -> None:
        built = Directory([an_origin("203.0.113.0/24", 64496), an_origin("203.0.113.0/28", 64497)])
        inner, outer = built.origin(parse_block("203.0.113.5")), built.origin(parse_block("203.0.113.0/27"))
        assert inner is not None and inner.asn == 64497
        assert outer is not None and outer.asn == 64496
        assert built.origin(parse_block("203.0.112.0/23")) is None
        assert built.origin(ipaddress.ip_address("203.0.113.200")) == outer

    def test_is_in_the_bundled_file_for_the_large_networks(self) -> None:
        found = Directory.bundled().origin(parse_block("39.32.0.1"))
        assert found is not None
        assert found.asn == 17557

    def test_is_unknown_for_a_range_registered_elsewhere_but_used_here(self) -> None:
        assert Directory.bundled().origin(parse_block("154.192.0.1")) is None


class TestIsRegisteredInCountry:
    @given(st.lists(st.integers(0, 63), max_size=12), st.integers(0, 63), st.integers(26, 32))
    def test_agrees_with_counting_addresses(self, hosts: list[int], first: int, length: int) -> None:
        built = Directory([an_origin(f"203.0.113.{host}") for host in set(hosts)])
        block = ipaddress.ip_network(f"203.0.113.{first}/{length}", strict=False)
        listed = {int(ipaddress.ip_address(f"203.0.113.{host}")) for host in hosts}
        assert built.is_registered_in_country(block) is all(int(address) in listed for address in block)

    def test_counts_neighbouring_prefixes_together(self) -> None:
        built = Directory([an_origin("2001:db8::/33"), an_origin("2001:db8:8000::/33")])
        assert built.is_registered_in_country(parse_block("2001:db8::/32"))
        assert built.origin(parse_block("2001:db8::/32")) is None


class TestLoad:
    def test_reads_every_row_of_the_bundled_file(self) -> None:
        origins, rejected = directory.read_csv(directory.BUNDLED)
        assert (len(origins), rejected) == (2896, [])
        assert len(Directory.bundled()) == 2896
        chosen = random.Random(0).choice(origins)
        assert Directory.bundled().organisation(chosen.asn) == chosen.organisation

    @pytest.mark.parametrize(
        ("content", "reason"),
        [(b"", "header"), (b"prefix,asn\n", "header"), (b"\xff\xfe\x00", "not_text"), (None, "missing")],
    )
    def test_refuses_a_file_that_is_no_directory(self, tmp_path: Path, content: bytes | None, reason: str) -> None:
        path = tmp_path / "networks.csv"
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(DirectoryError) as caught:
            Directory.load(path)
        assert caught.value.reason == reason


class TestImport:
    def test_takes_the_good_rows_and_names_the_bad_ones(self, tmp_path: Path) -> None:
        source = a_file(
            tmp_path,
            "17557,Sample One,39.32.0.0/15",
            "x,Sample,39.34.0.0/16",
            '17557,"Sample, with a comma",39.35.0.0/16',
            "17557,,39.36.0.0/16",
            "17557,Sample,39.36.0.1/16",
            "17557,Sample,10.0.0.0/8",
            "17557,Sample,39.32.0.0/15",
            "17557,Sample",
            "",
            "4294967296,Sample,39.37.0.0/16",
        )
        target = tmp_path / "data" / "directory" / "networks.csv"
        report = directory.import_csv(source, target)
        assert report.accepted == 2
        assert report.rejected == [
            (3, RowFault.ASN),
            (5, RowFault.ORGANISATION),
            (6, RowFault.PREFIX),
            (7, RowFault.SPECIAL_USE),
            (8, RowFault.REPEATED),
            (9, RowFault.COLUMNS),
            (11, RowFault.ASN),
        ]
        again = directory.import_csv(target, tmp_path / "again.csv")
        assert (again.accepted, again.rejected) == (2, [])

    def test_leaves_the_old_file_when_no_row_is_good(self, tmp_path: Path) -> None:
        target = tmp_path / "networks.csv"
        directory.import_csv(a_file(tmp_path, "17557,Sample,39.32.0.0/15", name="good.csv"), target)
        before = target.read_bytes()
        with pytest.raises(DirectoryError) as caught:
            directory.import_csv(a_file(tmp_path, "x,y,z", name="bad.csv"), target)
        assert caught.value.reason == "empty"
        assert target.read_bytes() == before


class TestCurrent:
    def test_is_the_bundled_one_until_a_file_is_imported_and_then_that(self, tmp_path: Path) -> None:
        target = tmp_path / "networks.csv"
        directory.configure(target)
        assert len(directory.current()) == 2896
        assert directory.current() is directory.current()
        directory.import_csv(a_file(tmp_path, "64496,Sample,39.32.0.0/15", name="new.csv"), target)
        assert len(directory.current()) == 1

    def test_keeps_the_last_good_one_when_the_file_breaks(self, tmp_path: Path) -> None:
        target = tmp_path / "networks.csv"
        directory.configure(target)
        directory.import_csv(a_file(tmp_path, "64496,Sample,39.32.0.0/15", name="new.csv"), target)
        assert len(directory.current()) == 1
        target.write_text("broken")
        assert len(directory.current()) == 1

    def test_adds_the_sample_operators_it_was_given(self) -> None:
        directory.configure(None, [an_origin("203.0.113.0/24", 64500, "Sample Operator")])
        found = directory.current().origin(parse_block("203.0.113.9"))
        assert found is not None
        assert (found.asn, found.organisation) == (64500, "Sample Operator")
        assert directory.describe(found) == "AS64500 Sample Operator (203.0.113.0/24)"
