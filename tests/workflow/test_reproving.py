"""Proofs are asked for again during the term; in vain they leave a mark and a letter, and nothing else."""

import datetime as dt
import ipaddress

import pytest
from django.test import Client
from django.urls import reverse

from rahdari import workflow
from rahdari.address import directory, format_block
from rahdari.apply.models import Application
from rahdari.control import challenges
from rahdari.control import queries as proofs
from rahdari.control import reproofs as control_reproofs
from rahdari.control.models import Method, Reproof
from rahdari.journal.models import JournalEntry as JournalEntry
from rahdari.letters import queries as letters
from rahdari.people import actions as people
from rahdari.people.models import Role, User
from rahdari.register import actions as register
from rahdari.register import address_changes
from rahdari.register import queries as entries
from rahdari.register.models import Entry, Registration
from rahdari.register.rules import NewEntry
from rahdari.workflow import reproving
from tests.builders.cases import DAY, NOW, an_application, an_officer

pytestmark = pytest.mark.django_db
TERM = "register -> control: prove again in the term"


def registered() -> tuple[Registration, Entry]:
    application = an_application()
    workflow.advance(now=NOW)
    found = entries.registration_from(application.subject)
    assert found is not None
    return found, found.entries.get()


def at_share(registration: Registration, share: float) -> dt.datetime:
    return registration.valid_from + (registration.valid_until - registration.valid_from) * share


def letters_of(registration: Registration) -> list[str]:
    return [letter.template for letter in letters.letters_about(f"registration:{registration.pk}")]


def reproofs(entry: Entry) -> list[Reproof]:
    return proofs.reproofs_of([f"entry:{entry.pk}"]).get(f"entry:{entry.pk}", [])


def show(reproof: Reproof, now: dt.datetime) -> None:
    link = proofs.latest_challenge(subject=reproof.subject, block=reproof.proof.network, method=Method.LINK)
    assert link is not None
    seen = ipaddress.ip_address(str(reproof.proof.network.network_address))
    assert challenges.open_link(token=proofs.link_token(link), address=seen, now=now).result == "proved"


def page_of_proofs(officer: User) -> str:
    client = Client()
    client.force_login(officer)
    return client.get(reverse("portal:proofs_in_vain")).text


