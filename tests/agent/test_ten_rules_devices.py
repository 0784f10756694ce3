"""Rules 9 and 10 of the agent, those of devices; the others stand in test_ten_rules.py."""

import io
import ipaddress
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rahdari.agent.configuration import Configuration, FileTarget, NftTarget
from rahdari.agent.entries import EntryRow
from rahdari.agent.faults import Exit
from rahdari.agent.files import OverCapacity, write_rendered
from rahdari.agent.renderers import RENDERERS
from rahdari.agent.ruleset import ruleset
from rahdari.agent.targets_configuration import file_target
from tests.agent.feeds import Publisher, Stand, a_configuration, an_entry, names, now, running, sync
from tests.agent.namespaces import Namespace, a_namespace
from tests.agent.renderers import HEAD, a_row
from tests.agent.test_sets import addresses, rows
from tests.needs import needs_program


class TestRule9CapacityIsHeldBeforeAnythingIsReplaced:
    """Above it merged, exactly; then refused and told. Never cut short."""

    @given(rows, st.integers(1, 12))
    def test_a_list_has_all_addresses_and_no_other_or_there_is_no_list(
        self, given: list[EntryRow], capacity: int
    ) -> None:
        out = io.BytesIO()
        target = FileTarget("palo-alto", "edl", Path("edl"), capacity=capacity)
        wanted = {one for row in given for one in addresses(row.prefix)}
        networks = [
            [ipaddress.ip_network(row.prefix) for row in given if (":" in row.prefix) is v6] for v6 in (False, True)
        ]
        fewest = sum(len(list(ipaddress.collapse_addresses(one))) for one in networks)  # type: ignore[type-var]
        if fewest > capacity:
            with pytest.raises(OverCapacity) as caught:
                write_rendered(out, target, lambda: iter(given), HEAD)
            assert caught.value.needed == fewest
            return
        rendered = write_rendered(out, target, lambda: iter(given), HEAD)
        lines = out.getvalue().decode().splitlines()
        assert len(lines) == rendered.items <= capacity
        assert {one for line in lines for one in addresses(line)} == wanted

    @pytest.mark.parametrize("kind", [kind for kind, renderer in RENDERERS.items() if renderer.capacity])
    def test_by_default_it_is_what_the_maker_says(self, kind: str) -> None:
        if kind != "frr":
            assert file_target(kind, kind, Path(kind)).capacity == RENDERERS[kind].capacity
        small = FileTarget(kind, kind, Path(kind), capacity=1)
        with pytest.raises(OverCapacity):
            two = [a_row("192.0.2.1/32"), a_row("192.0.2.7/32")]
            write_rendered(io.BytesIO(), small, lambda: iter(two), HEAD)

    def test_the_device_keeps_what_it_had_and_an_operator_is_called(
        self, publisher: Publisher, stand: Stand, configuration: Configuration, tmp_path: Path
    ) -> None:
        path = tmp_path / "list.txt"
        small = replace(configuration, targets=(FileTarget("fortigate", "list.txt", path, capacity=2),))
        publisher.publish(an_entry("192.0.2.1/32"), an_entry("192.0.2.9/32"))
        assert sync(small).exit is Exit.OK
        had = path.read_bytes()
        publisher.publish(an_entry("203.0.113.7/32"))
        outcome = sync(small)
        assert (outcome.exit, names(outcome)) == (Exit.NOT_APPLIED, ["OverCapacity"])
        assert "holds 2 at most and 3 are needed" in outcome.faults[0].what
        assert path.read_bytes() == had
        assert stand.told(publisher.session)[-1]["targets"][0]["ok"] is False
        # The neighbour of one that is there: merged, both have room.
        publisher.publish(remove=[entry for entry in publisher.entries.values() if entry.prefix == "203.0.113.7/32"])
        publisher.publish(an_entry("192.0.2.0/32"))
        assert sync(small).exit is Exit.OK
        assert path.read_text() == "192.0.2.0/31\n192.0.2.9\n"


@pytest.fixture
def loaded() -> Iterator[Namespace]:
    needs_program("nft", "apt-get install nftables")
    with a_namespace() as namespace:
        namespace.nft("-f", "-", given=ruleset())
        yield namespace


