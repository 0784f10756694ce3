"""Nobody is on a list of those who are not registered: when the clocks have run, nothing here says who they were, or
where."""

import datetime as dt
import ipaddress
import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rahdari import policy, workflow
from rahdari.address import parse_parts
from rahdari.apply import drafts, parts, sending
from rahdari.apply.models import Application
from rahdari.attest import requests
from rahdari.attest.models import Attestation, AttestationUse, MembershipInquiry
from rahdari.decide import assignment, ending, questions, refusals, revocation
from rahdari.decide.models import Case, CaseQuestion
from rahdari.inquiry.kinds import Kind
from rahdari.letters.models import Letter
from rahdari.people.models import User
from rahdari.publish import actions as publish
from rahdari.publish.models import Listing
from rahdari.register import address_changes
from rahdari.register import queries as register
from rahdari.register.models import Change, Entry, Registration
from rahdari.register.rules import Standing
from rahdari.workflow import retention
from tests.builders import publishing as world
from tests.builders import story
from tests.builders.addresses import KNOWN, UNKNOWN
from tests.builders.attestations import ASSOCIATION, YEAR, a_secretary
from tests.builders.drafts import a_photo, asking, cnic_of

pytestmark = pytest.mark.django_db
RULES = policy.current(settings.POLICY_FILE)
_numbers = itertools.count(1)


@pytest.fixture(autouse=True)
def asks_for_a_card(settings: Any, tmp_path: Path) -> None:
    asking(settings, tmp_path, card_number="required", contact_number="optional")


@dataclass(frozen=True)
class Planted:
    """A person whose every word is unlike any other's."""

    application: Application
    words: frozenset[str]


def somebody(*, known: bool = True) -> Planted:
    number = next(_numbers)
    person = story.a_person()
    name = f"Zarwashtine Quibbleforth {number}"
    contact, paper = f"Xanthippe Katabatic {number}", f"quillfeather-{number}.jpg"
    evidence = f"From studio{number}@sesquipedalian.example: we work with you."
    address = f"{KNOWN if known else UNKNOWN}{100 + number}"
    application = story.a_draft(person)
    facts = {"application": application, "actor": story.actor_of(person), "now": timezone.now()}
    cnic = cnic_of(person)
    drafts.save_person(name=name, cnic=cnic, **facts)
    drafts.save_contact(name=contact, mobile=f"+9230000{number:05}", **facts)
    drafts.save_evidence(kind="client_email", text=evidence, **facts)
    parts.attach_document(rule="evidence", name=paper, content=a_photo(), **facts)
    parts.add_endpoint(block=address, runs="wireguard", parts=parse_parts("udp 51820"), **facts)
    story.prove(application.endpoints.get())
    words = {name, contact, paper, evidence, address, cnic, f"30000{number:05}"}
    return Planted(story.fresh(application), frozenset(words))


def dump() -> dict[str, str]:
    """Every table, as whoever has the keys reads it."""
    found = {}
    for model in apps.get_models():
        rows = []
        for row in model._default_manager.all():
            rows += [str(getattr(row, field.attname)) for field in model._meta.concrete_fields]
        found[model._meta.db_table] = "\n".join(rows)
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        for (name,) in cursor.fetchall():
            cursor.execute(f'SELECT t::text FROM "{name}" t')
            found[name] = "\n".join([found.get(name, ""), *(text for (text,) in cursor.fetchall())])
    return found


def places_of(planted: Planted) -> dict[str, set[str]]:
    tables = dump()
    return {table: hits for table, text in tables.items() if (hits := {word for word in planted.words if word in text})}


def papers() -> set[str]:
    folder = settings.DATA / "documents"
    return {str(path) for path in folder.rglob("*") if path.is_file()}


def all_letters_went_out() -> None:
    Letter.objects.exclude(state="sent").update(state="sent", sent_at=timezone.now())


# -- how an application comes to nothing -----------------------------------------------------------------------------


def never_finished() -> Planted:
    return somebody()


def withdrawn_draft() -> Planted:
    planted = somebody()
    sending.withdraw_application(
        application=planted.application, actor=story.actor_of(planted.application.applicant), now=timezone.now()
    )
    return planted


def withdrawn() -> Planted:
    planted = somebody(known=False)
    story.send(planted.application)
    story.advance()
    sending.withdraw_application(
        application=planted.application, actor=story.actor_of(planted.application.applicant), now=timezone.now()
    )
    return planted


