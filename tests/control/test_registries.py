"""Proofs of a whole range by what its registry says: a line in the record, a code to a contact, and the RPKI beside."""

import datetime as dt
import ipaddress
import json
import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rahdari.address import directory, rpki, rpki_commands
from rahdari.checks import checking, words
from rahdari.checks.answers import CheckRequest
from rahdari.control import (
    attempts,
    challenges,
    expected_claims,
    method_words,
    prefixes,
    queries,
    registries,
    registry_words,
    reproofs,
    rules,
)
from rahdari.control.models import Challenge, Method, ProbeAttempt, Status
from rahdari.journal.models import JournalEntry as Row
from rahdari.letters.models import Letter
from rahdari.ops.sample_registry import record
from rahdari.vault import keys

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC)
BLOCK = ipaddress.ip_network("203.0.113.64/28")
NOC = "noc@software-house.example"


@pytest.fixture(autouse=True)
def a_register(settings: Any, tmp_path: Path) -> None:
    settings.DATA = tmp_path / "data"
    settings.SAMPLE_REGISTRY = str(tmp_path / "registry.json")
    keys.make_missing(settings.DATA / "keys")
    says(settings)


def says(settings: Any, *lines: str, contacts: tuple[tuple[str, str], ...] = (("technical", NOC),)) -> None:
    """What the made-up registry has for the block."""
    found = record("SAMPLE-1", "203.0.113.64", "203.0.113.127", contacts)
    found["remarks"][0]["description"] += lines
    Path(settings.SAMPLE_REGISTRY).write_text(json.dumps([found]))


def opened(method: str, *, weight: int = 2, subject: str = "") -> Challenge:
    return challenges.open_challenge(
        subject=subject or f"endpoint:{uuid.uuid4()}",
        block=BLOCK,
        method=method,
        valid_for=dt.timedelta(days=7),
        weight=weight,
        enough=2,
        now=NOW,
    )


def after(seconds: int) -> dt.datetime:
    return NOW + dt.timedelta(seconds=seconds)


def fresh(challenge: Challenge) -> Challenge:
    return Challenge.objects.get(pk=challenge.pk)


class TestALineInTheRecord:
    def test_proves_the_whole_range(self, settings: Any) -> None:
        challenge = opened(Method.RECORD)
        assert attempts.look_once(challenge=challenge, now=NOW).finding == "no_line"
        says(settings, expected_claims.shown_for(challenge)["text"])
        found = attempts.look_once(challenge=challenge, now=after(30))
        assert found.finding == "line_found" and found.evidence["handle"] == "SAMPLE-1"
        assert queries.is_proved(challenge.subject, BLOCK)
        assert "the line was in the registry’s record" in method_words.proved_by(fresh(challenge))

    def test_of_another_proof_proves_nothing(self, settings: Any) -> None:
        challenge, other = opened(Method.RECORD), opened(Method.RECORD)
        says(settings, expected_claims.shown_for(other)["text"])
        found = attempts.look_once(challenge=challenge, now=NOW)
        assert found.finding == "other_line" and method_words.of_look(found).tone == "bad"
        assert not queries.is_proved(challenge.subject, BLOCK)

    def test_inside_a_sentence_proves_nothing(self, settings: Any) -> None:
        challenge = opened(Method.RECORD)
        says(settings, f"we were told to write {expected_claims.shown_for(challenge)['text']}")
        assert attempts.look_once(challenge=challenge, now=NOW).finding == "no_line"

    @pytest.mark.parametrize(
        ("content", "finding"),
        [
            ("[]", "no_record"),
            ("{", "malformed"),
            (None, "unreachable"),
            (json.dumps([record("X", "203.0.113.64", "203.0.113.71", ())]), "no_record"),
        ],
    )
    def test_that_cannot_be_asked_for_blames_nobody(self, settings: Any, content: str | None, finding: str) -> None:
        path = Path(settings.SAMPLE_REGISTRY)
        if content is None:
            path.unlink()
        else:
            path.write_text(content)
        found = attempts.look_once(challenge=opened(Method.RECORD), now=NOW)
        assert found.finding == finding and method_words.of_look(found).short

    def test_is_looked_for_again_and_can_be_shown_again_without_the_holder(self, settings: Any) -> None:
        challenge = opened(Method.RECORD)
        attempts.ask_for_a_look(challenge=challenge, now=NOW)
        assert attempts.look_at_due(now=NOW) == 1
        assert fresh(challenge).next_look_at == after(20)
        says(settings, expected_claims.shown_for(challenge)["text"])
        attempts.look_at_due(now=after(20))
        proof = fresh(challenge)
        assert proof.status == Status.VALID and expected_claims.can_be_repeated(proof)
        again = reproofs.begin_reproof(
            about="entry:1", occasion="term", proof=proof, windows=3, between=dt.timedelta(days=2), now=after(60)
        )
        attempts.look_at_due(now=after(60))
        assert queries.is_proved(again.subject, BLOCK)


