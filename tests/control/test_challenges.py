"""Challenges by link and by token: idempotent, bounded, and proved from the address only."""

import datetime as dt
import ipaddress
import socket
import threading
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import DatabaseError, connection, transaction

from rahdari.control import attempts, challenges, queries, rules
from rahdari.control.models import Challenge, Method, ProbeAttempt, Status
from rahdari.journal import queries as journal
from rahdari.vault import keys
from tests.checks.asked import challenges_of, line_of
from tests.ports import free_port

from . import servers

pytestmark = pytest.mark.django_db

NOW = dt.datetime(2026, 11, 10, 9, 31, 40, tzinfo=dt.UTC)
WEEK = dt.timedelta(days=7)
BLOCK = ipaddress.ip_network("203.0.113.24/32")
THERE = ipaddress.ip_address("203.0.113.24")
ELSEWHERE = ipaddress.ip_address("198.51.100.7")


@pytest.fixture(autouse=True)
def vault_keys() -> None:
    keys.make_missing(Path(django_settings.DATA) / "keys")


@pytest.fixture
def subject() -> str:
    return f"endpoint:{uuid.uuid4()}"


def opened(subject: str, *, block: Any = BLOCK, method: str = Method.LINK, now: dt.datetime = NOW) -> Challenge:
    return challenges.open_challenge(subject=subject, block=block, method=method, valid_for=WEEK, now=now)


def visit(challenge: Challenge, address: Any = THERE, *, now: dt.datetime = NOW, confirmed: bool = True) -> Any:
    token = queries.link_token(challenge)
    return challenges.open_link(token=token, address=address, now=now, confirmed=confirmed, opened=confirmed)


class TestOpenChallenge:
    def test_gives_the_pending_one_back(self, subject: str) -> None:
        assert opened(subject).pk == opened(subject, now=NOW + dt.timedelta(days=6)).pk
        assert journal.about(subject).count() == 1

    def test_opens_another_after_the_first_has_expired(self, subject: str) -> None:
        first = opened(subject)
        second = opened(subject, now=NOW + WEEK)
        assert second.pk != first.pk
        first.refresh_from_db()
        assert first.status == Status.EXPIRED

    def test_gives_the_proof_back_whatever_the_way(self, subject: str) -> None:
        first = opened(subject)
        visit(first)
        assert opened(subject, method=Method.HTTP).pk == first.pk

    def test_keeps_blocks_and_ways_apart(self, subject: str) -> None:
        other = ipaddress.ip_network("203.0.113.25/32")
        made = {opened(subject).pk, opened(subject, method=Method.HTTP).pk, opened(subject, block=other).pk}
        assert len(made) == 3

    def test_stores_no_token(self, subject: str) -> None:
        link, token = opened(subject), opened(subject, method=Method.HTTP)
        secrets = {queries.link_token(link), queries.http_token_of(token)[1]}
        with connection.cursor() as cursor:
            for table in ("control_challenge", "control_probeattempt", "journal_journalentry"):
                cursor.execute(f"SELECT t::text FROM {table} t")
                stored = "\n".join(row for (row,) in cursor.fetchall())
                assert not any(secret in stored for secret in secrets)


