import io
import json
from pathlib import Path
from typing import Any

import pytest

from rahdari.lookup import answers, limits
from rahdari.lookup.app import Lookup
from tests.lookup.feeds import HOUR, NOW, TOKEN, Answer, Feed, an_entry, ask, opened


@pytest.fixture
def feed(tmp_path: Path) -> Feed:
    return Feed(tmp_path)


@pytest.fixture
def lookup(feed: Feed) -> Lookup:
    entries = [
        an_entry("203.0.113.7/32", "udp", 1194, id="1" * 32, not_after=NOW + HOUR),
        an_entry("203.0.113.7/32", "tcp", 443, id="2" * 32, not_after=NOW + HOUR),
        an_entry("203.0.113.0/28", "esp", id="3" * 32, not_after=NOW + HOUR),
        an_entry("203.0.113.32/27", id="4" * 32, not_after=NOW + HOUR),
        an_entry("198.51.100.0/24", id="5" * 32, not_after=NOW + HOUR),
        an_entry("2001:db8::7/128", "udp", 500, id="6" * 32, not_after=NOW + HOUR),
        an_entry("2001:db8:1::/48", "gre", id="7" * 32, not_after=NOW + HOUR),
        an_entry("192.0.2.7/32", id="8" * 32, not_before=NOW + HOUR, not_after=NOW + 2 * HOUR),
    ]
    feed.let_in("sample-one", feed.streams(entries))
    feed.publish()
    return opened(feed, in_bulk=True)


def lines(lookup: Lookup, body: bytes, **more: Any) -> Answer:
    return ask(lookup, "/lookup/ip", method="POST", body=body, **more)


def array(lookup: Lookup, value: object) -> Answer:
    return ask(lookup, "/lookup/ip", method="POST", body=json.dumps(value).encode(), kind="application/json")


class TestLines:
    def test_each_is_answered_in_its_place(self, lookup: Lookup) -> None:
        answer = lines(
            lookup, b"203.0.113.7\n203.0.113.8\n192.0.2.7\n203.0.113.40\n198.51.100.9\n203.0.113.77\n203.0.113.8\n"
        )
        until = "2026-11-25T13:00:00Z"
        assert answer.status == 200
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        assert answer.headers["rahdari-edition"] == "static=0 dynamic=0 canary=0"
        assert answer.body.decode().splitlines() == [
            f"203.0.113.7\t203.0.113.7/32 udp 1194 {until}\t203.0.113.7/32 tcp 443 {until}",
            f"203.0.113.8\t203.0.113.0/28 esp - {until}",
            "192.0.2.7\t-",
            f"203.0.113.40\t203.0.113.32/27 any - {until}",
            f"198.51.100.9\t198.51.100.0/24 any - {until}",
            "203.0.113.77\t-",
            f"203.0.113.8\t203.0.113.0/28 esp - {until}",
        ]

    def test_what_is_not_understood_is_said_in_its_place_and_nothing_is_lost(self, lookup: Lookup) -> None:
        given = [
            b"203.0.113.8",
            b"",
            b"nonsense",
            b"203.0.113.8/28",
            b"::ffff:203.0.113.8",
            b"two\twords\x07",
            b"\xff\xfe",
            "۲۰۳.0.113.8".encode(),
            b"203.0.113.8 ",
            b"2001:db8::7",
            b"203.0.113.0/29",
        ]
        answer = lines(lookup, b"\n".join(given))
        rows = answer.body.split(b"\n")
        assert rows.pop() == b""
        assert len(rows) == len(given)
        assert [row.split(b"\t")[1][:10] for row in rows] == [
            b"203.0.113.",
            b"!empty",
            b"!malformed",
            b"!host_bits",
            b"!mapped",
            b"!malformed",
            b"!malformed",
            b"!malformed",
            b"!malformed",
            b"2001:db8::",
            b"203.0.113.",
        ]
        echoed = [row.split(b"\t")[0] for row in rows]
        assert echoed == [given[0], b"", *given[2:5], b"two words ", *given[6:]]

    def test_ends_of_other_systems_are_no_part_of_a_line(self, lookup: Lookup) -> None:
        assert lines(lookup, b"203.0.113.77\r\n203.0.113.78\r\n").body == b"203.0.113.77\t-\n203.0.113.78\t-\n"

    def test_no_lines_are_answered_by_none(self, lookup: Lookup) -> None:
        nothing = ask(lookup, "/lookup/ip", method="POST", CONTENT_TYPE="text/plain", CONTENT_LENGTH="0")
        assert (nothing.status, nothing.body) == (200, b"")
        assert lines(lookup, b"\n").body == b"\t!empty\n"

    def test_one_that_ended_is_marked_while_it_is_kept(self, feed: Feed, lookup: Lookup) -> None:
        feed.publish(lasts=HOUR / 2)
        stale = opened(feed, now=NOW + 2 * HOUR, in_bulk=True)
        assert lines(stale, b"203.0.113.8").body.endswith(b"Z kept-stale\n")