def _case_of(planted: Planted) -> tuple[Case, User]:
    story.send(planted.application)
    story.advance()
    officer = story.an_officer()
    case = story.case_of(planted.application)
    assignment.take_case(case=case, officer=officer, now=timezone.now())
    return case, officer


def not_pursued() -> Planted:
    planted = somebody(known=False)
    case, officer = _case_of(planted)
    questions.ask_question(case=case, officer=officer, code="Q4", text="Which clients?", now=timezone.now())
    workflow.advance(now=timezone.now() + dt.timedelta(days=40))
    assert CaseQuestion.objects.get(case=case).lapsed_at is not None
    return planted


def refused() -> Planted:
    planted = somebody(known=False)
    case, officer = _case_of(planted)
    story.denied(planted.application)
    refusals.propose_refusal(case=case, officer=officer, codes=["R3"], text="No contract.", now=timezone.now())
    notice = case.notices.get()
    refusals.answer_notice(
        notice=notice,
        answer="The line is my landlord's.",
        actor=story.actor_of(planted.application.applicant),
        now=timezone.now(),
    )
    second = story.an_officer(rank="director", role="supervisor")
    refusals.second_refusal(
        case=story.case_of(planted.application), officer=second, because="It is another's.", now=timezone.now()
    )
    return planted


def attested_when_asked() -> Planted:
    """The association had never heard of them: that it attests them is the answer to their application."""
    planted, now = somebody(known=False), timezone.now()
    number = f"M-{next(_numbers):05}"
    facts = {"application": planted.application, "actor": story.actor_of(planted.application.applicant), "now": now}
    drafts.save_evidence(kind="association", text="", association=ASSOCIATION, association_number=number, **facts)
    story.send(planted.application)
    story.advance()
    requests.attest_applicant(
        request=MembershipInquiry.objects.get(),
        claim="freelancer",
        method="register",
        valid_until=timezone.localdate() + YEAR,
        by="person:test",
        now=now,
    )
    story.advance()
    sending.withdraw_application(**facts)
    return Planted(planted.application, planted.words | {number})


STATES: tuple[Callable[[], Planted], ...] = (never_finished, withdrawn_draft, withdrawn, not_pursued, refused)


# -- how a registration ends -----------------------------------------------------------------------------------------


def _granted() -> Planted:
    planted = somebody()
    story.send(planted.application)
    story.advance()
    assert Registration.objects.filter(origin=planted.application.subject).exists()
    return planted


def ended() -> Planted:
    planted = _granted()
    registration = Registration.objects.get(origin=planted.application.subject)
    ending.end(registration=registration, actor=story.actor_of(planted.application.applicant), now=timezone.now())
    return planted


def expired() -> Planted:
    return _granted()


def taken_back() -> Planted:
    planted = _granted()
    case, director = story.case_of(planted.application), story.an_officer(rank="director", role="supervisor")
    officer, now = story.an_officer(), timezone.now()
    revocation.propose_revocation(
        case=case, officer=officer, code="X5", text="The letter is forged.", evidence="An answer.", now=now
    )
    refusals.answer_notice(
        notice=case.notices.get(),
        answer="It is genuine.",
        actor=story.actor_of(planted.application.applicant),
        now=now,
    )
    fresh = story.case_of(planted.application)
    revocation.second_revocation(case=fresh, officer=director, because="It is not.", now=timezone.now())
    return planted


ENDS: tuple[Callable[[], Planted], ...] = (ended, expired, taken_back)


