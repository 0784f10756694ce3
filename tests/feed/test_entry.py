"""What an entry is, and all that it is."""

import dataclasses
import datetime as dt
from typing import Any

import pytest
from hypothesis import given

from rahdari.feed import FeedEntry, InvalidEntry, UnsupportedFormat, canonical, check_format
from rahdari.feed.faults import Malformed

from .samples import FREELANCER, entries

GOOD: dict[str, Any] = FREELANCER.as_json()


class TestFeedEntry:
    def test_has_exactly_the_fields_that_cannot_reach_a_person(self) -> None:
        fields = [field.name for field in dataclasses.fields(FeedEntry)]
        assert fields == ["id", "prefix", "protocol", "port", "not_before", "not_after", "extra"]
        assert list(FREELANCER.as_json()) == fields[:-1]

    @given(entries(later_fields=True))
    def test_comes_back_from_its_canonical_bytes(self, entry: FeedEntry) -> None:
        assert FeedEntry.from_json(canonical.decode(entry.canonical)) == entry

    @given(entries())
    def test_keeps_its_prefix_as_a_network(self, entry: FeedEntry) -> None:
        assert str(entry.network) == entry.prefix

    def test_keeps_optional_fields_of_a_later_version_in_its_bytes(self) -> None:
        later = FeedEntry.from_json({**GOOD, "asn": 64500, "a_class": "dynamic"})
        assert later.extra == {"asn": 64500, "a_class": "dynamic"}
        assert later.canonical.startswith(b'{"a_class":"dynamic","asn":64500,"id":')
        assert later.canonical != FREELANCER.canonical

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("id", "1"),
            ("id", "0000000000000000000000000000000G"),
            ("id", "0" * 32 + "\n"),
            ("id", 1),
            ("prefix", "203.0.113.24"),
            ("prefix", "203.0.113.24/28"),
            ("prefix", "203.0.113.024/32"),
            ("prefix", "203.0.113.256/32"),
            ("prefix", "203.0.113.24/32\n"),
            ("prefix", "2001:DB8::/32"),
            ("prefix", "2001:db8:0::/48"),
            ("prefix", "::ffff:203.0.113.0/120"),
            ("prefix", "fe80::1%eth0/128"),
            ("prefix", "٢٠٣.0.113.24/32"),
            ("prefix", None),
            ("protocol", "icmp"),
            ("protocol", ["udp"]),
            ("port", 0),
            ("port", 65_536),
            ("port", True),
            ("port", 443.0),
            ("port", "443"),
            ("not_before", "2026-11-10T09:31:07+00:00"),
            ("not_before", "2026-11-10 09:31:07Z"),
            ("not_before", "2026-02-30T09:31:07Z"),
            ("not_before", "2026-11-10T24:00:00Z"),
            ("not_before", "2027-11-10T09:31:07Z"),
            ("not_after", "2026-11-10T09:31:07Z"),
            ("not_after", None),
        ],
    )
    def test_is_refused_with_the_field_that_is_wrong(self, field: str, value: object) -> None:
        assert FeedEntry.from_json(GOOD)
        with pytest.raises(InvalidEntry) as refused:
            FeedEntry.from_json({**GOOD, field: value})
        assert refused.value.field in {field, "not_after"}

    @pytest.mark.parametrize("protocol", ["any", "esp", "gre"])
    def test_has_a_port_with_udp_and_tcp_alone(self, protocol: str) -> None:
        assert FeedEntry.from_json({**GOOD, "protocol": protocol, "port": None})
        with pytest.raises(InvalidEntry):
            FeedEntry.from_json({**GOOD, "protocol": protocol})

    @pytest.mark.parametrize("field", list(GOOD))
    def test_is_refused_when_a_field_is_missing(self, field: str) -> None:
        with pytest.raises(InvalidEntry) as refused:
            FeedEntry.from_json({name: value for name, value in GOOD.items() if name != field})
        assert refused.value.field == field

    def test_cannot_hide_a_field_among_the_optional_ones(self) -> None:
        with pytest.raises(InvalidEntry):
            dataclasses.replace(FREELANCER, extra={"port": 1})

    @pytest.mark.parametrize(("second", "in_force"), [("09:31:06", False), ("09:31:07", True), ("09:31:08", True)])
    def test_is_in_force_from_its_first_second(self, second: str, in_force: bool) -> None:
        assert FREELANCER.is_in_force(dt.datetime.fromisoformat(f"2026-11-10T{second}Z")) is in_force
        assert FREELANCER.is_in_force(dt.datetime.fromisoformat(f"2027-11-10T{second}Z")) is (second == "09:31:06")


class TestCheckFormat:
    @pytest.mark.parametrize("found", ["1.0", "1.1", "1.9999"])
    def test_takes_every_minor_version(self, found: str) -> None:
        check_format(found)

    @pytest.mark.parametrize("found", ["2.0", "0.9", "10.0"])
    def test_refuses_every_other_major_version(self, found: str) -> None:
        with pytest.raises(UnsupportedFormat):
            check_format(found)

    @pytest.mark.parametrize("found", [None, 1, "1", "1.0.0", "01.0", "1.x", "1.0\n"])
    def test_refuses_what_is_no_version(self, found: object) -> None:
        with pytest.raises(Malformed):
            check_format(found)
