"""Addresses of the register's own: listed like any other, in a role of their own, and nobody's."""

import datetime as dt
import ipaddress
from pathlib import Path

import pytest
from django.utils import timezone

from rahdari.address import directory
from rahdari.publish.envelope import Repository
from rahdari.publish.models import Listing
from rahdari.register import actions as register
from rahdari.register import queries
from rahdari.register.models import Registration
from tests.builders.publishing import NOW, YEAR, address, an_operator, entered, publish

from .test_commands import run

pytestmark = pytest.mark.django_db(transaction=True)
CANARY = "198.51.100.77"


def listed(asn: int | None) -> list[tuple[str, str]]:
    """What the streams of this network have now (of everything, without one): role and address."""
    rights = {"stream__everything": True} if asn is None else {"stream__asns": [asn]}
    rows = Listing.objects.filter(until_sequence=None, **rights).order_by("stream__role", "entry__block")
    return [(row.stream.role, str(row.entry.block)) for row in rows.select_related("stream", "entry")]


def a_canary(*words: str) -> int:
    return run("feed", "canary", CANARY, "--protocol", "udp", "--port", "51820", *words)


@pytest.fixture
def operators(feed: Repository) -> None:
    an_operator("sample-fibre", asns=[64500])
    an_operator("example-broadband", asns=[64501])
    an_operator("sample-gateway", asns=[], gateway=True)
    publish()


@pytest.mark.usefixtures("operators")
class TestEnterCanary:
    def test_lists_it_to_one_network_and_to_gateways_in_a_role_of_its_own(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        entered(address(1))
        assert a_canary("--asn", "AS64501") == 0
        publish(NOW + dt.timedelta(seconds=5))
        assert listed(64500) == [("feed-static", address(1))]
        assert listed(64501) == [("feed-canary", f"{CANARY}/32")]
        assert listed(None) == [("feed-canary", f"{CANARY}/32"), ("feed-static", address(1))]
        assert run("feed", "canaries") == 0
        assert f"{CANARY} udp 51820  to AS64501" in capsys.readouterr().out

    def test_without_a_network_lists_it_to_gateways_alone(self) -> None:
        assert a_canary() == 0
        publish(NOW + dt.timedelta(seconds=5))
        assert (listed(64500), listed(64501)) == ([], [])
        assert listed(None) == [("feed-canary", f"{CANARY}/32")]

    def test_is_refused_where_somebody_is_registered(self, capsys: pytest.CaptureFixture[str]) -> None:
        entered(f"{CANARY}/32")
        assert a_canary() == 1
        assert "registered already" in capsys.readouterr().err
        assert run("feed", "canary", "198.51.100.77.5") == 1
        assert run("feed", "canary", CANARY, "--protocol", "esp", "--port", "5") == 1

    def test_stays_where_it_was_meant_for_whatever_the_directory_says(self, monkeypatch: pytest.MonkeyPatch) -> None:
        origins = [directory.Origin(asn=64500, organisation="Sample", prefix=ipaddress.ip_network("198.51.100.0/24"))]
        assert a_canary("--asn", "64501") == 0
        known = directory.Directory(origins)
        monkeypatch.setattr(directory, "current", lambda: known)
        register.follow_directory(now=NOW)
        assert [entry.asns for entry in queries.canaries()] == [[64501]]

    def test_is_nobodys(self) -> None:
        assert a_canary("--for", "1d") == 0
        canary = Registration.objects.get()
        assert queries.registration_by_reference(canary.reference) is None
        now = timezone.now()
        assert not queries.expiring_between(start=now, end=now + YEAR)
        assert register.expire_due(now=now + dt.timedelta(days=2)) == 1
        assert not queries.expired_since(start=now - YEAR)
        assert not queries.canaries()


@pytest.mark.usefixtures("operators")
class TestEndCanary:
    def test_lists_it_no_more_and_says_so_when_there_is_none(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert a_canary("--asn", "64500") == 0
        publish(NOW + dt.timedelta(seconds=5))
        assert run("feed", "end-canary", CANARY) == 0
        publish(NOW + dt.timedelta(seconds=10))
        assert listed(64500) == listed(None) == []
        assert run("feed", "end-canary", CANARY) == 1
        assert "is no canary" in capsys.readouterr().err
        # The same address again is another one.
        assert a_canary() == 0
        assert run("feed", "canaries") == 0

    def test_leaves_what_is_registered_alone(self, tmp_path: Path) -> None:
        entered(address(1))
        assert run("feed", "end-canary", address(1)) == 1
        assert queries.active_entries().count() == 1
