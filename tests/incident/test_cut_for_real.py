"""A connection is cut by a real rule of nftables, at its operator, at the server or on the path: measured by the
product's own looks from four places, reported, answered, mended, and closed with a pack that two programs check that
are not ours. Its holder and the operator act on their pages; what the holder reads is read in both languages.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext

from rahdari.incident import clocks, packs, queries, words
from rahdari.incident.models import Incident, Report
from rahdari.incident.rules import Channel, Proof, Reason, State
from rahdari.people.models import Role, User
from rahdari.register.models import Registration
from rahdari.watch import queries as watch
from rahdari.watch.models import Consent
from rahdari.watch.verdicts import State as Verdict
from tests.builders import people
from tests.builders.publishing import an_operator, entered
from tests.in_browser import faults_on_a_small_phone
from tests.watch.places import NOW, ROUND, Places, agreed, places

from .roads import ADDRESS, ELSEWHERE, OTHERS, PORT, Roads, roads
from .test_packs import Authority, authority, commands, run, unpacked

__all__ = ["authority"]
pytestmark = [pytest.mark.django_db, pytest.mark.browser, pytest.mark.root, pytest.mark.whole]
THERE = "We take it out tonight."


@dataclass(frozen=True)
class Cut:
    """Where a rule drops what; what that is measured to be; who reports it, and with which code it is answered."""

    machine: str
    rule: tuple[str, ...]
    # By the place that looks, and the address.
    drops: Callable[[str, str], bool]
    verdict: Verdict
    reported: Channel
    reason: Reason


CUTS = {
    # All that the operator's filter takes for a tunnel, at its edge.
    "operator": Cut(
        "operator",
        ("prerouting", "iifname", "line", "tcp", "dport", str(PORT)),
        lambda place, address: place != "in-1" and address in {ADDRESS, *OTHERS},
        Verdict.THIS_OPERATOR,
        Channel.PAGE,
        Reason.FILTER_TOO_WIDE,
    ),
    # A server that answers nobody is nobody's cut: none is opened by measurement, and its holder may ask all the same.
    "server": Cut(
        "server",
        ("input", "tcp", "dport", str(PORT)),
        lambda place, address: address == ADDRESS,
        Verdict.SERVER_DOWN,
        Channel.PAGE,
        Reason.HOLDER_SERVER,
    ),
    "path": Cut(
        "road",
        ("forward", "ip", "daddr", ADDRESS),
        lambda place, address: place != "in-1" and address == ADDRESS,
        Verdict.PATH_BLOCKED,
        Channel.MEASURED,
        Reason.UPSTREAM,
    ),
}


@dataclass
class Land:
    """Endpoints at two operators, places that look, a holder, and somebody `there`, at the operator. Time is that of
    the looks."""

    roads: Roads
    places: Places
    holder: User
    consent: Consent
    registration: Registration
    at_holder: Client = field(default_factory=Client)
    there: Client = field(default_factory=Client)
    seen: dict[str, list[tuple[str, str]]] = field(default_factory=lambda: {"en": [], "ur": []})

    def looks(self, count: int) -> None:
        for _ in range(count):
            self.places.round()
        clocks.report_measured(now=self.places.at)
        clocks.follow(now=self.places.at)

    @property
    def incident(self) -> Incident:
        (report,) = queries.reports_of(self.registration)
        return queries.incidents().get(pk=report.incident_id)

    @property
    def state(self) -> str:
        found = watch.state_of(self.consent)
        assert found is not None
        return found.state

    def page(self, act: str = "") -> str:
        given = [self.registration.reference, self.incident.reference, *([act] if act else [])]
        return reverse("portal:incident_act" if act else "portal:incident", args=given)

    def of_operator(self, act: str = "") -> str:
        given = [self.incident.reference, *([act] if act else [])]
        return reverse("incident:act_of_operator" if act else "incident:one_of_operator", args=given)

    def does(self, client: Client, path: str, **given: str) -> HttpResponse:
        """Somebody sends a form of a page, a minute after what was before."""
        self.places.at += ROUND / 5
        with time_machine.travel(self.places.at, tick=False):
            answer = client.post(path, given)
        assert answer.status_code == 302, answer.content.decode()
        return answer

    def read(self, name: str, *said: tuple[Any, str]) -> None:
        """The holder opens the page in both languages: it says each of these words, and shows no other's address."""
        for language, kept in self.seen.items():
            User.objects.filter(pk=self.holder.pk).update(language=language)
            with time_machine.travel(self.places.at, tick=False):
                text = self.at_holder.get(self.page(), headers={"accept-language": language}).content.decode()
            with translation.override(language):
                for word_of, key in said:
                    assert word_of(key) in text, (name, language, word_of(key))
            assert ADDRESS in text and OTHERS[0] not in text
            kept.append((name, text))


