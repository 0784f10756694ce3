"""What a holder does with a registration: another protocol or port at an address, and its end."""

import ipaddress
import re
import shutil
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rahdari.applicant.paper import sheet_of
from rahdari.applicant.registrations import CHANGES
from rahdari.applicant.stages import Facts, Stage, stage_of
from rahdari.apply.models import Application
from rahdari.feed import DELTA_LIMITS, EditionReader, Op, Operation
from rahdari.journal import queries as journal
from rahdari.people import actions as people
from rahdari.people.models import User
from rahdari.portal.applicant.registration import history_of
from rahdari.publish import actions as publish
from rahdari.publish import queries as editions
from rahdari.register import actions as register
from rahdari.register import reference as references
from rahdari.register.models import Change, Entry, Registration
from rahdari.register.rules import NewEntry
from tests import urdu
from tests.builders import story
from tests.builders.people import sign_in_at_once
from tests.builders.shared import known_networks

pytestmark = pytest.mark.django_db
TCP_443 = {"kind": "openvpn_tcp", "protocol": "", "port": ""}


@pytest.fixture(scope="module", autouse=True)
@known_networks()
def built(shared: None) -> Application:
    """Somebody follows the feed, and somebody holds a registration."""
    publish.create_operator(slug="sample-gateway", name="Sample Gateway", asns=[], gateway=True, now=timezone.now())
    return story.a_granted_application(story.a_person())


@pytest.fixture(autouse=True)
def the_house(built: Application, settings: Any, tmp_path: Path, db: None) -> Iterator[None]:
    """A data folder of its own, so that the feed begins with this test's database."""
    shutil.copytree(settings.DATA / "keys", tmp_path / "data" / "keys")
    settings.DATA = tmp_path / "data"
    with known_networks():
        yield


@pytest.fixture
def granted(built: Application, db: None) -> Application:
    return story.fresh(built)


@pytest.fixture
def holder(granted: Application) -> User:
    return granted.applicant


@pytest.fixture
def registration(granted: Application) -> Registration:
    return story.registration_of(granted)


@pytest.fixture
def browser(holder: User) -> Client:
    return signed_in(holder)


def signed_in(user: User) -> Client:
    client = Client(headers={"Accept-Language": user.language})
    return sign_in_at_once(client, user)


def to_change(registration: Registration, entry: Entry | None = None) -> str:
    entry = entry or registration.entries.order_by("port")[0]
    return reverse("portal:change_entry", args=[registration.reference, entry.pk])


def to_end(registration: Registration) -> str:
    return reverse("portal:end_registration", args=[registration.reference])


def end(browser: Client, registration: Registration) -> Any:
    """Its number is typed, and it ends."""
    return browser.post(to_end(registration), {"number": registration.reference})


def page_of(registration: Registration) -> str:
    return reverse("portal:registration", args=[registration.reference])


def of_a_company(owner: User, member: User) -> Registration:
    now = timezone.now()
    facts: dict[str, Any] = {"actor": story.actor_of(owner), "now": now}
    company = people.register_organisation(
        owner=owner, name="Sample Software House (Pvt) Ltd", company_number="0000482", ntn="0000482", **facts
    )
    people.add_member(organisation=company, user=member, **facts)
    return entered(company.holder_ref, ("udp", 51820), address="203.0.113.252")


def entered(holder: uuid.UUID, *ways: tuple[str, int | None], address: str = "203.0.113.251") -> Registration:
    """A registration of one address with several endpoints."""
    now = timezone.now()
    return register.enter(
        origin=f"application:{uuid.uuid4()}",
        holder=holder,
        category="vpn_company",
        endpoints=[
            NewEntry(f"endpoint:{uuid.uuid4()}", ipaddress.ip_network(address), protocol, port, 64500)
            for protocol, port in ways
        ],
        valid_from=now,
        valid_until=now + timedelta(days=365),
        actor="system:test",
        now=now,
    )


def last_delta(offline: Path) -> list[Operation]:
    """What the newest edition says, read from the file that operators get."""
    before = editions.latest_edition()
    story.published(offline)
    edition = editions.latest_edition()
    assert edition is not None and edition != before, "nothing was published"
    start, end = edition.sequence - 1, edition.sequence
    found = list((django_settings.DATA / "feed" / "targets" / "feed-static").rglob(f"*.delta-{start}-{end}-*.jsonl.gz"))
    assert len(found) == 1
    with found[0].open("rb") as stream:
        return list(EditionReader(stream, DELTA_LIMITS))


