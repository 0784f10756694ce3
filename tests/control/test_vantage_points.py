"""Looks from several places, with real `rahdari vantage` processes over loopback: agreed, divided, too few, none."""

import contextlib
import dataclasses
import datetime as dt
import ipaddress
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings

from rahdari import policy
from rahdari.control import attempts, challenges, method_words, queries
from rahdari.control.models import Challenge, Method, ProbeAttempt
from rahdari.probe import Outcome, ProbeAnswer
from rahdari.vantage import Vantage
from rahdari.vault import keys
from tests.checks.asked import line_of
from tests.vantage.places import FakeVantage, a_vantage, now

from . import servers

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def a_register(settings: Any, tmp_path: Path) -> None:
    """A data folder of its own, and a policy by which three views of two networks must agree, and one may fail."""
    settings.DATA = tmp_path / "data"
    keys.make_missing(settings.DATA / "keys")
    text = policy.BUNDLED.read_text(encoding="utf-8")
    views = "needed = 1\nmay_fail = 0\nnetworks = 1\n"
    assert views in text
    settings.POLICY_FILE = tmp_path / "policy.toml"
    settings.POLICY_FILE.write_text(text.replace(views, "needed = 3\nmay_fail = 1\nnetworks = 2\n"), encoding="utf-8")
    settings.ALLOWED_SPECIAL_RANGES = [*settings.ALLOWED_SPECIAL_RANGES, "127.0.0.0/8"]


def list_vantages(*known: Vantage) -> None:
    folder: Path = django_settings.DATA
    rows = []
    for each in known:
        token = folder / f"{each.name}.token"
        token.write_text(each.token)
        os.chmod(token, 0o600)
        rows.append(
            f'[[vantage]]\nname = "{each.name}"\nurl = "{each.url}"\nkey = "{each.key}"\n'
            f'token_file = "{token.name}"\nnetwork = "{each.network}"\nregion = "PK"\n'
        )
    (folder / "vantages.toml").write_text("\n".join(rows))


@pytest.fixture
def challenge() -> Challenge:
    return challenges.open_challenge(
        subject=f"endpoint:{uuid.uuid4()}",
        block=ipaddress.ip_network("127.0.0.1/32"),
        method=Method.HTTP,
        valid_for=dt.timedelta(days=7),
        now=now(),
    )


@pytest.fixture
def served(challenge: Challenge, settings: Any) -> Iterator[None]:
    with servers.serving(servers.answer(line_of(challenge).encode())) as settings.PROOF_HTTP_PORT:
        yield


def tries(challenge: Challenge) -> dict[str, str]:
    """What each place saw, by its name; the last row stands for all together."""
    found = list(ProbeAttempt.objects.filter(challenge=challenge).order_by("id"))
    return {each.place or "here": each.finding for each in found[:-1]}


def a_fake(name: str, outcome: Outcome | None) -> contextlib.AbstractContextManager[Vantage]:
    fake = FakeVantage(name, "AS64497")
    if outcome is not None:
        fake.sees = lambda _request: ProbeAnswer(outcome, "http")
    return fake.running()


class TestSeveralPlaces:
    def test_that_agree_prove_and_each_is_on_record_with_its_signature(
        self, challenge: Challenge, served: None, tmp_path: Path
    ) -> None:
        with (
            a_vantage(tmp_path / "one", name="sample-1", network="AS64496") as one,
            a_vantage(tmp_path / "two", name="sample-2", network="AS64497") as two,
        ):
            list_vantages(one, two)
            attempt = attempts.look_once(challenge=challenge, now=now())
        assert attempt.finding == "token_found"
        assert queries.is_proved(challenge.subject, challenge.network)
        assert tries(challenge) == {"here": "token_found", "sample-1": "token_found", "sample-2": "token_found"}
        signed = ProbeAttempt.objects.get(challenge=challenge, place="sample-2").evidence["signed"]
        assert signed
        assert "3 of 3" in method_words.of_look(attempt).text.replace('<bdi dir="ltr">', "").replace("</bdi>", "")

    def test_that_see_different_servers_prove_nothing_and_say_so(self, challenge: Challenge, served: None) -> None:
        with a_fake("sample-1", None) as one, a_fake("sample-2", Outcome.OTHER_KEY) as two:
            list_vantages(one, dataclasses.replace(two, network="AS64498"))
            attempt = attempts.look_once(challenge=challenge, now=now())
        assert attempt.finding == "divided"
        assert tries(challenge) == {"here": "token_found", "sample-1": "token_found", "sample-2": "token_wrong"}
        assert method_words.of_look(attempt).heading == "Not the same from everywhere"
        assert not queries.is_proved(challenge.subject, challenge.network)

    def test_of_which_too_many_are_away_prove_nothing_yet(self, challenge: Challenge, served: None) -> None:
        with a_fake("sample-1", None) as one, a_fake("sample-2", None) as two:
            away = [dataclasses.replace(each, url="http://127.0.0.1:9") for each in (one, two)]
            list_vantages(*away)
            attempt = attempts.look_once(challenge=challenge, now=now())
            assert attempt.finding == "too_few"
            assert tries(challenge) == {"here": "token_found", "sample-1": "absent", "sample-2": "absent"}
            list_vantages(one, two)
            later = now() + dt.timedelta(minutes=1)
            assert attempts.look_once(challenge=challenge, now=later).finding == "token_found"
        assert queries.is_proved(challenge.subject, challenge.network)

    def test_of_which_none_sees_it_say_what_is_wrong_in_plain_words(self, challenge: Challenge, settings: Any) -> None:
        with (
            servers.serving(servers.answer(b"no", status="404 Not Found")) as settings.PROOF_HTTP_PORT,
            a_fake("sample-1", None) as one,
        ):
            list_vantages(one)
            attempt = attempts.look_once(challenge=challenge, now=now())
        assert attempt.finding == "not_found"
        assert method_words.advice_of(attempt)


class TestOnePlace:
    def test_where_more_are_wanted_waits_for_them(self, challenge: Challenge, served: None) -> None:
        attempt = attempts.look_once(challenge=challenge, now=now())
        assert attempt.finding == "too_few"
        assert "More places must see it" in method_words.of_look(attempt).text
        assert not queries.is_proved(challenge.subject, challenge.network)

    def test_is_looked_from_when_the_list_of_the_others_is_broken(
        self, challenge: Challenge, served: None, caplog: pytest.LogCaptureFixture
    ) -> None:
        (django_settings.DATA / "vantages.toml").write_text("[[vantage]]\nname = 1\n")
        assert queries.places_asked() == 1
        assert "vantages.toml" in caplog.text
