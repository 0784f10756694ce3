import datetime as dt
import ipaddress

from hypothesis import given
from hypothesis import strategies as st

from rahdari.agent.rules import kept_after
from rahdari.agent.sets import KINDS, SET_NAMES, Element, merged, sets_of
from tests.agent.feeds import an_entry

BASE = dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC)
moments = st.integers(-200 * 3600, 200 * 3600).map(lambda seconds: BASE + dt.timedelta(seconds=seconds))
graces = st.integers(0, 100).map(lambda hours: dt.timedelta(hours=hours))


class TestKeptAfter:
    def test_is_now_while_fresh_and_never_before_the_feed_ran_out(self) -> None:
        hour = dt.timedelta(hours=1)
        assert kept_after(now=BASE, fresh_until=BASE + hour, grace=72 * hour) == BASE
        assert kept_after(now=BASE, fresh_until=BASE - hour, grace=72 * hour) == BASE - hour
        assert kept_after(now=BASE, fresh_until=BASE - 100 * hour, grace=72 * hour) == BASE - 72 * hour
        # On the edge itself the feed is stale, and nothing changes there.
        assert kept_after(now=BASE, fresh_until=BASE, grace=72 * hour) == BASE

    @given(now=moments, later=moments, fresh_until=moments, grace=graces)
    def test_only_goes_forward(
        self, now: dt.datetime, later: dt.datetime, fresh_until: dt.datetime, grace: dt.timedelta
    ) -> None:
        """So an entry that was let go does not come back by itself."""
        first, second = sorted((now, later))
        assert kept_after(now=first, fresh_until=fresh_until, grace=grace) <= kept_after(
            now=second, fresh_until=fresh_until, grace=grace
        )

    @given(now=moments, fresh_until=moments, grace=graces, end=moments)
    def test_keeps_every_entry_that_has_not_ended(
        self, now: dt.datetime, fresh_until: dt.datetime, grace: dt.timedelta, end: dt.datetime
    ) -> None:
        if end > now:
            assert end > kept_after(now=now, fresh_until=fresh_until, grace=grace)


# A small space, so that overlaps and neighbours are common.
networks = st.one_of(
    st.tuples(st.integers(0, 63), st.integers(26, 32)).map(
        lambda pair: ipaddress.ip_network((f"192.0.2.{pair[0]}", pair[1]), strict=False)
    ),
    st.tuples(st.integers(0, 63), st.integers(122, 128)).map(
        lambda pair: ipaddress.ip_network((f"2001:db8::{pair[0]:x}", pair[1]), strict=False)
    ),
)
kinds = st.sampled_from([("any", None), ("udp", None), ("udp", 51820), ("tcp", 443), ("esp", None), ("gre", None)])
endpoints = st.tuples(networks, kinds)


class TestSets:
    @given(st.lists(endpoints, max_size=30))
    def test_cover_exactly_what_the_entries_cover(self, rows: list[tuple[object, tuple[str, int | None]]]) -> None:
        entries = [an_entry(str(network), protocol, port) for network, (protocol, port) in rows]
        sets = sets_of(entries)
        covered: set[tuple[str, str]] = set()
        for elements in sets.values():
            for element in elements:
                address, *rest = element.split(" . ")
                covered |= {(str(one), " . ".join(rest)) for one in ipaddress.ip_network(address)}
        wanted = set()
        for entry in entries:
            protocol = {"any": [], "udp": ["17"], "tcp": ["6"], "esp": ["50"], "gre": ["47"]}[entry.protocol]
            rest = [*protocol, *([str(entry.port)] if entry.port else [])]
            wanted |= {(str(one), " . ".join(rest)) for one in ipaddress.ip_network(entry.prefix)}
        assert covered == wanted

    @given(st.lists(endpoints, max_size=30))
    def test_hold_no_element_inside_another(self, rows: list[tuple[object, tuple[str, int | None]]]) -> None:
        elements = [
            Element(
                ipaddress.ip_network(str(network)), {"any": None, "udp": 17, "tcp": 6, "esp": 50, "gre": 47}[p], port
            )
            for network, (p, port) in rows
        ]
        result = list(merged(set(elements)))
        groups: dict[tuple[object, ...], list[Element]] = {}
        for element in result:
            groups.setdefault((element.set_name, element.protocol, element.port), []).append(element)
        for group in groups.values():
            for one in group:
                assert not any(other is not one and other.network.overlaps(one.network) for other in group)  # type: ignore[arg-type]

    def test_are_all_named_even_when_empty(self) -> None:
        assert tuple(sets_of([])) == SET_NAMES
        assert len(SET_NAMES) == 2 * len(KINDS)