class TestArray:
    def test_is_answered_by_an_array(self, lookup: Lookup) -> None:
        answer = array(lookup, ["203.0.113.7", "203.0.113.77", "nonsense", 7, None, ["203.0.113.7"], "2001:db8:1::5"])
        assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
        found = answer.json()
        assert [entry["id"][0] for entry in found[0]] == ["1", "2"]
        assert found[0][0]["kept_stale"] is False
        assert found[1:6] == [[], *[{"error": "malformed"}] * 4]
        assert found[6][0]["prefix"] == "2001:db8:1::/48"
        assert array(lookup, []).json() == []

    @pytest.mark.parametrize("body", [b"", b"{", b"{}", b'"203.0.113.7"', b"\xff", b"[" * 100_000])
    def test_must_be_one(self, lookup: Lookup, body: bytes) -> None:
        answer = ask(lookup, "/lookup/ip", method="POST", body=body, CONTENT_TYPE="application/json")
        assert answer.status == 400
        assert answer.problem()["detail"] == "The body is no JSON array of addresses."


class TestTheSame:
    def test_is_answered_singly_and_in_bulk(self, lookup: Lookup) -> None:
        addresses = [f"203.0.113.{number}" for number in range(256)] + ["2001:db8::7", "2001:db8:1:2::", "::"]
        addresses += [f"198.51.{100 + number // 256}.{number % 256}" for number in range(600)]
        for some in (addresses, addresses[:200], addresses[256:259], addresses[259:]):
            single = [ask(lookup, f"/lookup/ip/{address}") for address in some]
            expected = [answer.json()["entries"] if answer.status == 200 else [] for answer in single]
            assert array(lookup, some).json() == expected
            rows = lines(lookup, "\n".join(some).encode()).body.decode().splitlines()
            assert [row.count("\t") if not row.endswith("-") else 0 for row in rows] == [len(each) for each in expected]


class TestBounds:
    def test_of_addresses(self, lookup: Lookup, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("rahdari.lookup.bulk.BULK_ADDRESSES", 3)
        assert lines(lookup, b"203.0.113.77\n" * 3).status == 200
        assert lines(lookup, b"203.0.113.77\n" * 2 + b"203.0.113.77").status == 200
        assert array(lookup, ["203.0.113.77"] * 3).status == 200
        assert lines(lookup, b"203.0.113.77\n" * 4).status == 413
        assert lines(lookup, b"203.0.113.77\n" * 3 + b"203.0.113.77").status == 413
        assert array(lookup, ["203.0.113.77"] * 4).status == 413

    def test_of_bytes_whatever_is_promised(self, lookup: Lookup) -> None:
        """A body without a length is read no further than it may go."""
        large = b"203.0.113.77\n" * (limits.BODY_BYTES // 13 + 1)
        source = io.BytesIO(large)
        promised = {"CONTENT_TYPE": "text/plain", "CONTENT_LENGTH": str(len(large)), "wsgi.input": source}
        assert ask(lookup, "/lookup/ip", method="POST", **promised).status == 413
        assert source.tell() == 0
        unsaid = {"CONTENT_TYPE": "text/plain", "wsgi.input": source}
        assert ask(lookup, "/lookup/ip", method="POST", **unsaid).status == 413
        assert source.tell() == limits.BODY_BYTES + 1
        nonsense = {"CONTENT_TYPE": "text/plain", "CONTENT_LENGTH": "-1"}
        assert ask(lookup, "/lookup/ip", method="POST", **nonsense).status == 413

    def test_of_kinds_and_methods(self, lookup: Lookup) -> None:
        assert lines(lookup, b"203.0.113.7", kind="text/html").status == 415
        assert lines(lookup, b"203.0.113.7", kind="").status == 415
        assert lines(lookup, b"203.0.113.7", kind="Text/Plain; charset=utf-8").status == 200
        refused = ask(lookup, "/lookup/ip")
        assert (refused.status, refused.headers["allow"]) == (405, "POST")

    def test_of_requests_at_one_time(self, lookup: Lookup, monkeypatch: pytest.MonkeyPatch) -> None:
        statuses: list[int] = []

        class Within:
            """A body in the middle of which another request comes."""

            def read(self, size: int) -> bytes:
                if not statuses:
                    monkeypatch.setattr("rahdari.lookup.bulk.BULK_EACH", 1)
                    statuses.append(lines(lookup, b"203.0.113.7").status)
                    monkeypatch.setattr("rahdari.lookup.bulk.BULK_ALL", 1)
                    statuses.append(lines(lookup, b"203.0.113.7").status)
                    statuses.append(ask(lookup, "/lookup/ip/203.0.113.7").status)
                return b""

        body = {"CONTENT_TYPE": "text/plain", "wsgi.input": Within()}
        assert ask(lookup, "/lookup/ip", method="POST", **body).status == 200
        assert statuses == [429, 503, 200]
        assert lines(lookup, b"203.0.113.7").status == 200

    def test_is_long_enough_for_what_is_answered_at_once(self) -> None:
        longest = len("2001:0db8:0000:0000:0000:0000:0000:0000")
        assert limits.BULK_ADDRESSES * (longest + 1) <= limits.BODY_BYTES
        assert answers.AT_ONCE < limits.BULK_ADDRESSES
        assert len(TOKEN) > 1