class TestChange:
    def test_of_a_paused_one_says_when_operators_get_it(self, browser: Client, registration: Registration) -> None:
        browser.post(reverse("portal:pause_registration", args=[registration.reference]), {"days": "7"})
        assert to_change(registration) in browser.get(page_of(registration)).text
        assert "Operators get the change when it continues" in browser.get(to_change(registration)).text
        done = browser.post(to_change(registration), TCP_443, follow=True).text
        assert "Operators get the change when the registration continues" in done and "within seconds" not in done

    def test_keeps_the_address_and_tells_operators(
        self, browser: Client, holder: User, registration: Registration, tmp_path: Path
    ) -> None:
        before = registration.entries.get()
        story.published(tmp_path / "offline")
        page = browser.get(page_of(registration)).text
        assert to_change(registration) in page
        form = browser.get(to_change(registration)).text
        assert "The address stays as it is" in form
        assert 'value="wireguard" ' in form
        # Another address is a change of this registration, which keeps its number.
        assert "/change/" in form and reverse("apply:start") not in form.partition("</header>")[2]
        answer = browser.post(to_change(registration), TCP_443)
        assert answer["Location"] == page_of(registration)
        after = registration.entries.get()
        assert (after.block, after.asn, after.feed_id) == (before.block, before.asn, before.feed_id)
        assert (after.protocol, after.port) == ("tcp", 443)
        row = journal.about(f"registration:{registration.pk}")[0]
        assert (row.act, row.actor) == ("register.amended", story.actor_of(holder))
        (said,) = last_delta(tmp_path / "offline")
        assert said.op is Op.REPLACE
        assert said.was is not None
        assert (said.was.protocol, said.was.port) == ("udp", 51820)
        assert (said.entry.id, said.entry.protocol, said.entry.port) == (before.feed_id, "tcp", 443)
        assert '<bdi dir="ltr">TCP 443</bdi>' in browser.get(page_of(registration)).text

    def test_takes_another_port_in_the_digits_of_the_keyboard(
        self, browser: Client, registration: Registration
    ) -> None:
        browser.post(to_change(registration), {"kind": "wireguard", "port": "۵۱۸۲۱"})
        assert registration.entries.get().port == 51821
        browser.post(to_change(registration), {"kind": "other", "protocol": "esp"})
        parts = {str(entry.part) for entry in registration.entries.all()}
        assert parts == {"udp 500", "udp 4500", "esp"}, "ESP alone is no tunnel"

    def test_to_a_service_of_several_parts_is_one_address_and_one_event(
        self, browser: Client, registration: Registration, tmp_path: Path
    ) -> None:
        browser.post(to_change(registration), {"kind": "ikev2"})
        page = browser.get(page_of(registration)).text
        assert '<bdi dir="ltr">IKEv2 UDP 500, 4500 + ESP</bdi>' in page
        assert page.count("<code>203.0.113.") == 4, "the address, its proof, and two events"
        assert sheet_of(registration, timezone.now()).addresses == 1
        assert Change.objects.filter(entry__registration=registration, act="amend").count() == 3
        assert [event.act for event in history_of(registration)] == ["enter", "amend"]

    def test_offers_what_it_is_registered_as(self, browser: Client, holder: User) -> None:
        """At a port of its own the service cannot be told from the ports: the application says it."""
        draft = story.fill(story.a_draft(holder))
        story.prove(story.add(draft, port=51999))
        story.send(story.fresh(draft))
        story.advance()
        registration = story.registration_of(story.fresh(draft))
        form = browser.get(to_change(registration)).text
        assert re.search(r'value="wireguard"[^>]* checked', form) and 'value="51999"' in form
        assert not re.search(r'value="other"[^>]* checked', form)

    def test_says_so_where_a_part_that_was_named_becomes_the_whole(
        self, browser: Client, registration: Registration
    ) -> None:
        named = {"kind": "other", "protocol": "udp", "port": "1701"}
        page = browser.post(to_change(registration), named, follow=True).text
        assert "Changed. Operators get it" in page and "You named a part of" in page

    def test_sent_twice_is_one_change(self, browser: Client, registration: Registration) -> None:
        for _ in range(2):
            assert browser.post(to_change(registration), TCP_443).status_code == 302
        assert Change.objects.filter(entry__registration=registration, act="amend").count() == 1

    @pytest.mark.parametrize(
        ("given", "words"),
        [
            ({}, "Choose what runs there"),
            ({"kind": "other"}, "Choose the protocol"),
            ({"kind": "other", "protocol": "sctp"}, "Choose the protocol"),
            ({"kind": "other", "protocol": "gre", "port": "47"}, "This protocol has no port"),
            ({"kind": "any", "port": "443"}, "This protocol has no port"),
            ({"kind": "wireguard", "port": "65536"}, "A port is a number from 1 to 65535."),
            ({"kind": "wireguard", "port": "http"}, "Enter the ports as numbers"),
        ],
    )
    def test_says_how_to_mend_what_cannot_be(
        self, browser: Client, registration: Registration, given: dict[str, str], words: str
    ) -> None:
        page = browser.post(to_change(registration), given)
        assert page.status_code == 200
        assert "<title>Error:" in page.text
        assert words in page.text
        assert not Change.objects.filter(entry__registration=registration, act="amend").exists()

    @pytest.mark.parametrize("given", [{"kind": "openvpn_udp"}, {"kind": "other", "protocol": "udp"}, {"kind": "any"}])
    def test_to_what_is_registered_beside_it_is_answered_in_words(
        self, browser: Client, holder: User, given: dict[str, str]
    ) -> None:
        registration = entered(holder.holder_ref, ("udp", 1194), ("udp", 51820))
        entry = registration.entries.get(port=51820)
        page = browser.post(to_change(registration, entry), given)
        assert "You have registered this already" in page.text
        assert '<bdi dir="ltr">203.0.113.251 UDP 1194</bdi>' in page.text
        entry.refresh_from_db()
        assert entry.port == 51820

    def test_takes_no_other_address(self, browser: Client, registration: Registration) -> None:
        before = registration.entries.get().block
        browser.post(to_change(registration), TCP_443 | {"block": "203.0.113.9", "address": "203.0.113.9"})
        assert registration.entries.get().block == before

    def test_stops_somebody_who_changes_it_all_the_time(self, browser: Client, registration: Registration) -> None:
        for port in range(2000, 2000 + CHANGES):
            assert browser.post(to_change(registration), {"kind": "wireguard", "port": str(port)}).status_code == 302
        assert browser.post(to_change(registration), TCP_443).status_code == 429
        assert registration.entries.get().port == 2000 + CHANGES - 1

    def test_of_what_has_ended_changes_nothing(self, browser: Client, registration: Registration) -> None:
        end(browser, registration)
        assert browser.get(to_change(registration))["Location"] == page_of(registration)
        answer = browser.post(to_change(registration), TCP_443, follow=True)
        assert "This registration is not valid now. Nothing was changed." in answer.text
        assert to_change(registration) not in answer.text


