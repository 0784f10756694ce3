"""Checks: asked once, answered from the facts, with evidence in plain data and a sentence for people."""

import datetime as dt
import ipaddress
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.utils import translation

from rahdari.address import directory
from rahdari.checks import answers, checking, words
from rahdari.checks import queries as checks
from rahdari.checks.answers import CheckRequest
from rahdari.checks.kinds import finding_sentences
from rahdari.checks.models import Check, Outcome
from rahdari.checks.rules import Answer
from rahdari.control import challenges
from rahdari.control import queries as proofs
from rahdari.control.models import Method
from rahdari.db import queues
from rahdari.journal import queries as journal
from rahdari.register import actions as register
from rahdari.register.rules import NewEntry
from rahdari.vault import keys
from tests.checks.asked import all_answered, all_required_passed

pytestmark = pytest.mark.django_db

NOW = dt.datetime(2026, 11, 10, 9, 31, 40, tzinfo=dt.UTC)
WEEK = dt.timedelta(days=7)
BLOCK = ipaddress.ip_network("203.0.113.24/32")
THERE = ipaddress.ip_address("203.0.113.24")
HOLDER = uuid.uuid4()


@pytest.fixture(autouse=True)
def vault_keys() -> None:
    keys.make_missing(Path(settings.DATA) / "keys")


@pytest.fixture(autouse=True)
def sample_operators() -> Iterator[None]:
    directory.configure(None, [directory.Origin(64500, "Sample Fibre", ipaddress.ip_network("203.0.113.0/24"))])
    yield
    directory.configure(None)


@pytest.fixture
def endpoint() -> str:
    return f"endpoint:{uuid.uuid4()}"


@pytest.fixture
def subject() -> str:
    return f"application:{uuid.uuid4()}"


def asked(subject: str, *requests: CheckRequest, now: dt.datetime = NOW) -> list[Check]:
    return checking.open_checks(subject=subject, requests=requests, now=now)


def challenge(endpoint: str, now: dt.datetime = NOW) -> Any:
    return challenges.open_challenge(subject=endpoint, block=BLOCK, method=Method.LINK, valid_for=WEEK, now=now)


def registered(holder: uuid.UUID, block: str) -> None:
    register.enter(
        origin=f"application:{uuid.uuid4()}",
        holder=holder,
        category="vpn_company",
        endpoints=[NewEntry(f"endpoint:{uuid.uuid4()}", ipaddress.ip_network(block), "any", None, None)],
        valid_from=NOW,
        valid_until=NOW + dt.timedelta(days=365),
        actor="rule:1",
        now=NOW,
    )