class TestProveAgain:
    def test_asks_once_at_the_share_of_the_term_that_the_policy_names(self) -> None:
        registration, entry = registered()
        workflow.advance(now=at_share(registration, 0.29))
        assert not reproofs(entry)
        for _ in range(2):
            workflow.advance(now=at_share(registration, 0.301))
        (reproof,) = reproofs(entry)
        assert reproof.occasion.startswith("term:")
        # It was shown by a link, so the holder has to do something and is written to.
        assert letters_of(registration) == ["proof_wanted"]

    def test_rests_after_it_found_nothing_and_goes_on_while_there_is_something(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        registrations = [registered() for _ in range(3)]
        monkeypatch.setattr(reproving, "AT_ONCE", 1)
        monkeypatch.setattr(reproving, "READ_AT_ONCE", 2)
        rounds = workflow.Rounds()
        before, due = (at_share(registrations[0][0], share) for share in (0.29, 0.301))
        workflow.advance(now=before, rounds=rounds)
        # Found nothing just now: it looks again when its rest is over, however the clock was moved meanwhile.
        for now in (before + reproving.LOOKS_AGAIN / 2, before - reproving.LOOKS_AGAIN / 2):
            assert TERM not in workflow.advance(now=now, rounds=rounds)
        moved = [workflow.advance(now=due, rounds=rounds).get(TERM) for _ in range(5)]
        assert moved == [1, 1, 1, 0, None]
        assert all(len(reproofs(entry)) == 1 for _, entry in registrations)

    def test_comes_to_whoever_stands_behind_very_many_without_a_proof(self, monkeypatch: pytest.MonkeyPatch) -> None:
        first, _ = registered()
        for number in (1, 2):
            at_home = NewEntry(
                f"home:{number}:0", ipaddress.ip_network(f"203.0.113.{250 + number}"), "any", None, 64500
            )
            address_changes.add_entry(registration=first, new=at_home, actor="line:1", now=NOW)
        monkeypatch.setattr(reproving, "AT_ONCE", 1)
        due = at_share(first, 0.301)
        assert [workflow.prove_in_term(due), workflow.prove_in_term(due)] == [1, 0]
        assert letters_of(first) == ["proof_wanted"]

    def test_asks_when_another_network_announces_the_address(self) -> None:
        _, entry = registered()
        other = directory.Origin(64501, "Sample Cable", ipaddress.ip_network("203.0.113.0/24"))
        directory.configure(None, [other])
        workflow.advance(now=NOW + DAY)
        workflow.advance(now=NOW + DAY)
        assert [each.occasion.partition(":")[0] for each in reproofs(entry)] == ["reroute"]

    def test_that_succeeds_is_closed_and_says_so(self) -> None:
        registration, entry = registered()
        now = at_share(registration, 0.301)
        workflow.advance(now=now)
        show(reproofs(entry)[0], now + DAY)
        workflow.advance(now=now + DAY)
        assert [each.state for each in reproofs(entry)] == ["shown"]
        workflow.advance(now=now + 10 * DAY)
        assert letters_of(registration) == ["proof_wanted"]

    def test_in_vain_is_told_after_three_windows_and_removes_nothing(self) -> None:
        registration, entry = registered()
        now = at_share(registration, 0.301)
        workflow.advance(now=now)
        states = []
        for days in (1, 2, 3, 4, 5, 6, 7):
            workflow.advance(now=now + days * DAY + dt.timedelta(minutes=days))
            states.append((reproofs(entry)[0].in_vain, reproofs(entry)[0].state))
        assert states == [
            (0, "open"),
            (1, "open"),
            (1, "open"),
            (2, "open"),
            (2, "open"),
            (3, "in_vain"),
            (3, "in_vain"),
        ]
        assert sorted(letters_of(registration)) == ["proof_in_vain", "proof_wanted"]
        entry.refresh_from_db()
        registration.refresh_from_db()
        assert entry.ended_at is None
        assert registration.struck_out_at is None
        assert [each.about for each in proofs.reproofs_in_vain()] == [f"entry:{entry.pk}"]

    def test_in_vain_is_on_a_list_whose_looks_the_holder_reads_and_never_on_ones_own(self) -> None:
        registration, entry = registered()
        now = at_share(registration, 0.301)
        workflow.advance(now=now)
        for days in (2, 4, 6):
            workflow.advance(now=now + days * DAY + dt.timedelta(minutes=days))
        application, address = Application.objects.get(), format_block(entry.block)
        assert address in page_of_proofs(an_officer())
        (look,) = JournalEntry.objects.filter(act="decide.read_list")
        assert (look.subject, look.detail["shown"]) == ("desk:proofs", [application.subject])
        people.appoint(user=application.applicant, role=Role.OFFICER, rank="", actor="system:test", now=NOW)
        assert address not in page_of_proofs(application.applicant)
        assert JournalEntry.objects.filter(act="decide.read_list").count() == 1

    def test_that_succeeds_later_takes_the_mark_away(self) -> None:
        registration, entry = registered()
        now = at_share(registration, 0.301)
        workflow.advance(now=now)
        for days in (2, 4, 6):
            workflow.advance(now=now + days * DAY + dt.timedelta(minutes=days))
        proof = proofs.proof_of(entry.origin, entry.block)
        assert proof is not None
        later = now + 20 * DAY
        again = control_reproofs.begin_reproof(
            about=f"entry:{entry.pk}", occasion="asked:1", proof=proof, windows=3, between=2 * DAY, now=later
        )
        show(again, later)
        workflow.advance(now=later)
        assert not proofs.reproofs_in_vain().exists()

    def test_of_an_entry_that_ended_meanwhile_writes_to_nobody(self) -> None:
        registration, entry = registered()
        now = at_share(registration, 0.301)
        workflow.advance(now=now)
        register.strike_out(registration=registration, code="X1", actor="person:1", now=now)
        for days in (2, 4, 6):
            workflow.advance(now=now + days * DAY + dt.timedelta(minutes=days))
        assert reproofs(entry)[0].state == "in_vain"
        assert "proof_in_vain" not in letters_of(registration)

    def test_is_asked_for_once_at_a_time(self) -> None:
        _, entry = registered()
        proof = proofs.proof_of(entry.origin, entry.block)
        assert proof is not None
        about = f"entry:{entry.pk}"
        first, second = (
            control_reproofs.begin_reproof(
                about=about, occasion=occasion, proof=proof, windows=3, between=2 * DAY, now=NOW
            )
            for occasion in ("a", "b")
        )
        assert first.pk == second.pk
