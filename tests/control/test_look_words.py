"""Each way to prove an address, and whatever a look may find, has its words."""

import datetime as dt

import pytest
from django.utils import translation

from rahdari.control import look_words, method_words
from rahdari.control.models import Challenge, Method, ProbeAttempt
from rahdari.probe.advice import Advice
from rahdari.probe.outcome import Outcome

NOW = dt.datetime(2026, 11, 10, 9, 31, 40, tzinfo=dt.UTC)


def challenge(method: str) -> Challenge:
    return Challenge(method=method, block="203.0.113.7/32", opened_at=NOW, validated_at=NOW)


def looked(method: str, finding: str, **evidence: object) -> method_words.LookText:
    return method_words.of_look(ProbeAttempt(challenge=challenge(method), at=NOW, finding=finding, evidence=evidence))


@pytest.mark.parametrize("language", ["en", "ur"])
@pytest.mark.parametrize("method", Method)
def test_each_way_says_how_it_proved(method: Method, language: str) -> None:
    with translation.override(language):
        said = method_words.proved_by(challenge(method))
        assert method_words.title(method) not in {"", str(method)}
    assert "%(" not in said
    assert ("certificate" in said) == (language == "en" and method in {"openvpn", "ikev2", "sstp", "tls", "tls-alpn"})


def test_the_report_of_a_router_is_no_certificate_and_no_failure() -> None:
    assert method_words.proved_by(challenge(Method.REPORT)).endswith("the router reported it")
    said = looked(Method.REPORT, "reported", seen="203.0.113.7")
    assert said.tone == "ok" and "the router reported the address from" in said.text


@pytest.mark.parametrize("protocol", ["", "wireguard", "dns", "tls-alpn-01", look_words.HTTP])
@pytest.mark.parametrize("outcome", Outcome)
def test_whatever_a_probe_comes_to_has_words(outcome: Outcome, protocol: str) -> None:
    said = looked(Method.HTTP if protocol == look_words.HTTP else Method.TLS, str(outcome), protocol=protocol)
    assert said.short and said.heading and said.text and "%(" not in said.text


def test_the_row_that_says_most_is_taken() -> None:
    assert looked(Method.HTTP, "not_found", status=404).short == "File not found yet"
    assert looked(Method.HTTP, "not_found", status=403).short == "The server did not give the file"
    assert looked(Method.DNS, "answered", protocol="dns", detail="no_record").short == "No record yet"
    assert looked(Method.RECORD, "refused").short == "The registry could not be read"
    assert looked(Method.RECORD, "part").short == "Succeeded, one more needed"
    assert looked(Method.LINK, "elsewhere", seen="198.51.100.9").short == "Opened from another network"


@pytest.mark.parametrize("advice", Advice)
def test_each_advice_has_words(advice: Advice) -> None:
    assert method_words.advice_text(advice)