class TestOpenLink:
    def test_proves_the_block_from_its_address(self, subject: str) -> None:
        challenge = opened(subject)
        assert not queries.is_proved(subject, BLOCK)
        assert visit(challenge).result == "proved"
        assert queries.is_proved(subject, BLOCK)

    def test_says_proved_ever_after_from_anywhere(self, subject: str) -> None:
        challenge = opened(subject)
        visit(challenge)
        later = visit(challenge, ELSEWHERE, now=NOW + 2 * WEEK)
        assert later.result == "proved_before"
        assert later.challenge.validated_at == NOW
        assert queries.attempts_of(challenge).count() == 1

    def test_from_elsewhere_keeps_what_was_seen_and_proves_nothing(self, subject: str) -> None:
        challenge = opened(subject)
        assert visit(challenge, ELSEWHERE).result == "elsewhere"
        assert visit(challenge, ipaddress.ip_address("2001:db8::1")).result == "other_family"
        assert not queries.is_proved(subject, BLOCK)
        assert queries.last_attempt(challenge).evidence == {"seen": "2001:db8::1"}  # type: ignore[union-attr]
        assert visit(challenge).result == "proved"

    def test_any_address_inside_speaks_for_a_prefix(self, subject: str) -> None:
        prefix = ipaddress.ip_network("203.0.113.24/29")
        challenge = opened(subject, block=prefix)
        assert visit(challenge, ipaddress.ip_address("203.0.113.32")).result == "elsewhere"
        assert visit(challenge, ipaddress.ip_address("203.0.113.31")).result == "proved"

    def test_of_one_address_proves_no_other(self, subject: str) -> None:
        visit(opened(subject))
        assert not queries.is_proved(subject, ipaddress.ip_network("203.0.113.24/29"))
        assert not queries.is_proved("endpoint:another", BLOCK)

    def test_a_moment_too_late_proves_nothing(self, subject: str) -> None:
        challenge = opened(subject)
        assert visit(challenge, now=NOW + WEEK).result == "expired"
        assert visit(challenge, now=NOW + WEEK - dt.timedelta(microseconds=1)).result == "proved"

    def test_that_nobody_gave_out_is_unknown(self, subject: str) -> None:
        token = queries.link_token(opened(subject))
        http = queries.http_token_of(opened(subject, method=Method.HTTP))[1]
        for forged in ("", "x", token[:-1], token + "a", token.upper(), "a" * len(token), http, "ا" * len(token)):
            with pytest.raises(challenges.LinkUnknown):
                challenges.open_link(token=forged, address=THERE, now=NOW)

    def test_not_confirmed_changes_nothing(self, subject: str) -> None:
        challenge = opened(subject)
        assert visit(challenge, confirmed=False).result == "would_prove"
        assert visit(challenge, ELSEWHERE, confirmed=False).result == "elsewhere"
        assert not queries.is_proved(subject, BLOCK)
        assert not queries.attempts_of(challenge).exists()

    def test_after_the_address_was_withdrawn_is_not_needed(self, subject: str) -> None:
        challenge = opened(subject)
        assert challenges.withdraw_challenges(subject=subject, now=NOW, actor="person:1") == 1
        assert visit(challenge).result == "withdrawn"
        assert not queries.is_proved(subject, BLOCK)

    def test_after_the_token_was_found_says_that_it_is_proved(self, subject: str, settings: Any) -> None:
        link, http = _token_challenge(subject)
        with servers.serving(servers.answer(line_of(http).encode())) as settings.PROOF_HTTP_PORT:
            attempts.look_once(challenge=http, now=NOW)
        assert visit(link, ELSEWHERE).result == "proved_before"

    def test_still_works_after_the_key_of_the_links_was_changed(self, subject: str) -> None:
        challenge = opened(subject)
        old = queries.link_token(challenge)
        path = keys.path_of("links", Path(django_settings.DATA) / "keys")
        before = path.read_text()
        try:
            path.write_text("new1 " + "ab" * 32 + "\n" + before)
            keys.forget()
            assert challenges.open_link(token=old, address=ELSEWHERE, now=NOW).result == "elsewhere"
            shown = queries.link_token(opened(subject))
            assert shown != old
            assert challenges.open_link(token=shown, address=THERE, now=NOW).result == "proved"
        finally:
            path.write_text(before)
            keys.forget()

    def test_attempts_are_bounded_and_the_proof_is_kept_all_the_same(self, subject: str) -> None:
        challenge = opened(subject)
        ProbeAttempt.objects.bulk_create(
            ProbeAttempt(challenge=challenge, at=NOW, finding="elsewhere") for _ in range(rules.MOST_ATTEMPTS)
        )
        assert visit(challenge, ELSEWHERE).result == "elsewhere"
        assert queries.attempts_of(challenge).count() == rules.MOST_ATTEMPTS
        visit(challenge)
        assert queries.attempts_of(challenge).count() == rules.MOST_ATTEMPTS + 1


def _token_challenge(subject: str) -> tuple[Challenge, Challenge]:
    block = ipaddress.ip_network("127.0.0.1/32")
    return opened(subject, block=block), opened(subject, block=block, method=Method.HTTP)