class TestEnd:
    def test_asks_once_and_then_does_it(
        self, browser: Client, holder: User, registration: Registration, tmp_path: Path
    ) -> None:
        feed_id = registration.entries.get().feed_id
        story.published(tmp_path / "offline")
        assert to_end(registration) in browser.get(page_of(registration)).text
        page = browser.get(to_end(registration)).text
        for part in ("You can undo this until", "your connection may be cut", "its holder ended it"):
            assert part in page
        for given in ({}, {"number": "RD-0D7B-92YP"}):
            assert browser.post(to_end(registration), given).status_code == 200
        registration.refresh_from_db()
        assert registration.struck_out_at is None
        for _ in range(2):
            assert end(browser, registration)["Location"] == page_of(registration)
        registration.refresh_from_db()
        assert registration.struck_out_code == "X1"
        rows = [row for row in journal.about(f"registration:{registration.pk}") if row.act == "register.struck_out"]
        assert [(row.actor, row.reason) for row in rows] == [(story.actor_of(holder), "X1")]
        (said,) = last_delta(tmp_path / "offline")
        assert (said.op, said.entry.id) == (Op.REMOVE, feed_id)

    def test_is_said_everywhere(self, browser: Client, granted: Application, registration: Registration) -> None:
        story.an_operator("sample-fibre", "Sample Fibre")
        end(browser, registration)
        page = browser.get(page_of(registration)).text
        assert "Your registration has ended" in page
        assert "It ended at your request on" in page
        assert "A letter tells you why" not in page
        assert "Where it is in force" not in page
        assert to_end(registration) not in page
        assert "Ended by the holder" in browser.get(reverse("portal:registrations")).text
        public = Client().get(reverse("portal:check_number"), {"number": registration.reference}).text
        assert "Ended by its holder" in public
        assert "Struck out" not in public
        status = browser.get(reverse("portal:status", args=[granted.reference])).text
        assert "This registration has ended" in status
        assert "In force at" not in status
        assert "You are on the register" not in status
        assert reverse("apply:start") in status

    def test_leaves_the_address_free_for_a_new_application(
        self, browser: Client, holder: User, registration: Registration
    ) -> None:
        block = registration.entries.get().block
        end(browser, registration)
        again = story.fill(story.a_draft(holder))
        assert story.add(again, str(block.network_address)).network == block

    def test_after_it_was_struck_out_for_another_reason_keeps_that_reason(
        self, browser: Client, granted: Application, registration: Registration
    ) -> None:
        register.strike_out(registration=registration, code="X4", actor="officer:1", now=timezone.now())
        end(browser, registration)
        registration.refresh_from_db()
        assert registration.struck_out_code == "X4"
        assert "no longer valid" in browser.get(page_of(registration)).text
        public = Client().get(reverse("portal:check_number"), {"number": registration.reference}).text
        assert "Struck out of the register" in public
        status = browser.get(reverse("portal:status", args=[granted.reference])).text
        assert "was struck out of the register" in status

    def test_of_what_has_expired_is_not_offered(self, browser: Client, granted: Application) -> None:
        registration = story.registration_of(granted)
        past = timezone.now() - timedelta(minutes=1)
        Registration.objects.filter(pk=registration.pk).update(
            valid_until=past, grace_until=past, valid_from=past - timedelta(days=1)
        )
        assert browser.get(to_end(registration))["Location"] == page_of(registration)
        end(browser, registration)
        registration.refresh_from_db()
        assert registration.struck_out_at is None
        status = browser.get(reverse("portal:status", args=[granted.reference])).text
        assert "This registration has expired" in status


