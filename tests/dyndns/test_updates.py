"""`/nic/update` as clients speak it: replayed requests, and what no answer may ever hold."""

import base64
import datetime as dt
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError
from hypothesis import given
from hypothesis import strategies as st

from rahdari.dyndns import queries, rules, updates
from rahdari.dyndns.models import DynamicHost
from rahdari.dyndns.rules import V6As
from tests.builders.connections import a_connection, addresses, listed

GOLDEN = Path(__file__).parent / "golden" / "requests.txt"
WORDS = {"good", "nochg", "badauth", "nohost", "abuse", "911"}


@pytest.fixture(autouse=True)
def one_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test stands in a transaction of its connection, which a request of its own would end."""
    monkeypatch.setattr(updates, "close_old_connections", lambda: None)
    monkeypatch.setattr(updates.connections, "begin", lambda: None)


def behind(environ: Any, start: Any) -> Iterable[bytes]:
    start("404 Not Found", [])
    return [b"the pages"]


APP = updates.Updates(behind)


def ask(
    path: str,
    query: str = "",
    *,
    source: str = "203.0.113.50",
    name: str = "",
    token: str = "",
    agent: str = "router",
    authorization: str | None = None,
    **headers: str,
) -> tuple[str, str, dict[str, str]]:
    """Status, body and headers."""
    seen: dict[str, Any] = {}

    def start(status: str, headers: list[tuple[str, str]]) -> None:
        seen.update(status=status, headers=dict(headers))

    basic = "Basic " + base64.b64encode(f"{name}:{token}".encode()).decode()
    environ = {
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "REQUEST_METHOD": "GET",
        "REMOTE_ADDR": source,
        "HTTP_USER_AGENT": agent,
        "HTTP_AUTHORIZATION": basic if authorization is None else authorization,
        **headers,
    }
    body = b"".join(APP(environ, start)).decode()
    return seen["status"], body, seen["headers"]


def blocks() -> list[tuple[str, dict[str, str]]]:
    found = []
    for part in GOLDEN.read_text().split("\n== ")[1:]:
        title, *lines = part.strip().splitlines()
        facts = {"agent": "router", "authorization": ""}
        for line in lines:
            if line.startswith("FROM "):
                facts["source"] = line[5:]
            elif line.startswith("GET "):
                facts["target"] = line.split(" ")[1]
            elif line.startswith("User-Agent: "):
                facts["agent"] = line[12:]
            elif line.startswith("Authorization: "):
                facts["authorization"] = line[15:]
            elif line.startswith("-> "):
                facts["status"], facts["body"] = line[3:].split(" ", 1)
        found.append((title, facts))
    return found


@pytest.mark.django_db
def test_replayed_requests_are_answered_as_recorded() -> None:
    connection = a_connection("203.0.113.50")
    for title, facts in blocks():
        path, _, query = facts["target"].replace("NAME", connection.host.name).partition("?")
        shown = {"wrong": "Basic d3Jvbmc6d3Jvbmc=", "none": ""}.get(facts["authorization"])
        status, body, headers = ask(
            path,
            query,
            source=facts["source"],
            name=connection.host.name,
            token=connection.token,
            agent=facts["agent"],
            authorization=shown,
        )
        if title == "FRITZ!Box, both families in one URL, nothing escaped":
            facts["body"] = facts["body"].replace("good", "nochg")  # it was proved by its first report
        assert (status[:3], body) == (facts["status"], facts["body"].replace("|", "\n")), title
        assert headers["Content-Type"].startswith("text/plain") and headers["Cache-Control"] == "no-store"
    assert len(blocks()) >= 18
    assert listed(connection.registration) == ["2001:db8:40:1::1/128", "203.0.113.50/32", "203.0.113.51/32"]


@pytest.mark.django_db
class TestAnswers:
    def test_other_paths_go_to_the_pages(self) -> None:
        assert ask("/nic/updates")[1] == "the pages"
        assert ask("/")[1] == "the pages"

    def test_the_address_is_told_to_whoever_asks(self) -> None:
        assert ask("/nic/address", source="203.0.113.7")[:2] == ("200 OK", "203.0.113.7")
        assert ask("/nic/address", source="::ffff:203.0.113.7")[1] == "203.0.113.7"

    def test_a_change_is_abuse_after_the_burst_and_the_same_is_not(self) -> None:
        connection = a_connection("203.0.113.60")
        facts = {"name": connection.host.name, "token": connection.token}
        bodies = [ask("/nic/update", source=f"203.0.113.{number}", **facts)[1] for number in range(61, 70)]
        assert bodies[0] == "good 203.0.113.61" and bodies[-1] == "abuse"
        last = addresses(connection.host)[0].removesuffix("/32")
        assert ask("/nic/update", source=last, **facts)[1] == f"nochg {last}"

    def test_the_64_of_a_line_when_its_holder_chose_that(self) -> None:
        connection = a_connection("203.0.113.71")
        DynamicHost.objects.update(v6_as=V6As.NETWORK)
        facts = {"name": connection.host.name, "token": connection.token, "source": "2001:db8:50:7::1"}
        status, body, _ = ask("/nic/update", "myipv6=2001:db8:50:7::/64", **facts)
        assert (status, body) == ("200 OK", "good 2001:db8:50:7::/64")
        assert ask("/nic/update", "myipv6=2001:db8:50:7::1", **facts)[1] == "nochg 2001:db8:50:7::/64"

    @pytest.mark.parametrize("prefix", ["2001:db8:50::/56", "2001:db8:50:7::/64", "2001:db8:50::/48"])
    def test_a_prefix_that_cannot_be_used_spoils_nothing(self, prefix: str) -> None:
        connection = a_connection("203.0.113.71")
        facts = {"name": connection.host.name, "token": connection.token, "source": "203.0.113.72"}
        asked = f"hostname={connection.host.name}&myip=203.0.113.72&ip6lanprefix={prefix}"
        assert ask("/nic/update", asked, **facts)[:2] == ("200 OK", "good 203.0.113.72")
        assert ask("/nic/update", asked, **facts)[1] == "nochg 203.0.113.72"
        # Alone it is still not taken, and an address that is not taken beside it says so.
        assert ask("/nic/update", f"ip6lanprefix={prefix}", **facts)[1] == "911"
        assert ask("/nic/update", f"myip=10.0.0.1&ip6lanprefix={prefix}", **facts)[1] == "911"

    def test_of_two_families_the_one_that_is_proved_is_taken_though_the_word_is_for_both(self) -> None:
        connection = a_connection("203.0.113.71")
        facts = {"name": connection.host.name, "token": connection.token, "source": "203.0.113.72"}
        asked = "myip=203.0.113.72,2001:db8:50:7::1"
        for _each in range(2):
            assert ask("/nic/update", asked, **facts)[:2] == ("200 OK", "911")
        assert [str(each.block) for each in connection.host.reported.order_by("family")] == ["203.0.113.72/32"]
        assert ask("/nic/update", "myip=203.0.113.72", **facts)[1] == "nochg 203.0.113.72"

    def test_a_replaced_token_is_refused_and_its_holder_sees_that(self) -> None:
        connection = a_connection("203.0.113.72")
        connection.host.tokens.update(ends_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
        facts = {"name": connection.host.name, "token": connection.token, "source": "203.0.113.72"}
        assert ask("/nic/update", **facts)[:2] == ("401 Unauthorized", "badauth")
        assert queries.reports_of(connection.host).first().outcome == "old_token"

    def test_many_wrong_passwords_of_one_household_are_asked_to_come_later(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(updates, "UNKNOWN_RATE", 3)
        monkeypatch.setattr(updates, "UNKNOWN_PER", 86_400)  # none comes back while the test runs
        connection = a_connection("203.0.113.74")
        wrong = [
            ask("/nic/update", name="none", token=f"wrong-{number}", source=f"2001:db8:50:8::{number:x}")[:2]
            for number in range(updates.UNKNOWN_RATE + 1)
        ]
        assert wrong[:-1] == [("401 Unauthorized", "badauth")] * updates.UNKNOWN_RATE
        assert wrong[-1] == ("503 Service Unavailable", "911")
        # Whoever has the right one is answered all the same, and so is another household.
        right = {"name": connection.host.name, "token": connection.token}
        assert ask("/nic/update", "myip=203.0.113.74", source="2001:db8:50:8::ffff", **right)[0] == "200 OK"
        assert ask("/nic/update", name="none", token="wrong", source="2001:db8:50:9::1")[0] == "401 Unauthorized"

    def test_a_browser_reports_nothing_whoever_s_link_it_opens(self) -> None:
        """https://NAME:PASSWORD@register/nic/update, sent to somebody on another line."""
        connection = a_connection("203.0.113.75")
        facts = {"name": connection.host.name, "token": connection.token, "source": "203.0.113.76"}
        for site in ("none", "same-origin", "cross-site"):
            said = ask("/nic/update", agent="Mozilla/5.0", HTTP_SEC_FETCH_SITE=site, **facts)[:2]
            assert said == ("503 Service Unavailable", "911")
        assert addresses(connection.host) == ["203.0.113.75/32"]

    def test_a_registration_that_ended_has_no_such_host(self) -> None:
        connection = a_connection("203.0.113.73")
        connection.registration.struck_out_at = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
        connection.registration.struck_out_code = "X1"
        connection.registration.struck_out_by = "person:x"
        connection.registration.save()
        facts = {"name": connection.host.name, "token": connection.token, "source": "203.0.113.73"}
        assert ask("/nic/update", **facts)[:2] == ("200 OK", "nohost")

    def test_while_the_database_is_away_clients_are_told_to_come_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def away(*_: Any, **__: Any) -> None:
            raise OperationalError("good nochg OK: the server closed the connection")

        monkeypatch.setattr(updates, "answer", away)
        assert ask("/nic/update")[:2] == ("503 Service Unavailable", "911")

    def test_costs_few_queries(self, django_assert_max_num_queries: Any) -> None:
        connection = a_connection("203.0.113.74")
        facts = {"name": connection.host.name, "token": connection.token, "source": "203.0.113.74"}
        ask("/nic/update", **facts)
        with django_assert_max_num_queries(4):
            assert ask("/nic/update", **facts)[1] == "nochg 203.0.113.74"