class TestLookAtToken:
    def look(self, subject: str, recipe: servers.Recipe, settings: Any) -> ProbeAttempt:
        _, challenge = _token_challenge(subject)
        with servers.serving(recipe) as settings.PROOF_HTTP_PORT:
            # Only what is never said is waited for to the end: a busy machine takes its time for the others.
            patience = 0.5 if recipe is servers.say_nothing else 60.0
            return attempts.look_once(challenge=challenge, now=NOW, timeout=patience)

    def test_proves_by_the_right_line(self, subject: str, settings: Any) -> None:
        _, challenge = _token_challenge(subject)
        text = f"first\r\n{line_of(challenge)}\r\nrahdari=another\r\n"
        found = self.look(subject, servers.answer(text.encode()), settings)
        assert found.finding == "token_found"
        assert queries.is_proved(subject, challenge.network)
        assert found.evidence["asked"] == "127.0.0.1"
        assert found.evidence["status"] == 200
        assert {challenge.method: challenge.status for challenge in challenges_of(subject)} == {
            "http": Status.VALID,
            "link": Status.WITHDRAWN,
        }

    @pytest.mark.parametrize(
        ("recipe", "finding"),
        [
            (servers.answer(b"rahdari=somethingelse"), "token_wrong"),
            (servers.answer(b""), "token_wrong"),
            (servers.answer(b"\xff\xfe\x00 no text"), "token_wrong"),
            (servers.answer(b"no", status="404 Not Found"), "not_found"),
            (servers.answer(b"no", status="500 Internal Server Error"), "not_found"),
            (servers.answer(b"zip", headers=b"Content-Encoding: gzip\r\n"), "malformed"),
            (servers.redirect, "redirected"),
            (servers.say_nothing, "timed_out"),
            (servers.never_end, "too_long"),
            (servers.speak_ssh, "malformed"),
            (servers.hang_up, "reset"),
        ],
    )
    def test_keeps_what_a_bad_server_did(
        self, subject: str, recipe: servers.Recipe, finding: str, settings: Any
    ) -> None:
        found = self.look(subject, recipe, settings)
        assert found.finding == finding
        assert found.pk is not None
        assert len(str(found.evidence)) < 1000
        assert not queries.is_proved(subject, ipaddress.ip_network("127.0.0.1/32"))

    def test_keeps_that_nothing_answered(self, subject: str, settings: Any) -> None:
        settings.PROOF_HTTP_PORT = free_port()
        _, challenge = _token_challenge(subject)
        assert attempts.look_once(challenge=challenge, now=NOW).finding == "refused"

    def test_does_not_look_at_what_is_not_global(self, subject: str, settings: Any) -> None:
        settings.ALLOWED_SPECIAL_RANGES = []
        with servers.serving(servers.hang_up) as settings.PROOF_HTTP_PORT:
            _, challenge = _token_challenge(subject)
            assert attempts.look_once(challenge=challenge, now=NOW).finding == "not_global"

    def test_waits_twenty_seconds_between_looks(self, subject: str, settings: Any) -> None:
        self.look(subject, servers.hang_up, settings)
        _, challenge = _token_challenge(subject)
        with pytest.raises(attempts.TooSoonToLook) as soon:
            attempts.look_once(challenge=challenge, now=NOW + dt.timedelta(seconds=19))
        assert soon.value.again_at == NOW + dt.timedelta(seconds=20)

    def test_nobody_is_asked_before_the_applicant_asks(self, subject: str, settings: Any) -> None:
        _, challenge = _token_challenge(subject)
        later = NOW + dt.timedelta(hours=1)
        assert challenge not in queries.looks_due(now=later)
        self.look(subject, servers.hang_up, settings)
        assert challenge not in queries.looks_due(now=NOW + dt.timedelta(seconds=19))
        assert challenge in queries.looks_due(now=NOW + dt.timedelta(seconds=20))

    def test_the_line_looks_again_and_finds_it(self, subject: str, settings: Any) -> None:
        self.look(subject, servers.hang_up, settings)
        _, challenge = _token_challenge(subject)
        line = line_of(challenge).encode()
        with servers.serving(servers.answer(line)) as settings.PROOF_HTTP_PORT:
            assert attempts.look_at_due(now=NOW + dt.timedelta(seconds=20), timeout=60.0) == 1
        assert queries.is_proved(subject, challenge.network)
        assert attempts.look_at_due(now=NOW + dt.timedelta(hours=1)) == 0

    def test_of_slow_servers_are_waited_for_at_once(self, settings: Any) -> None:
        """Each of them answers only when all have been asked."""
        subjects = [f"endpoint:{uuid.uuid4()}" for _ in range(5)]
        for each in subjects:
            _, challenge = _token_challenge(each)
            attempts.ask_for_a_look(challenge=challenge, now=NOW)
        together = threading.Barrier(len(subjects))

        def answer_together(connection: socket.socket, _stop: threading.Event) -> None:
            connection.recv(4096)
            together.wait(60)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno")

        with servers.serving(answer_together) as settings.PROOF_HTTP_PORT:
            assert attempts.look_at_due(now=NOW, timeout=60.0) == len(subjects)
        for each in subjects:
            [token] = [found for found in challenges_of(each) if found.method == "http"]
            last = queries.last_attempt(token)
            assert last is not None and last.finding == "token_wrong"

    def test_asked_for_waits_for_the_worker(self, subject: str, settings: Any) -> None:
        _, challenge = _token_challenge(subject)
        assert not queries.looks_due(now=NOW).exists()
        attempts.ask_for_a_look(challenge=challenge, now=NOW)
        assert challenge in queries.looks_due(now=NOW)
        with servers.serving(servers.hang_up) as settings.PROOF_HTTP_PORT:
            assert attempts.look_at_due(now=NOW) == 1
        with pytest.raises(attempts.TooSoonToLook):
            attempts.ask_for_a_look(challenge=challenge, now=NOW + dt.timedelta(seconds=19))

    def test_ends_with_the_challenge(self, subject: str, settings: Any) -> None:
        _, challenge = _token_challenge(subject)
        with pytest.raises(challenges.ChallengeNotPending):
            attempts.look_once(challenge=challenge, now=NOW + WEEK)

    def test_ends_after_too_many(self, subject: str) -> None:
        _, challenge = _token_challenge(subject)
        Challenge.objects.filter(pk=challenge.pk).update(looks=rules.MOST_ATTEMPTS, next_look_at=NOW)
        with pytest.raises(attempts.TooManyLooks):
            attempts.look_once(challenge=challenge, now=NOW)
        assert attempts.look_at_due(now=NOW) == 0
        assert not queries.looks_due(now=NOW).exists()