class TestACodeToAContact:
    @pytest.fixture
    def challenge(self) -> Challenge:
        challenge = opened(Method.CONTACT)
        assert attempts.look_once(challenge=challenge, now=NOW).finding == "contacts"
        return fresh(challenge)

    def send(self, challenge: Challenge, *, contact: str = NOC, by: str = "person:1", now: dt.datetime = NOW) -> str:
        """Have a code sent; gives what stands in the letter."""
        registries.send_code(
            challenge=challenge, contact=contact, name="Sample House", language="en", actor=by, now=now
        )
        letter = Letter.objects.latest("written_at", "pk")
        assert letter.address == contact and letter.to_id is None and "Sample House" in letter.text
        found = re.search(r"\b[a-z2-7]{4}-[a-z2-7]{4}\b", letter.text)
        assert found is not None
        return found[0]

    def test_proves_the_range_when_it_comes_back(self, challenge: Challenge) -> None:
        code = self.send(challenge)
        registries.try_code(challenge=challenge, given=f" {code.upper().replace('-', ' ')} ", now=after(60))
        assert queries.is_proved(challenge.subject, BLOCK)
        assert fresh(challenge).given == ""
        assert "contact passed on our code" in method_words.proved_by(fresh(challenge))

    def test_is_half_where_the_policy_says_so_and_one_address_is_the_other_half(self) -> None:
        challenge = opened(Method.CONTACT, weight=1)
        attempts.look_once(challenge=challenge, now=NOW)
        link = opened(Method.LINK, weight=1, subject=challenge.subject)
        registries.try_code(challenge=challenge, given=self.send(fresh(challenge)), now=NOW)
        assert not queries.is_proved(challenge.subject, BLOCK)
        token = queries.link_token(link)
        challenges.open_link(token=token, address=ipaddress.ip_address("203.0.113.65"), now=NOW)
        assert queries.is_proved(challenge.subject, BLOCK)

    def test_typed_twice_counts_once(self) -> None:
        challenge = opened(Method.CONTACT, weight=1)
        attempts.look_once(challenge=challenge, now=NOW)
        for number in range(2):
            code = self.send(fresh(challenge), now=after(number))
            registries.try_code(challenge=challenge, given=code, now=after(number))
        assert rules.comes_to(BLOCK, queries.parts_of(challenge.subject, BLOCK)) == 1

    def test_that_is_wrong_five_times_is_used_up(self, challenge: Challenge) -> None:
        code = self.send(challenge)
        for number in range(rules.MOST_TRIES):
            with pytest.raises(registries.CodeNotTaken) as error:
                registries.try_code(challenge=challenge, given="aaaa-aaaa", now=after(number))
            assert error.value.why == "wrong"
        with pytest.raises(registries.CodeNotTaken) as error:
            registries.try_code(challenge=challenge, given=code, now=after(9))
        assert error.value.why == "used_up"
        assert not queries.is_proved(challenge.subject, BLOCK)
        newer = self.send(fresh(challenge), now=after(10))
        assert newer != code
        with pytest.raises(registries.CodeNotTaken):
            registries.try_code(challenge=challenge, given=code, now=after(11))
        registries.try_code(challenge=challenge, given=newer, now=after(12))
        assert queries.is_proved(challenge.subject, BLOCK)

    def test_is_sent_to_nobody_whom_the_registry_does_not_name(self, challenge: Challenge) -> None:
        with pytest.raises(registries.NoCodeNow):
            self.send(challenge, contact="me@elsewhere.example")
        with pytest.raises(registries.CodeNotTaken):
            registries.try_code(challenge=challenge, given="", now=NOW)
        assert not Letter.objects.exists()

    def test_is_sent_seldom_to_one_address_whoever_asks(self) -> None:
        for number in range(rules.MOST_CODES_A_DAY):
            challenge = opened(Method.CONTACT)
            attempts.look_once(challenge=challenge, now=after(number))
            self.send(fresh(challenge), by=f"person:{number}", now=after(number))
        challenge = opened(Method.CONTACT)
        attempts.look_once(challenge=challenge, now=after(100))
        self.send(fresh(challenge), by="person:x", now=after(100))
        assert Letter.objects.count() == rules.MOST_CODES_A_DAY
        # Whoever asked reads what they would if nobody else had, and nothing that they type is taken.
        asked = queries.last_attempt(fresh(challenge))
        assert asked is not None and method_words.of_look(asked).short == "Code requested"
        assert fresh(challenge).facts["to"] == NOC
        with pytest.raises(registries.CodeNotTaken, match="wrong"):
            registries.try_code(challenge=challenge, given=registries.code_of(fresh(challenge)), now=after(101))
        # What did not go out is not counted against the contact.
        self.send(fresh(challenge), by="person:x", now=after(100) + dt.timedelta(hours=24, seconds=-50))
        assert Letter.objects.count() == rules.MOST_CODES_A_DAY + 1
        code = self.send(fresh(challenge), now=NOW + dt.timedelta(days=2))
        registries.try_code(challenge=challenge, given=code, now=NOW + dt.timedelta(days=2))

    def test_is_not_used_up_for_others_by_one_who_asks(self) -> None:
        asked = [opened(Method.CONTACT) for _ in range(rules.MOST_CODES_OF_ONE + 1)]
        for challenge in asked:
            attempts.look_once(challenge=challenge, now=NOW)
        for challenge in asked[:-1]:
            self.send(fresh(challenge), by="person:mallory")
        with pytest.raises(registries.NoCodeNow, match="too_many"):
            self.send(fresh(asked[-1]), by="person:mallory")
        assert self.send(fresh(asked[-1]), by="person:honest")

    def test_leaves_no_address_and_no_code_where_others_read(self, challenge: Challenge) -> None:
        code = self.send(challenge)
        registries.try_code(challenge=challenge, given=code, now=NOW)
        kept = json.dumps([each.evidence for each in ProbeAttempt.objects.all()])
        kept += json.dumps([each.detail for each in Row.objects.all()])
        assert "software-house.example" in kept
        assert NOC not in kept and "noc@" not in kept and code not in kept

    def test_waits_where_the_registry_names_nobody(self, settings: Any) -> None:
        says(settings, contacts=())
        found = attempts.look_once(challenge=opened(Method.CONTACT), now=NOW)
        assert found.finding == "no_contacts" and "Choose another method" in method_words.of_look(found).text

    def test_needs_a_proof_that_is_open(self, challenge: Challenge) -> None:
        challenges.withdraw_challenges(subject=challenge.subject, now=NOW, actor="person:1")
        with pytest.raises(challenges.ChallengeNotPending):
            self.send(challenge)
        assert fresh(challenge).given == ""

    def test_cannot_be_shown_again_without_the_holder(self, challenge: Challenge) -> None:
        assert not expected_claims.can_be_repeated(challenge)


