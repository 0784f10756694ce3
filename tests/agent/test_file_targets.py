"""Files as targets: written when something changed, not more often than they bear, and read by what reads them."""

import datetime as dt
import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from rahdari.agent.configuration import Configuration, FileTarget, load
from rahdari.agent.faults import Exit
from rahdari.agent.status import status
from rahdari.agent.targets_configuration import file_target
from tests.agent.feeds import Publisher, Stand, an_entry, names, now, running, sync, written


@pytest.fixture
def edge(configuration: Configuration, tmp_path: Path) -> Configuration:
    return replace(configuration, targets=(FileTarget("palo-alto", "edl", tmp_path / "edl.txt"),))


class TestPut:
    def test_writes_nothing_when_nothing_changed_and_puts_back_what_somebody_changed(
        self, publisher: Publisher, edge: Configuration, tmp_path: Path
    ) -> None:
        publisher.publish(an_entry("192.0.2.1/32", "udp", 51820))
        path = tmp_path / "edl.txt"
        with running(edge) as agent:
            assert agent.sync(now=now(), look=True).applied.targets == ("edl",)
            stamp = path.stat().st_ino
            assert agent.sync(now=now(), look=True).applied.targets == ()
            assert path.stat().st_ino == stamp
            path.write_text("192.0.2.1\n203.0.113.99\n")
            outcome = agent.sync(now=now(), look=True)
            assert (outcome.exit, names(outcome)) == (Exit.ALARM, ["RemovedLocally"])
            assert outcome.faults[0].what == f"{path} was not as it had been written. It was written anew."
            assert path.read_text() == "192.0.2.1\n"

    def test_follows_a_setting_that_was_changed(
        self, publisher: Publisher, edge: Configuration, tmp_path: Path
    ) -> None:
        publisher.publish(an_entry("192.0.2.1/32"), an_entry("192.0.2.0/32"))
        assert sync(edge).exit is Exit.OK
        target = edge.targets[0]
        assert isinstance(target, FileTarget)
        outcome = sync(replace(edge, targets=(replace(target, capacity=1),)))
        assert (outcome.exit, outcome.applied.targets) == (Exit.OK, ("edl",))
        assert (tmp_path / "edl.txt").read_text() == "192.0.2.0/31\n"

    def test_of_what_is_costly_waits_its_time_and_says_so(
        self, publisher: Publisher, stand: Stand, edge: Configuration, tmp_path: Path
    ) -> None:
        rare = FileTarget("csv", "rare", tmp_path / "rare.csv", every_seconds=3600)
        both = replace(edge, targets=(rare, *edge.targets))
        publisher.publish(an_entry("192.0.2.1/32"))
        with running(both) as agent:
            assert agent.sync(now=now(), look=True).exit is Exit.OK
            assert agent.targets.wait is None
            publisher.publish(an_entry("192.0.2.2/32"))
            outcome = agent.sync(now=now(), look=True)
            assert (outcome.exit, outcome.applied.targets) == (Exit.OK, ("edl",))
            assert agent.targets.wait == pytest.approx(3600, abs=60)
            assert "192.0.2.2" not in rare.path.read_text()
            # It is behind, on purpose: the authority sees that it is, and nobody is alarmed.
            told = {target["name"]: target["ok"] for target in stand.told(publisher.session)[-1]["targets"]}
            assert told == {"rare": False, "edl": True}
            said = status(configuration=both, state=agent.state, now=now())
            assert said.unapplied == ()
            late = status(configuration=both, state=agent.state, now=now() + dt.timedelta(hours=2))
            assert late.unapplied == ("rare",)
        # A process that begins anew writes at once.
        assert sync(both).applied.targets == ("rare",)
        assert "192.0.2.2" in rare.path.read_text()

    def test_writes_anew_what_fades_at_the_device(
        self, publisher: Publisher, configuration: Configuration, tmp_path: Path
    ) -> None:
        router = replace(configuration, targets=(file_target("mikrotik", "router", tmp_path / "rahdari.rsc"),))
        publisher.publish(an_entry("192.0.2.1/32"))
        assert sync(router).exit is Exit.OK
        assert sync(router).applied.targets == ()
        publisher.lifetime = dt.timedelta(days=3)
        publisher.stamp()
        later = sync(router, at=now() + dt.timedelta(hours=25))
        assert later.applied.targets == ("router",)

    def test_runs_a_command_then_until_it_succeeds(
        self, publisher: Publisher, edge: Configuration, tmp_path: Path
    ) -> None:
        target = edge.targets[0]
        assert isinstance(target, FileTarget)
        word = tmp_path / "word"
        code = (
            f"import pathlib, sys; p = pathlib.Path({str(word)!r}); "
            "p.exists() or sys.exit('not yet'); p.write_text('done')"
        )
        edge = replace(edge, targets=(replace(target, then=(sys.executable, "-c", code)),))
        publisher.publish(an_entry("192.0.2.1/32"))
        outcome = sync(edge)
        assert (outcome.exit, names(outcome)) == (Exit.NOT_APPLIED, ["CommandFailed"])
        assert "not yet" in outcome.faults[0].what
        word.touch()
        assert sync(edge).exit is Exit.OK
        assert word.read_text() == "done"

    def test_marks_the_operators_own_additions(
        self, publisher: Publisher, configuration: Configuration, tmp_path: Path
    ) -> None:
        own = tmp_path / "own.csv"
        own.write_text("prefix,protocol,port,comment\n203.0.113.7,udp,51820,our concentrator\n")
        targets = (FileTarget("json", "all", tmp_path / "all.json"), FileTarget("palo-alto", "edl", tmp_path / "edl"))
        publisher.publish(an_entry("192.0.2.1/32"))
        assert sync(replace(configuration, targets=targets, local=own)).exit is Exit.OK
        entries = json.loads((tmp_path / "all.json").read_text())["entries"]
        assert [(entry["prefix"], entry["local"]) for entry in entries] == [
            ("192.0.2.1/32", False),
            ("203.0.113.7/32", True),
        ]
        assert (tmp_path / "edl").read_text() == "192.0.2.1\n203.0.113.7\n"