class TestShareProof:
    def test_speaks_for_the_same_block_of_another_subject(self, subject: str) -> None:
        other = f"endpoint:{uuid.uuid4()}"
        waiting = opened(other)
        proof = opened(subject)
        with pytest.raises(challenges.ChallengeNotPending):
            challenges.share_proof(proof=proof, subject=other, actor="person:1", now=NOW)
        visit(proof)
        proof.refresh_from_db()
        later = NOW + dt.timedelta(minutes=5)
        shared = challenges.share_proof(proof=proof, subject=other, actor="person:1", now=later)
        assert queries.is_proved(other, BLOCK)
        assert shared.validated_at == NOW
        assert challenges.share_proof(proof=proof, subject=other, actor="person:1", now=later).pk == shared.pk
        assert visit(waiting, ELSEWHERE).result == "proved_before"


class TestExpireChallenges:
    def test_closes_what_is_over_and_nothing_else(self, subject: str) -> None:
        opened(subject)
        proved = opened(f"endpoint:{uuid.uuid4()}")
        visit(proved)
        assert challenges.expire_challenges(now=NOW + WEEK - dt.timedelta(seconds=1)) == 0
        assert challenges.expire_challenges(now=NOW + WEEK) == 1
        assert challenges.expire_challenges(now=NOW + WEEK) == 0
        proved.refresh_from_db()
        assert proved.status == Status.VALID


class TestTheDatabase:
    def test_lets_no_attempt_be_changed(self, subject: str) -> None:
        challenge = opened(subject)
        visit(challenge, ELSEWHERE)
        with pytest.raises(DatabaseError, match="only added"), transaction.atomic():
            queries.attempts_of(challenge).update(finding="proved")
        with pytest.raises(DatabaseError, match="only added"), transaction.atomic():
            queries.attempts_of(challenge).delete()

    def test_lets_no_proof_be_undone_or_moved(self, subject: str) -> None:
        challenge = opened(subject)
        visit(challenge)
        undone: dict[str, Any] = {"status": Status.EXPIRED, "validated_at": None}
        for change in ({"block": "203.0.113.25/32"}, {"subject": "endpoint:other"}, undone):
            with pytest.raises(DatabaseError), transaction.atomic():
                Challenge.objects.filter(pk=challenge.pk).update(**change)