@contextmanager
def measured(folder: Path) -> Iterator[Land]:
    """Measured once, and in order."""
    an_operator()
    holder, mender = people.a_freelancer(now=NOW), people.a_person("mender")
    people.with_post(mender, Role.OPERATOR, operator="sample-fibre")
    with roads(folder) as built, places(control=built.control) as seen:
        mine = entered(f"{ADDRESS}/32", now=NOW, holder=holder.holder_ref)
        given = {"claim": built.claim, "now": NOW}
        consent = agreed(ADDRESS, of=mine, **given)
        for each in OTHERS:
            agreed(each, **given)
        for each in ELSEWHERE:
            agreed(each, asn=64501, **given)
        for fake in seen.fakes:
            fake.sees = partial(built.look, fake.name)
        land = Land(built, seen, holder, consent, mine)
        with time_machine.travel(NOW, tick=False):
            land.at_holder.force_login(holder)
            land.there.force_login(mender)
        land.looks(1)
        assert land.state == Verdict.IN_ORDER
        yield land


@pytest.mark.parametrize("where", CUTS)
def test_is_measured_reported_answered_mended_and_closed_with_a_pack(
    where: str, authority: Authority, tmp_path: Path
) -> None:
    cut = CUTS[where]
    with measured(tmp_path) as land:
        land.roads.cut(cut.machine, *cut.rule, drops=cut.drops)
        if cut.reported == Channel.PAGE and cut.verdict != Verdict.SERVER_DOWN:
            # Before anything of it is measured.
            report_on_the_page(land)
        land.looks(2)
        assert land.state == cut.verdict
        if cut.verdict == Verdict.SERVER_DOWN:
            assert not Report.objects.exists()
            report_on_the_page(land)
        (report,) = queries.reports_of(land.registration)
        assert report.channel == cut.reported
        incident = land.incident
        assert incident.operator is not None and incident.operator.slug == "sample-fibre"
        land.read("reported", (words.state, State.OPEN), (words.measured, cut.verdict))
        land.does(land.there, land.of_operator("answer"), reason=cut.reason, words=THERE)
        if cut.reason == Reason.HOLDER_SERVER:
            # It disclaims: there is nothing that the operator could mend.
            land.read("disclaimed", (words.state, State.RESOLVED), (words.reason, cut.reason))
        else:
            land.read("answered", (words.state, State.WITH_OPERATOR), (words.reason, cut.reason), (str, THERE))
            # Said before it is done: three looks find out.
            land.does(land.there, land.of_operator("mended"))
            land.looks(3)
            assert land.incident.unproved_at is not None
        land.roads.mend(cut.machine)
        land.looks(2)
        assert land.incident.is_live, "two looks are not three"
        land.looks(1)
        assert (land.incident.state, land.incident.proof) == (State.CLOSED_WITH_PROOF, Proof.LOOKS)
        assert packs.make_due(now=land.places.at) > 0
        land.read("closed", (gettext, "Your connection is back"), (words.reason, cut.reason), (str, "/pack/evidence/"))
        holds_for_others(land, cut, tmp_path)
    assert [fault for code, pages in land.seen.items() for fault in faults_on_a_small_phone(pages, code)] == []


def report_on_the_page(land: Land) -> None:
    path = reverse("portal:report_cut", args=[land.registration.reference])
    (entry,) = land.registration.entries.all()
    answer = land.does(land.at_holder, path, connection=str(entry.pk), sees="nothing", own_side="on")
    assert answer["Location"] == land.page()


def holds_for_others(land: Land, cut: Cut, folder: Path) -> None:
    """What the holder takes from the page says what was measured, and is checked by `sha256sum` and `openssl`."""
    pack = queries.pack_of(land.incident, land.registration)
    assert pack is not None and pack.stamped_at is not None
    given = [land.registration.reference, land.incident.reference, "evidence"]
    with time_machine.travel(land.places.at, tick=False):
        taken = land.at_holder.get(reverse("portal:incident_file", args=given))
    assert taken.content == packs.content_of(pack, "evidence")
    place = unpacked(pack, "evidence", folder)
    hashes, signature, time, *_more = commands(place / "README.en.txt")
    assert (hashes[0], signature[:2], time[:2]) == ("sha256sum", ["openssl", "pkeyutl"], ["openssl", "ts"])
    assert run(*hashes, cwd=place).returncode == 0
    assert b"Signature Verified Successfully" in run(*signature, cwd=place).stdout
    assert b"Verification: OK" in run(*time, cwd=place).stdout
    file = place / "data/measured.json"
    seen = file.read_text()
    assert cut.verdict in seen and "timed_out" in seen and ADDRESS not in seen
    assert cut.reason in (place / "data/timeline.json").read_text()
    file.write_text(seen.replace(cut.verdict, "in_order", 1))
    assert run(*hashes, cwd=place).returncode != 0