class TestConfiguration:
    def test_gives_each_kind_its_usual_settings(self, configuration: Configuration, tmp_path: Path) -> None:
        path = written(replace(configuration, targets=()))
        path.write_text(
            path.read_text()
            + '[[target]]\nkind = "mmdb"\npath = "r.mmdb"\n'
            + '[[target]]\nkind = "bird"\npath = "/etc/bird/rahdari.conf"\ncommunity = "64496:1:1"\n'
            + '[[target]]\nkind = "cisco-xr"\npath = "xr"\nstyle = "object-group"\ncapacity = 9\nthen = ["true"]\n'
            + '[[target]]\nkind = "frr"\nvtysh = ["vtysh", "-d", "bgpd"]\n'
            + '[[target]]\nkind = "ipset"\nprefix = "vpn"\n'
        )
        mmdb, bird, xr, frr, ipset = load(path).targets
        assert isinstance(mmdb, FileTarget)
        assert (mmdb.name, mmdb.every_seconds, mmdb.path) == ("r.mmdb", 60, path.parent / "r.mmdb")
        assert isinstance(bird, FileTarget)
        assert bird.options == {"list": "rahdari", "community": "64496:1:1", "control": "/run/bird/bird.ctl"}
        assert isinstance(xr, FileTarget)
        assert (xr.options["style"], xr.capacity, xr.then) == ("object-group", 9, ("true",))
        assert (frr.kind, frr.name, frr.capacity) == ("frr", "frr", 10_000)
        assert (ipset.kind, ipset.name) == ("ipset", "ipset")

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ('kind = "cisco-ios"\npath = "x"\nlist = "A B"', "`list` is not as it must be"),
            ('kind = "cisco-xr"\npath = "x"\nstyle = "other"', "`style` is not as it must be"),
            ('kind = "bird"\npath = "x"\ncommunity = "64496"', "`community` is not as it must be"),
            ('kind = "bird"\npath = "x"\ncontrol = "bird.ctl"', "`control` is not as it must be"),
            ('kind = "mikrotik"\npath = "x"\nmost_days = 0', "`most_days` must be 1 or more"),
            ('kind = "palo-alto"\npath = "x"\ncapacity = 0', "must not be below 1 and 0"),
            ('kind = "palo-alto"\npath = "x"\ntable = "x"', "`table` is not a setting"),
            ('kind = "ipset"\nprefix = "a-name-that-is-too-long"', "`prefix` must be one word"),
            ('kind = "frr"\nlist = "A;B"', "`list` must be one word"),
            ('kind = "csv"\npath = "x"\nname = "y"\n[[target]]\nkind = "json"\npath = "x"', "Two targets write"),
        ],
    )
    def test_names_what_is_wrong(self, configuration: Configuration, text: str, says: str) -> None:
        from rahdari.agent.configuration import ConfigurationError

        path = written(replace(configuration, targets=()))
        path.write_text(path.read_text() + f"[[target]]\n{text}\n")
        with pytest.raises(ConfigurationError) as caught:
            load(path)
        assert says in str(caught.value)