def signed(settings: Any, asn: int, *, built_at: dt.datetime = NOW) -> None:
    export = Path(settings.DATA) / "vrps.json"
    roas = [{"asn": asn, "prefix": "203.0.113.0/24", "maxLength": 24, "ta": "sample"}]
    export.write_text(json.dumps({"metadata": {"buildtime": built_at.isoformat()}, "roas": roas}))
    rpki.import_export(export, rpki_commands.in_use(Path(settings.DATA)))


class TestWhatIsSignedInTheRpki:
    def test_names_the_network_or_others_or_nobody(self, settings: Any) -> None:
        assert prefixes.rpki_of(BLOCK, 64500, NOW) is None and not prefixes.is_named(BLOCK, 64500, NOW)
        signed(settings, 64500)
        assert prefixes.is_named(BLOCK, 64500, NOW)
        assert not prefixes.is_named(BLOCK, 64501, NOW) and not prefixes.is_named(BLOCK, None, NOW)
        for asn, block, said in (
            (64500, BLOCK, "lists AS64500"),
            (64501, BLOCK, "lists other networks"),
            (64500, ipaddress.ip_network("198.51.100.0/28"), "lists no network"),
        ):
            found = prefixes.rpki_of(block, asn, NOW)
            assert found is not None
            assert said in re.sub("<[^>]+>", "", registry_words.of_rpki(found))

    def test_is_no_evidence_when_it_is_old(self, settings: Any) -> None:
        signed(settings, 64500, built_at=NOW - dt.timedelta(days=3))
        assert prefixes.rpki_of(BLOCK, 64500, NOW) is None

    @pytest.fixture
    def known(self) -> Iterator[None]:
        directory.configure(None, [directory.Origin(64500, "Sample Fibre", ipaddress.ip_network("203.0.113.0/24"))])
        yield
        directory.configure(None)

    @pytest.mark.usefixtures("known")
    def test_stands_beside_the_network_of_a_range_for_the_officer(self, settings: Any) -> None:
        signed(settings, 64500)
        for target, block, is_told in (("a", BLOCK, True), ("b", ipaddress.ip_network("203.0.113.5/32"), False)):
            [check] = checking.open_checks(
                subject=f"application:{uuid.uuid4()}",
                requests=[CheckRequest(kind="origin", target=target, block=block)],
                now=NOW,
            )
            assert check.outcome == "passed"
            assert ("RPKI" in words.of_check(check)) is is_told


class TestWhatCounts:
    def part(self, method: str, weight: int, at: str = "203.0.113.65") -> rules.Part:
        return rules.Part(method, ipaddress.ip_address(at), weight)

    def test_of_a_whole_range_adds_to_one_address_and_not_to_itself(self) -> None:
        contact, link = self.part("contact", 1, "203.0.113.64"), self.part("link", 1)
        assert rules.comes_to(BLOCK, [contact, contact]) == 1
        assert rules.comes_to(BLOCK, [contact, link]) == 2
        assert rules.comes_to(BLOCK, [self.part("link", 1, "203.0.113.64"), contact]) == 2
        assert rules.comes_to(BLOCK, [link, self.part("http", 1)]) == 1