TEXT = st.text(alphabet=st.characters(codec="utf-8"), max_size=60)


class TestRules:
    @given(TEXT)
    def test_any_query_is_understood_or_means_nothing(self, query: str) -> None:
        asked = rules.read_query(query)
        assert len(asked.hosts) <= rules.MOST_HOSTS
        for texts in rules.choose(asked.addresses, V6As.HOST).values():
            assert texts

    @given(TEXT)
    def test_any_header_is_a_name_and_token_or_none(self, header: str) -> None:
        shown = rules.read_authorization(header)
        assert shown is None or all(isinstance(part, str) for part in shown)

    @given(st.lists(st.tuples(st.sampled_from(sorted(WORDS)), st.sampled_from(["", "203.0.113.7"])), min_size=1))
    def test_a_body_holds_the_known_words_and_no_other(self, lines: list[tuple[str, str]]) -> None:
        for line in rules.body(lines).split("\n"):
            assert line.split(" ")[0] in WORDS
            assert re.fullmatch(r"(good|nochg) \S+|good|nochg|badauth|nohost|abuse|911", line)

    @given(st.ip_addresses(v=4))
    def test_an_address_is_from_its_own_line_and_from_no_other(self, address: Any) -> None:
        block = rules.read_address(str(address))
        assert block is not None and rules.is_from(block, address)
        assert not rules.is_from(block, address + 1 if int(address) < 2**32 - 1 else address - 1)

    @given(st.ip_addresses(v=6))
    def test_of_an_ipv6_line_every_address_of_its_64_speaks(self, address: Any) -> None:
        block = rules.read_address(str(address))
        assert block is not None
        if block.version == 6:
            around = block.supernet(new_prefix=64)
            assert rules.is_from(block, around[0]) and rules.is_from(block, around[-1])

    def test_what_is_answered_is_known_to_clients(self) -> None:
        assert set(rules.WORDS.values()) | {rules.BADAUTH, rules.NOHOST, rules.AWAY} <= WORDS

    def test_a_lease_is_told_to_the_feed_twice_in_its_length_at_most(self) -> None:
        start, length, grace = dt.datetime(2026, 11, 25, tzinfo=dt.UTC), dt.timedelta(hours=26), dt.timedelta(days=3)
        entry_until, changes = start + length + grace, 0
        for minute in range(0, 60 * 24 * 10, 5):
            until = start + dt.timedelta(minutes=minute) + length
            if rules.wants_extending(entry_until=entry_until, reported_until=until, length=length, grace=grace):
                entry_until, changes = until + grace, changes + 1
            assert entry_until >= until + grace - length / 2
        assert changes <= 19