class TestOpenChecks:
    def test_is_idempotent(self, subject: str, endpoint: str) -> None:
        requests = [
            CheckRequest("origin", endpoint, block=BLOCK),
            CheckRequest("documents", "", given=1, needed=1),
        ]
        first = asked(subject, *requests)
        again = asked(subject, *requests, now=NOW + WEEK)
        assert [check.pk for check in first] == [check.pk for check in again]
        assert [check.answered_at for check in again] == [NOW, NOW]
        assert journal.about(subject).count() == 1

    def test_keeps_the_order_of_the_requests(self, subject: str) -> None:
        asked(subject, *(CheckRequest("documents", str(number), given=0, needed=0) for number in range(5)))
        assert [check.target for check in checks.checks_of(subject)] == ["0", "1", "2", "3", "4"]

    def test_refuses_a_kind_it_does_not_know(self, subject: str) -> None:
        with pytest.raises(ValueError, match="horoscope"):
            asked(subject, CheckRequest("horoscope", "x"))
        assert not checks.checks_of(subject).exists()
        assert not all_answered(subject)

    def test_leaves_one_that_cannot_be_answered_to_the_queue(
        self, subject: str, endpoint: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(check: Check, now: dt.datetime) -> Answer:
            raise ZeroDivisionError

        monkeypatch.setattr(queues, "_troubled", None)
        requests = (CheckRequest("origin", endpoint, block=BLOCK), CheckRequest("documents", "", given=1, needed=1))
        with monkeypatch.context() as patch:
            patch.setitem(answers._ANSWERS, "origin", broken)
            asked(subject, *requests)
        assert [check.outcome for check in checks.checks_of(subject)] == [Outcome.WAITING, Outcome.PASSED]
        assert queues.failing().get().attempts == 1
        assert checking.answer_waiting(NOW + dt.timedelta(minutes=1)) == 1
        assert not queues.failing().exists() and all_answered(subject)

    def test_titles_speak_both_languages(self, subject: str) -> None:
        title = {"en": "Papers", "ur": "کاغذات"}
        (check,) = asked(subject, CheckRequest("documents", "", given=1, needed=1, title=title))
        assert words.title_of(check, "ur") == "کاغذات"
        assert words.title_of(check, "en") == "Papers"


class TestControl:
    def request(self, endpoint: str) -> CheckRequest:
        return CheckRequest("control", endpoint, block=str(BLOCK), reason="R1")

    def test_passes_at_once_when_the_block_is_proved(self, subject: str, endpoint: str) -> None:
        challenges.open_link(token=proofs.link_token(challenge(endpoint)), address=THERE, now=NOW)
        (check,) = asked(subject, self.request(endpoint))
        assert (check.outcome, check.finding, check.reason_code) == (Outcome.PASSED, "proved", "")
        assert check.evidence == {"proved_at": NOW.isoformat(), "method": "link"}
        assert "14:31" in words.of_check(check)

    def test_waits_for_the_challenge_and_follows_it(self, subject: str, endpoint: str) -> None:
        link = proofs.link_token(challenge(endpoint))
        (check,) = asked(subject, self.request(endpoint))
        assert check.outcome == Outcome.WAITING
        assert not all_answered(subject)
        assert checking.answer_waiting(now=NOW) == 0
        challenges.open_link(token=link, address=THERE, now=NOW)
        assert checking.answer_waiting(now=NOW) == 1
        assert all_answered(subject)
        assert all_required_passed(subject)

    def test_fails_with_the_policys_code_when_the_challenge_runs_out(self, subject: str, endpoint: str) -> None:
        opened = challenge(endpoint)
        challenges.open_link(token=proofs.link_token(opened), address=ipaddress.ip_address("198.51.100.7"), now=NOW)
        asked(subject, self.request(endpoint))
        challenges.expire_challenges(now=NOW + WEEK)
        assert checking.answer_waiting(now=NOW + WEEK) == 1
        (check,) = checks.checks_of(subject)
        assert (check.outcome, check.reason_code, check.evidence) == (Outcome.FAILED, "R1", {"attempts": 1})
        assert all_answered(subject)
        assert not all_required_passed(subject)

    def test_many_that_are_awaited_cost_no_more_than_one(self, django_assert_num_queries: Any) -> None:
        for _ in range(5):
            endpoint = f"endpoint:{uuid.uuid4()}"
            challenge(endpoint)
            asked(f"application:{uuid.uuid4()}", self.request(endpoint))
        # What waits, and whether it is awaited still.
        with django_assert_num_queries(2):
            assert checking.answer_waiting(now=NOW) == 0
        assert checking.answer_waiting(now=NOW + WEEK) == 5

    def test_of_another_subject_is_no_proof(self, subject: str, endpoint: str) -> None:
        challenges.open_link(token=proofs.link_token(challenge(f"endpoint:{uuid.uuid4()}")), address=THERE, now=NOW)
        (check,) = asked(subject, self.request(endpoint))
        assert check.outcome == Outcome.FAILED


class TestNotRegistered:
    def request(self, endpoint: str) -> CheckRequest:
        return CheckRequest("not_registered", endpoint, block=BLOCK, holder=str(HOLDER), reason="R8")

    def test_passes_when_nobody_has_it(self, subject: str, endpoint: str) -> None:
        registered(uuid.uuid4(), "203.0.113.25/32")
        (check,) = asked(subject, self.request(endpoint))
        assert (check.outcome, check.finding) == (Outcome.PASSED, "free")

    @pytest.mark.parametrize("block", ["203.0.113.24/32", "203.0.113.24/29"])
    def test_fails_when_another_holder_has_it_or_a_part(self, subject: str, endpoint: str, block: str) -> None:
        other = uuid.uuid4()
        registered(other, block)
        (check,) = asked(subject, self.request(endpoint))
        assert (check.outcome, check.finding, check.reason_code) == (Outcome.FAILED, "registered_by_another", "R8")
        assert str(other) not in str(check.evidence)

    def test_passes_with_a_remark_when_it_is_the_same_holder(self, subject: str, endpoint: str) -> None:
        registered(HOLDER, "203.0.113.24/32")
        (check,) = asked(subject, self.request(endpoint))
        assert (check.outcome, check.finding) == (Outcome.PASSED, "registered_by_same")


class TestOrigin:
    def test_passes_for_a_network_that_the_directory_knows(self, subject: str, endpoint: str) -> None:
        (check,) = asked(subject, CheckRequest("origin", endpoint, block=BLOCK, reason="R8"))
        assert check.outcome == Outcome.PASSED
        assert check.evidence["asn"] == 64500
        assert check.evidence["operator"] == "Sample Fibre"

    def test_goes_to_a_person_without_a_reason_code_for_any_other(self, subject: str, endpoint: str) -> None:
        block = ipaddress.ip_network("2001:db8::24/128")
        (check,) = asked(subject, CheckRequest("origin", endpoint, block=block, reason="R8"))
        assert (check.outcome, check.finding, check.reason_code) == (Outcome.FAILED, "no_origin", "")


class TestDocuments:
    @pytest.mark.parametrize(("given", "outcome"), [(0, Outcome.FAILED), (1, Outcome.FAILED), (2, Outcome.PASSED)])
    def test_counts(self, subject: str, given: int, outcome: str) -> None:
        (check,) = asked(subject, CheckRequest("documents", "", given=given, needed=2, reason="Q2"))
        assert check.outcome == outcome
        assert check.reason_code == ("" if outcome == Outcome.PASSED else "Q2")


class TestRecordByHand:
    def test_keeps_the_answer_before_and_who_gave_this_one(self, subject: str, endpoint: str) -> None:
        (check,) = asked(subject, CheckRequest("control", endpoint, block=BLOCK, reason="R1"))
        assert not all_required_passed(subject)
        done = checking.record_by_hand(
            check=check, outcome="passed", how="Seen at the site", actor="officer:1", now=NOW + WEEK
        )
        assert all_required_passed(subject)
        assert (done.answered_by, done.how, done.reason_code) == ("officer:1", "Seen at the site", "")
        assert done.evidence["before"]["finding"] == "not_proved"
        rows = list(journal.about(subject))
        assert rows[0].act == "checks.recorded_by_hand"
        assert "Seen" not in str(rows[0].detail)

    @pytest.mark.parametrize(("outcome", "how"), [("waiting", "x"), ("", "x"), ("passed", "  ")])
    def test_needs_an_outcome_and_words(self, subject: str, endpoint: str, outcome: str, how: str) -> None:
        (check,) = asked(subject, CheckRequest("documents", "", given=0, needed=1))
        with pytest.raises(checking.NotACheckOutcome):
            checking.record_by_hand(check=check, outcome=outcome, how=how, actor="officer:1", now=NOW)


class TestWords:
    FINDINGS = sorted(finding_sentences())

    @pytest.mark.parametrize("language", ["en", "ur"])
    @pytest.mark.parametrize("finding", FINDINGS)
    def test_there_is_a_sentence_for_every_finding(self, finding: str, language: str) -> None:
        evidence = {
            "proved_at": NOW.isoformat(), "method": "link", "attempts": 3, "block": "203.0.113.24/32", "asn": 64500,
            "operator": "<b>Sample</b>", "given": 1, "needed": 2, "roster": "companies", "imported_on": "2026-11-01",
            "valid_until": "2026-11-02", "name": "same", "at": NOW.isoformat(), "why": {"en": "closed", "ur": "ختم"},
            "seen_with": "A-2611-0482",
        }  # fmt: skip
        check = Check(kind="control", facts={"block": "203.0.113.24/32"}, finding=finding, evidence=evidence)
        with translation.override(language):
            said = words.of_check(check)
        assert said[-1] in ".۔"
        assert "%(" not in said
        assert "<b>" not in said
        assert ("۔" in said) == (language == "ur")