@pytest.mark.root
class TestRule10AppliedAtomicallyReadBackThenAcknowledged:
    def edge(self, tmp_path: Path, publisher: Publisher, stand: Stand, **target: object) -> Configuration:
        places = (NftTarget("edge", **target),)  # type: ignore[arg-type]
        return a_configuration(tmp_path / "edge", stand.url, publisher.root_file, targets=places)

    def test_all_sets_change_in_one_transaction_or_none_does(
        self, tmp_path: Path, publisher: Publisher, stand: Stand, loaded: Namespace
    ) -> None:
        edge = self.edge(tmp_path, publisher, stand, netns=loaded.name)
        publisher.publish(an_entry("192.0.2.1/32"))
        with running(edge) as agent:
            assert agent.sync(now=now(), look=True).exit is Exit.OK
            # One of the sets is made to refuse: what would have gone into the others does not go there alone.
            loaded.nft("delete", "table", "inet", "rahdari")
            sets = ruleset().replace("set nets4 { type ipv4_addr; flags interval; }", "set nets4 { type ipv4_addr; }")
            loaded.nft("-f", "-", given=sets)
            publisher.publish(an_entry("192.0.2.2/32"), an_entry("198.51.100.0/24"))
            assert agent.sync(now=now(), look=False).exit is Exit.NOT_APPLIED
            assert loaded.elements("hosts4") == []

    def test_what_changed_is_read_back_at_once(
        self, tmp_path: Path, publisher: Publisher, stand: Stand, loaded: Namespace
    ) -> None:
        """A program that says yes and does nothing is found out, and nothing is acknowledged."""
        nft = needs_program("nft", "apt-get install nftables")
        liar = tmp_path / "nft"
        switch = tmp_path / "lie"
        liar.write_text(
            f'#!/bin/sh\nif [ -e {switch} ] && [ "$1" = -f ]; then cat > /dev/null; exit 0; fi\nexec {nft} "$@"\n'
        )
        liar.chmod(0o755)
        edge = self.edge(tmp_path, publisher, stand, netns=loaded.name, nft=str(liar))
        publisher.publish(an_entry("192.0.2.1/32"))
        with running(edge) as agent:
            assert agent.sync(now=now(), look=True).exit is Exit.OK
            switch.touch()
            gone = next(iter(publisher.entries.values()))
            for change in ({"remove": [gone]}, {}):
                publisher.publish(*(() if change else (an_entry("192.0.2.2/32"),)), **change)  # type: ignore[arg-type]
                outcome = agent.sync(now=now(), look=False)
                assert names(outcome) == ["NotReadBack"]
                assert stand.told(publisher.session)[-1]["targets"][0]["ok"] is False
            switch.unlink()
            assert agent.sync(now=now(), look=False).exit is Exit.OK
            assert loaded.elements("hosts4") == ["192.0.2.2"]
            assert stand.told(publisher.session)[-1]["targets"][0]["ok"] is True

    def test_everything_is_read_back_on_the_timer_and_what_is_missing_put_back_and_told(
        self, tmp_path: Path, publisher: Publisher, stand: Stand, loaded: Namespace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """In a register so large that sets are not listed, as well."""
        from rahdari.agent import set_device

        edge = self.edge(tmp_path, publisher, stand, netns=loaded.name)
        publisher.publish(
            *(an_entry(f"10.0.{a}.{b}/32") for a in range(2) for b in range(200)), an_entry("192.0.2.0/25")
        )
        with running(edge) as agent:
            for most in (set_device.LIST_UP_TO, 10):
                monkeypatch.setattr(set_device, "LIST_UP_TO", most)
                assert agent.sync(now=now(), look=True).applied.faults == ()
                loaded.nft("delete", "element", "inet", "rahdari", "hosts4", "{ 10.0.0.7, 10.0.1.9, 10.0.1.199 }")
                loaded.nft("delete", "element", "inet", "rahdari", "nets4", "{ 192.0.2.0/25 }")
                outcome = agent.sync(now=now(), look=True)
                assert (outcome.exit, names(outcome)) == (Exit.ALARM, ["RemovedLocally"])
                assert "4 registered elements were missing at edge" in outcome.faults[0].what
                assert len(loaded.elements("hosts4")) == 400
                assert len(loaded.elements("nets4")) == 1
                assert agent.sync(now=now(), look=True).applied.faults == ()

    def test_a_change_names_only_what_changed(
        self, tmp_path: Path, publisher: Publisher, stand: Stand, loaded: Namespace
    ) -> None:
        """What nft is told does not grow with the register."""
        nft = needs_program("nft", "apt-get install nftables")
        heard = tmp_path / "heard"
        listener = tmp_path / "nft"
        listener.write_text(
            f'#!/bin/sh\nif [ "$1" = -f ]; then tee -a {heard} | {nft} -f -; else exec {nft} "$@"; fi\n'
        )
        listener.chmod(0o755)
        edge = self.edge(tmp_path, publisher, stand, netns=loaded.name, nft=str(listener))
        publisher.publish(*(an_entry(f"10.0.{a}.{b}/32") for a in range(10) for b in range(100)))
        with running(edge) as agent:
            assert agent.sync(now=now(), look=True).exit is Exit.OK
            heard.unlink()
            gone = next(iter(publisher.entries.values()))
            publisher.publish(an_entry("192.0.2.1/32"), an_entry("198.51.100.0/24"), remove=[gone])
            assert agent.sync(now=now(), look=False).exit is Exit.OK
            assert heard.read_text() == (
                f"delete element inet rahdari hosts4 {{ {gone.prefix.removesuffix('/32')} }}\n"
                "add element inet rahdari hosts4 { 192.0.2.1 }\n"
                "add element inet rahdari nets4 { 198.51.100.0/24 }\n"
            )