class TestTerm:
    def test_is_said_as_it_is(self, browser: Client, registration: Registration) -> None:
        page = browser.get(page_of(registration)).text
        assert "It can be renewed from" in page
        assert reverse("portal:renew", args=[registration.reference]) in page


class TestOthers:
    def test_find_nothing(self, registration: Registration) -> None:
        stranger = signed_in(story.a_person())
        entry = registration.entries.get()
        absent = references.make()
        for name, more in (("portal:end_registration", []), ("portal:change_entry", [entry.pk])):
            for method in ("get", "post"):
                theirs = getattr(stranger, method)(reverse(name, args=[registration.reference, *more]), TCP_443)
                none = getattr(stranger, method)(reverse(name, args=[absent, *more]), TCP_443)
                assert theirs.status_code == none.status_code == 404
                assert theirs.text.partition("<main")[2] == none.text.partition("<main")[2]
        registration.refresh_from_db()
        entry.refresh_from_db()
        assert registration.struck_out_at is None
        assert entry.protocol == "udp"

    def test_cannot_reach_an_entry_through_a_registration_of_their_own(
        self, browser: Client, registration: Registration
    ) -> None:
        theirs = entered(uuid.uuid4(), ("udp", 51820)).entries.get()
        for method in ("get", "post"):
            assert getattr(browser, method)(to_change(registration, theirs), TCP_443).status_code == 404
        theirs.refresh_from_db()
        assert theirs.protocol == "udp"

    def test_who_belong_to_the_company_read_it_and_only_its_owners_act(self, holder: User) -> None:
        member = story.a_person()
        registration = of_a_company(holder, member)
        visitor = signed_in(member)
        page = visitor.get(page_of(registration))
        assert page.status_code == 200
        assert "Only an owner or a manager of the organisation can renew or end it." in page.text
        for place in (to_end(registration), to_change(registration)):
            assert place not in page.text
            assert visitor.get(place).status_code == 404
            assert visitor.post(place, TCP_443).status_code == 404
        registration.refresh_from_db()
        assert registration.struck_out_at is None
        assert signed_in(holder).post(to_change(registration), TCP_443).status_code == 302
        assert end(signed_in(holder), registration).status_code == 302
        registration.refresh_from_db()
        assert registration.struck_out_code == "X1"

    def test_need_a_sign_in(self, client: Client, registration: Registration) -> None:
        for place in (to_end(registration), to_change(registration)):
            assert client.get(place)["Location"].startswith(reverse("account_login"))
            assert "You were signed out" in client.post(place, TCP_443).text
        registration.refresh_from_db()
        assert registration.struck_out_at is None


