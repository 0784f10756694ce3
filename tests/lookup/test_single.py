from pathlib import Path

import pytest

from tests.lookup.feeds import DAY, DYNAMIC, HOUR, NOW, OTHER_TOKEN, STATIC, Feed, an_entry, ask, opened, token


@pytest.fixture
def feed(tmp_path: Path) -> Feed:
    return Feed(tmp_path)


class TestLookup:
    def test_finds_what_covers_an_address(self, feed: Feed) -> None:
        host, wide = an_entry("203.0.113.7/32", "udp", 1194), an_entry("203.0.113.0/28")
        feed.let_in("sample-one", feed.streams([host, wide]))
        feed.publish()
        lookup = opened(feed)
        answer = ask(lookup, "/lookup/ip/203.0.113.7")
        assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
        assert answer.json() == {
            "address": "203.0.113.7",
            "entries": [{**host.as_json(), "kept_stale": False}],
            "registered": True,
        }
        assert answer.headers["rahdari-edition"] == "static=0 dynamic=0 canary=0"
        assert answer.headers["rahdari-age"] == "0"
        assert answer.headers["cache-control"] == "no-store"
        assert [entry["id"] for entry in ask(lookup, "/lookup/ip/203.0.113.8").json()["entries"]] == [wide.id]
        assert ask(lookup, "/lookup/ip/203.0.113.16").status == 404
        assert (
            ask(lookup, "/lookup/ip/203.0.113.16")
            .problem()["detail"]
            .startswith("No entry in force covers this address. ")
        )

    def test_all_gives_what_is_wider_too(self, feed: Feed) -> None:
        host, wide, wider = (an_entry(prefix) for prefix in ("203.0.113.7/32", "203.0.113.0/28", "203.0.113.0/24"))
        feed.let_in("sample-one", feed.streams([wide, wider, host]))
        feed.publish()
        found = ask(opened(feed), "/lookup/ip/203.0.113.7?all=1").json()["entries"]
        assert [entry["id"] for entry in found] == [host.id, wide.id, wider.id]

    def test_gives_all_on_the_longest_prefix_from_every_stream(self, feed: Feed) -> None:
        streams = feed.streams([an_entry("203.0.113.7/32", "udp", 1194, id="1" * 32), an_entry("203.0.113.0/24")])
        streams[1] = feed.stream(DYNAMIC, [an_entry("203.0.113.7/32", "tcp", 443, id="0" * 32)])
        streams[0].add(an_entry("203.0.113.7/32", "udp", 500, id="2" * 32))
        feed.let_in("sample-one", streams)
        feed.publish()
        found = ask(opened(feed), "/lookup/ip/203.0.113.7").json()["entries"]
        assert [entry["port"] for entry in found] == [443, 1194, 500]

    def test_of_a_prefix_needs_one_that_covers_all_of_it(self, feed: Feed) -> None:
        feed.let_in("sample-one", feed.streams([an_entry("203.0.113.0/28"), an_entry("203.0.113.0/32")]))
        feed.publish()
        lookup = opened(feed)
        assert ask(lookup, "/lookup/ip/203.0.113.0/29").json()["entries"][0]["prefix"] == "203.0.113.0/28"
        assert ask(lookup, "/lookup/ip/203.0.113.0/28").status == 200
        assert ask(lookup, "/lookup/ip/203.0.113.0/27").status == 404

    def test_knows_ipv6(self, feed: Feed) -> None:
        entries = [an_entry("2001:db8:1::/48"), an_entry("2001:db8:1::7/128", "tcp", 443), an_entry("0.0.0.1/32")]
        feed.let_in("sample-one", feed.streams(entries))
        feed.publish()
        lookup = opened(feed)
        assert ask(lookup, "/lookup/ip/2001:db8:1::7").json()["entries"][0]["port"] == 443
        assert ask(lookup, "/lookup/ip/2001:DB8:1:0::8").json()["entries"][0]["prefix"] == "2001:db8:1::/48"
        assert ask(lookup, "/lookup/ip/2001:db8:1::/64").json()["entries"][0]["prefix"] == "2001:db8:1::/48"
        # The same number in the other family is another address.
        assert ask(lookup, "/lookup/ip/::1").status == 404

    def test_honours_the_term_of_an_entry(self, feed: Feed) -> None:
        early = an_entry("203.0.113.7/32", not_before=NOW + HOUR, not_after=NOW + DAY)
        feed.let_in("sample-one", feed.streams([early, an_entry("203.0.113.0/24", not_after=NOW + 2 * HOUR)]))
        feed.publish(lasts=30 * DAY)
        before, begun, ended = (opened(feed, now=NOW + hours * HOUR) for hours in (0, 1, 24))
        assert ask(before, "/lookup/ip/203.0.113.7").json()["entries"][0]["prefix"] == "203.0.113.0/24"
        assert ask(begun, "/lookup/ip/203.0.113.7").json()["entries"][0]["id"] == early.id
        assert ask(ended, "/lookup/ip/203.0.113.7").status == 404

    def test_keeps_what_ended_while_nothing_newer_was_signed(self, feed: Feed) -> None:
        feed.let_in("sample-one", feed.streams([an_entry("203.0.113.7/32", not_after=NOW + 2 * HOUR)]))
        feed.publish(lasts=HOUR)
        stale = ask(opened(feed, now=NOW + 3 * HOUR), "/lookup/ip/203.0.113.7")
        assert stale.json()["entries"][0]["kept_stale"] is True
        assert stale.headers["rahdari-stale"] == "1"
        assert stale.headers["rahdari-age"] == str(3 * 3600)
        assert ask(opened(feed, now=NOW + 2 * HOUR + 3 * DAY), "/lookup/ip/203.0.113.7").status == 404

    @pytest.mark.parametrize(
        "asked",
        [
            "",
            "nonsense",
            "203.0.113",
            "203.0.113.7.",
            "203.0.113.07",
            "203.0.113.256",
            "203.0.113.7/33",
            "203.0.113.7/",
            "203.0.113.7/08",
            "203.0.113.7/-1",
            "203.0.113.7/24",
            "203.0.113.7/32/1",
            "2001:db8::1%eth0",
            "::ffff:203.0.113.7",
            "::ffff:cb00:7107/128",
            "2001:db8::1/129",
            "203.0.113.7\x00",
            "۲۰۳.0.113.7",
            "\udcff",
            "1" * 5000,
        ],
    )
    def test_says_that_it_does_not_understand(self, feed: Feed, asked: str) -> None:
        feed.let_in("sample-one", feed.streams([an_entry("203.0.113.0/24")]))
        feed.publish()
        answer = ask(opened(feed), f"/lookup/ip/{asked}")
        assert (answer.status, answer.problem()["title"]) == (400, "Bad Request")
        assert asked[:20] not in answer.problem()["detail"] or not asked

    def test_an_entry_with_fields_of_a_later_version_is_shown_with_those_of_today(self, feed: Feed) -> None:
        later = an_entry("203.0.113.7/32", "udp", 1194, class_of_use="voice", note="ہے")
        [static, *_] = streams = feed.streams([later, an_entry("203.0.113.7/32", "tcp", 22)])
        feed.let_in("sample-one", streams)
        feed.publish()
        lookup = opened(feed)
        found = ask(lookup, "/lookup/ip/203.0.113.7").json()["entries"]
        assert {entry["port"] for entry in found} == {22, 1194}
        assert all(sorted(entry)[2] == "not_after" and len(entry) == 7 for entry in found)
        static.remove(later)
        feed.publish()
        lookup.follower.look()
        assert len(ask(lookup, "/lookup/ip/203.0.113.7").json()["entries"]) == 1

    def test_answers_head_and_refuses_what_it_does_not_know(self, feed: Feed) -> None:
        feed.let_in("sample-one", feed.streams([an_entry("203.0.113.7/32")]))
        feed.publish()
        lookup = opened(feed)
        assert ask(lookup, "/lookup/ip/203.0.113.7", method="HEAD").status == 200
        refused = ask(lookup, "/lookup/ip/203.0.113.7", method="PUT")
        assert (refused.status, refused.headers["allow"]) == (405, "GET, HEAD")
        assert ask(lookup, "/lookup/ip/203.0.113.7?all=yes").status == 400
        assert ask(lookup, "/lookup/ip/203.0.113.7?other=1").status == 400
        assert ask(lookup, "/lookup").status == 404
        assert ask(lookup, "/").status == 404

    def test_is_not_answered_before_everything_is_held(self, feed: Feed) -> None:
        streams = feed.streams([an_entry("203.0.113.7/32")])
        feed.let_in("sample-one", streams)
        feed.publish()
        [snapshot] = streams[0].files
        path = feed.feed / "targets" / snapshot.location
        content = path.read_bytes()
        path.unlink()
        lookup = opened(feed, in_bulk=True)
        assert ask(lookup, "/healthz", token=None).status == 503
        for asked in ("/lookup/ip/203.0.113.7", "/rdap/ip/203.0.113.7"):
            answer = ask(lookup, asked)
            assert (answer.status, answer.headers["retry-after"]) == (503, "5")
        assert ask(lookup, "/lookup/ip", method="POST", body=b"203.0.113.7").status == 503
        path.write_bytes(content)
        lookup.follower._troubles.clear()
        lookup.follower.look()
        assert ask(lookup, "/healthz", token=None).status == 200
        assert ask(lookup, "/lookup/ip/203.0.113.7").status == 200


