"""`rahdari agent preflight`: a planned change against what the agent holds, asking nobody."""

import datetime as dt
import ipaddress
import json
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rahdari.address import format_block
from rahdari.agent.configuration import Configuration
from rahdari.agent.faults import Exit
from rahdari.agent.folder import read_state
from rahdari.agent.published import Published
from rahdari.cli import main
from rahdari.preflight import EVERY_SORT, NO_PORT, Sorts
from rahdari.preflight.space import PORTS, union
from tests.agent.feeds import Publisher, an_entry, now, sync, written
from tests.preflight.editions import Edition, held


def asked(
    capsys: pytest.CaptureFixture[str], configuration: Configuration, plan: str, *more: str
) -> tuple[int, str, str]:
    file = configuration.state.parent / "plan.txt"
    file.write_text(plan, encoding="utf-8")
    code = main(["agent", "preflight", str(file), "--config", str(written(configuration)), *more])
    said = capsys.readouterr()
    return code, said.out, said.err


@pytest.fixture
def synced(publisher: Publisher, configuration: Configuration) -> Configuration:
    publisher.publish(
        an_entry("192.0.2.1/32", "udp", 51820), an_entry("198.51.100.0/24"), an_entry("2001:db8::1/128", "esp")
    )
    sync(configuration)
    return configuration