class TestStageOf:
    @pytest.mark.parametrize("standing", ["ended", "paused", "suspended", "struck_out", "expired"])
    def test_what_is_no_longer_valid_is_never_in_force(self, standing: str) -> None:
        facts: dict[str, Any] = {"status": "granted", "decided": "granted", "entered": True, "published": True}
        assert stage_of(Facts(**facts, in_force=1, operators=1, standing="valid")) is Stage.IN_FORCE
        assert stage_of(Facts(**facts, in_force=1, operators=1, standing=standing)) is Stage(standing)

    def test_the_proof_comes_before_the_fee_and_an_officer_before_both(self) -> None:
        facts: dict[str, Any] = {"status": "submitted", "fee_waits": True}
        assert stage_of(Facts(**facts)) is Stage.FEE
        assert stage_of(Facts(**facts, control_waits=True)) is Stage.PROOF
        assert stage_of(Facts(**facts, has_case=True)) is Stage.REVIEW


class TestInBothLanguages:
    @pytest.mark.parametrize("language", ["en", "ur"])
    def test_every_page_is_whole(self, language: str) -> None:
        user = story.a_person(language)
        client = signed_in(user)
        granted = story.a_granted_application(user)
        mine, two = story.registration_of(granted), entered(user.holder_ref, ("udp", 1194), ("udp", 51820))
        company = of_a_company(story.a_person(), user)
        status = reverse("portal:status", args=[granted.reference])
        pages = {
            "registration": client.get(page_of(mine)),
            "registration of the company": client.get(page_of(company)),
            "change": client.get(to_change(mine)),
            "change, nothing chosen": client.post(to_change(mine), {"kind": "other", "port": "x"}),
            "change, registered already": client.post(to_change(two), {"kind": "any"}),
            "same": client.post(to_change(mine), {"kind": "wireguard"}, follow=True),
            "changed": client.post(to_change(mine), TCP_443, follow=True),
            "pause": client.get(reverse("portal:pause_registration", args=[mine.reference])),
            "pause, nothing chosen": client.post(reverse("portal:pause_registration", args=[mine.reference])),
            "paused": client.post(
                reverse("portal:pause_registration", args=[mine.reference]), {"days": "7"}, follow=True
            ),
            "public check, paused": client.get(reverse("portal:check_number"), {"number": mine.reference}),
            "status, paused": client.get(status),
            "goes on": client.post(reverse("portal:go_on", args=[mine.reference]), follow=True),
            "end": client.get(to_end(mine)),
            "end, wrong number": client.post(to_end(mine), {"number": "RD-0000"}),
            "ended": client.post(to_end(mine), {"number": mine.reference}, follow=True),
            "change too late": client.post(to_change(mine), TCP_443, follow=True),
            "status, ended": client.get(status),
            "home": client.get(reverse("portal:home")),
            "registrations": client.get(reverse("portal:registrations")),
            "public check": client.get(reverse("portal:check_number"), {"number": mine.reference}),
        }
        Registration.objects.filter(pk=mine.pk).update(struck_out_code="X4")
        pages["status, struck out"] = client.get(status)
        sound: Callable[[str], list[Any]] = urdu.page_problems if language == "ur" else lambda _text: []
        problems = {}
        for name, page in pages.items():
            assert page.status_code == 200, name
            assert f'<html lang="{language}"' in page.text, name
            assert page.text.count("<h1") == 1, name
            assert "style=" not in page.text, name
            assert "{{" not in page.text and "%(" not in page.text, name
            if found := sound(page.text):
                problems[name] = found
        assert not problems, "\n".join(f"{name}: {found}" for name, found in problems.items())