class TestWhoseRegistrationEnded:
    @pytest.mark.parametrize("end", ENDS, ids=lambda end: end.__name__)
    def test_is_nowhere_when_the_clocks_have_run(self, end: Callable[[], Planted], feed: Path) -> None:
        planted = end()
        number = Registration.objects.get().reference
        publish.publish_editions(now=timezone.now())
        for days in (800, 801, 840, 841, 842):
            now = timezone.now() + dt.timedelta(days=days)
            workflow.advance(now=now)
            all_letters_went_out()
            publish.publish_editions(now=now)
        assert places_of(planted) == {}
        assert not Entry.objects.exists() and not Change.objects.exists() and not Listing.objects.exists()
        # What the public asks by its number is told as before.
        registration = Registration.objects.get(reference=number)
        assert register.standing(registration, now) in {Standing.EXPIRED, Standing.STRUCK_OUT}

    def test_would_be_found(self, feed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        planted = ended()
        publish.publish_editions(now=timezone.now())
        monkeypatch.setattr(retention.streams, "needed", lambda entries, **_: set(entries))
        all_letters_went_out()
        workflow.advance(now=timezone.now() + dt.timedelta(days=400))
        assert set(places_of(planted)) == {"register_entry", "register_change"}


class TestAnAddressThatChanges:
    """A line at home: its addresses of last month say when somebody was where."""

    def test_is_forgotten_a_week_after_the_next_one_took_its_place(self, feed: Path) -> None:
        now = timezone.now()
        held = world.entered(f"{KNOWN}231/32", kind="dynamic", now=now)
        for number in (232, 233):
            publish.publish_editions(now=now)
            entry = held.entries.get(ended_at__isnull=True)
            changes = {"block": ipaddress.ip_network(f"{KNOWN}{number}/32"), "asn": 64500}
            overlap = {"until": None, "overlap_until": now + dt.timedelta(minutes=10)}
            now += dt.timedelta(hours=1)
            address_changes.move_entry(
                entry=entry, origin=f"dyndns:{number}", actor="clock", now=now, **changes, **overlap
            )
            now += dt.timedelta(hours=1)
            workflow.advance(now=now)
        publish.publish_editions(now=now)
        left = now
        assert held.entries.count() == 3
        workflow.advance(now=left + dt.timedelta(days=6))
        assert held.entries.count() == 3
        workflow.advance(now=left + dt.timedelta(days=8))
        assert [str(entry.block) for entry in held.entries.all()] == [f"{KNOWN}233/32"]
        assert not [table for table, text in dump().items() if f"{KNOWN}231" in text]


class TestTheNumberOfThem:
    def test_is_told_to_whoever_watches_and_is_nothing_at_last(self) -> None:
        def told() -> dict[str, float]:
            page = Client().get("/metrics/held").content.decode()
            rows = [row.split() for row in page.splitlines() if not row.startswith("#")]
            return {name: float(value) for name, value in rows}

        _granted()
        assert not any(told().values())
        refused()
        withdrawn_draft()
        assert told()["rahdari_held_without_registration"] == 2
        all_letters_went_out()
        workflow.advance(now=timezone.now() + dt.timedelta(days=60))
        assert not any(told().values())
        assert Client().get("/metrics/held", headers={"X-Forwarded-For": "192.0.2.1"}).status_code == 404


class TestWhoeverCameToNothing:
    def test_would_be_found(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """One room that forgets to erase is enough."""
        planted = refused()
        all_letters_went_out()
        monkeypatch.setattr(Kind, "erase_about", lambda *_, **__: [])
        workflow.advance(now=timezone.now() + dt.timedelta(days=400))
        assert set(places_of(planted)) == {"confirm_subscriberquestion"}

    def test_is_a_member_of_the_association_that_attested_them_and_tied_to_no_application(self) -> None:
        """If that went with the file, the association would see by it who is registered no more."""
        planted = attested_when_asked()
        desk, pages = Client(), [reverse("attest:members"), reverse("attest:own_list")]
        pages.append(reverse("attest:attestation", args=[Attestation.objects.get().number]))
        desk.force_login(a_secretary())

        def seen() -> list[str]:
            return [re.sub(r'value="[^"]{64}"', "", desk.get(each).text) for each in pages]

        before = seen()
        all_letters_went_out()
        workflow.advance(now=timezone.now() + dt.timedelta(days=400))
        assert set(places_of(planted)) == {"attest_attestation"}
        assert not AttestationUse.objects.exists() and MembershipInquiry.objects.get().attestation is None
        assert seen() == before

    @pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
    def test_is_nowhere_when_the_clocks_have_run(
        self, state: Callable[[], Planted], django_capture_on_commit_callbacks: Callable[..., object]
    ) -> None:
        before = papers()
        planted = state()
        all_letters_went_out()
        assert places_of(planted), "nothing was planted"
        later = timezone.now() + dt.timedelta(days=400)
        with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]
            workflow.advance(now=later)
        all_letters_went_out()
        with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]
            workflow.advance(now=later)
        assert places_of(planted) == {}
        assert papers() - before == set()