class TestPreflight:
    def test_counts_first_and_names_the_entries_and_the_lines(
        self, capsys: pytest.CaptureFixture[str], synced: Configuration
    ) -> None:
        code, out, err = asked(capsys, synced, "192.0.2.0/24\n198.51.100.0/25\n")
        assert (code, err) == (Exit.CUTS, "")
        assert out.splitlines() == [
            "Read as lines: 2 lines, 2 rules.",
            "Of 3 entries in edition 1 (dynamic 0, canary 0), 1 would be cut and 1 affected:",
            "  192.0.2.1 udp 51820: CUT by line 1",
            "  198.51.100.0/24 any: affected (deny) by line 2",
            "Not touched: 1.",
            "This says nothing of anybody else whom the change cuts.",
            "Every line was understood.",
        ]

    def test_says_what_it_cannot_say(self, capsys: pytest.CaptureFixture[str], synced: Configuration) -> None:
        code, out, _ = asked(capsys, synced, "203.0.113.0/24\n")
        assert code == Exit.OK
        assert "Of the entries in edition 1 (dynamic 0, canary 0) none is named." in out
        code, out, _ = asked(capsys, synced, "203.0.113.0/24\nvpn.example\n")
        # Who looks for one code alone misses no line.
        assert code == Exit.CUTS
        assert "none is named" not in out and "Not touched" not in out
        assert "Not judged because of 1 line: which entries in edition 1 (dynamic 0, canary 0) are not touched." in out
        assert "1 line not understood, and not judged:\n  line 2: vpn.example\n" in out
        assert "Write the addresses that it stands for." in out

    def test_a_change_that_denies_by_default_is_answered_with_its_share(
        self, capsys: pytest.CaptureFixture[str], synced: Configuration
    ) -> None:
        plan = "ip access-list extended X\n permit ip any host 192.0.2.1\n permit ip host 192.0.2.1 any\n"
        code, out, _ = asked(capsys, synced, plan, "--json")
        said = json.loads(out)
        assert (code, said["denies_by_default"]) == (Exit.CUTS, True)
        assert said["shares"]["ipv4"]["some"] == 1 - 1 / 2**32
        assert said["shares"]["ipv6"]["whole"] == 0
        assert (said["entries"], said["cut"], said["affected"]) == (3, 1, 0)
        assert [each["address"] for each in said["found"]] == ["198.51.100.0/24"]
        code, out, _ = asked(capsys, synced, "deny any\n")
        assert "THIS DENIES BY DEFAULT. Of all addresses it cuts off 100.0000% of IPv4" in out

    def test_calls_nothing_untouched_while_a_line_is_not_read(
        self, capsys: pytest.CaptureFixture[str], synced: Configuration
    ) -> None:
        for plan, not_touched in (("192.0.2.1\n", 2), ("192.0.2.1\nvpn.example\n", None), ("vpn.example 1\n", None)):
            code, out, _ = asked(capsys, synced, plan, "--json", "--syntax", "lines")
            assert (code, json.loads(out)["not_touched"]) == (Exit.CUTS, not_touched)

    def test_counts_what_begins_later_and_not_what_ended(
        self, capsys: pytest.CaptureFixture[str], publisher: Publisher, configuration: Configuration
    ) -> None:
        publisher.publish(an_entry("192.0.2.1/32", not_before=now() + dt.timedelta(days=18)), an_entry("192.0.2.2/32"))
        sync(configuration)
        code, out, _ = asked(capsys, configuration, "192.0.2.0/24\n", "--json")
        said = json.loads(out)
        assert (code, said["entries"], said["cut"], said["not_touched"]) == (Exit.CUTS, 2, 2, 0)
        _, out, _ = asked(capsys, configuration, "deny any\n", "--json")
        assert json.loads(out)["cut"] == 2

    def test_reads_what_is_piped_in(
        self, capsys: pytest.CaptureFixture[str], synced: Configuration, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import io
        import sys

        stdin = io.TextIOWrapper(io.BytesIO(b"2001:db8::/32\n"))
        monkeypatch.setattr(sys, "stdin", stdin)
        assert main(["agent", "preflight", "-", "--config", str(written(synced))]) == Exit.CUTS
        assert "2001:db8::1 esp: CUT by line 1" in capsys.readouterr().out

    @pytest.mark.parametrize(
        ("plan", "says"), [("", "Nothing is in the file"), ("hello\n", "in any syntax"), (None, "cannot be read")]
    )
    def test_refuses_what_is_no_change(
        self, capsys: pytest.CaptureFixture[str], synced: Configuration, plan: str | None, says: str
    ) -> None:
        if plan is None:
            code = main(["agent", "preflight", "/nowhere/plan", "--config", str(written(synced))])
            err = capsys.readouterr().err
        else:
            code, _, err = asked(capsys, synced, plan)
        assert code == Exit.USAGE and says in err

    def test_says_so_where_nothing_was_verified_yet(
        self, capsys: pytest.CaptureFixture[str], configuration: Configuration
    ) -> None:
        code, _, err = asked(capsys, configuration, "192.0.2.1\n")
        assert code == Exit.USAGE and "sync" in err

    def test_writes_nothing(self, capsys: pytest.CaptureFixture[str], synced: Configuration) -> None:
        before = {path: path.read_bytes() for path in synced.state.rglob("*") if path.is_file()}
        asked(capsys, synced, "203.0.113.77/32\n192.0.2.0/24\n")
        after = {path: path.read_bytes() for path in synced.state.rglob("*") if path.is_file()}
        assert {path for path in after if b"203.0.113.77" in after[path]} == set()
        assert {path.name: content for path, content in after.items() if not path.name.endswith(("-shm", "-wal"))} == {
            path.name: content for path, content in before.items() if not path.name.endswith(("-shm", "-wal"))
        }


HOSTS, WIDTHS = range(0, 64, 3), range(24, 33)
PREFIXES = st.sampled_from(
    [
        *(str(ipaddress.ip_network((0xC0000200 + at, bits), strict=False)) for at in HOSTS for bits in WIDTHS),
        *(f"2001:db8:{at:x}::/{bits}" for at in range(4) for bits in (48, 52, 64, 128)),
    ]
)


class TestPublished:
    """What is asked of the state, held against a list in memory."""

    @settings(
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
        max_examples=40,
        deadline=None,
    )
    @given(data=st.data())
    def test_finds_each_entry_that_shares_an_address_once(
        self, published: tuple[Configuration, list[str]], data: st.DataObject
    ) -> None:
        configuration, prefixes = published
        chosen = data.draw(st.lists(PREFIXES, max_size=8))
        wanted = {
            version: union(held(each).block for each in chosen if held(each).version == version) for version in (4, 6)
        }
        with read_state(configuration.state) as state:
            of = Published(state, kept_after=now())
            found = Counter(format_block(each.prefix) for each in of.meeting(wanted))
            assert of.total() == len(prefixes)
            some: list[Sorts] = [{"any": ((NO_PORT, NO_PORT), (7, 9))}, {"any": ((1, 9),), "udp": PORTS}, {}]
            for sorts in (EVERY_SORT, *some):
                plain = Edition(held(each, id="x") for each in prefixes)
                counts = [of.count(version, sorts) for version in (4, 6)]
                assert counts == [len(list(of.some(version, sorts))) for version in (4, 6)]
                assert counts == [plain.count(version, sorts) for version in (4, 6)]
        expected = Edition(held(each) for each in prefixes).meeting(wanted)
        assert found == Counter(format_block(each.prefix) for each in expected)

    @pytest.fixture
    def published(self, publisher: Publisher, configuration: Configuration) -> tuple[Configuration, list[str]]:
        nested = ["192.0.2.0/24", "192.0.2.0/26", "192.0.2.0/32", "192.0.2.32/27", "192.0.2.33/32", "192.0.2.48/28"]
        prefixes = [*nested, "192.0.3.7/32", "2001:db8::/32", "2001:db8:1::/48", "2001:db8:1::/64", "2001:db8:3::9/128"]
        publisher.publish(*(an_entry(each) for each in prefixes))
        sync(configuration)
        return configuration, prefixes