class TestRights:
    def test_an_operator_sees_its_own_sessions_alone(self, feed: Feed) -> None:
        feed.let_in("sample-one", feed.streams([an_entry("203.0.113.7/32")]), token())
        feed.let_in("sample-two", feed.streams([an_entry("198.51.100.7/32")]), token(OTHER_TOKEN))
        feed.publish()
        lookup = opened(feed)
        assert ask(lookup, "/lookup/ip/203.0.113.7").status == 200
        assert ask(lookup, "/lookup/ip/198.51.100.7", token=OTHER_TOKEN).status == 200
        elsewhere = ask(lookup, "/lookup/ip/198.51.100.7")
        nowhere = ask(lookup, "/lookup/ip/192.0.2.7")
        assert elsewhere == nowhere
        assert elsewhere.status == 404

    def test_operators_of_equal_rights_share_what_is_held(self, feed: Feed) -> None:
        streams = feed.streams([an_entry("203.0.113.7/32")])
        feed.let_in("sample-one", streams, token())
        feed.let_in("sample-two", streams, token(OTHER_TOKEN))
        feed.publish()
        lookup = opened(feed)
        assert ask(lookup, "/lookup/ip/203.0.113.7", token=OTHER_TOKEN).status == 200
        assert len(lookup.follower.sessions) == 3
        one, two = lookup._standings.values()
        assert one.sight is two.sight

    def test_a_session_that_the_timestamp_names_must_be_granted_too(self, feed: Feed) -> None:
        feed.let_in("sample-one", feed.streams([an_entry("203.0.113.7/32")]))
        feed.publish()
        lookup = opened(feed)
        feed.operators["sample-one"][1][0] = feed.stream(STATIC, [an_entry("198.51.100.7/32")], sequence=9)
        feed.publish(granted=False)
        lookup.follower.look()
        # Granted is what it saw before: that is seen on.
        assert ask(lookup, "/lookup/ip/198.51.100.7").status == 404
        assert ask(lookup, "/lookup/ip/203.0.113.7").status == 200
        feed.write_access()
        lookup.follower.look()
        assert ask(lookup, "/lookup/ip/198.51.100.7").status == 200
        assert ask(lookup, "/lookup/ip/203.0.113.7").status == 404
