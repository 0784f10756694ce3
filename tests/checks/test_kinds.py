"""A kind of check is declared once, with its sentences in both languages; what others say of it derives from that."""

import html
import importlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils.translation import gettext_lazy, ngettext_lazy, override

from rahdari import optional, policy, urls
from rahdari.applicant import awaiting
from rahdari.checks import words
from rahdari.checks.check_kind import Counted, Others, Party
from rahdari.checks.kinds import (
    KINDS,
    NOTHING,
    CheckKind,
    declare,
    is_for_others,
    is_outside,
    require_translations,
    what_is_seen,
    whose_turn,
)
from rahdari.checks.models import Check
from rahdari.policy.checks import About, kinds_about

NEIGHBOUR = CheckKind(
    key="neighbour",
    about=About.APPLICANT,
    answered_by=Party.HOLDER,
    seen=NOTHING,
    waiting=gettext_lazy("This check has not been answered yet."),
    findings={"neighbour_knows": gettext_lazy("This service is free.")},
)
RULES = policy.current(None)
IN_ENGLISH = gettext_lazy("A neighbour says so.")


def waiting(kind: str, finding: str = "", **facts: Any) -> Check:
    return Check(kind=kind, facts=facts, finding=finding, outcome="waiting")


class TestTheKinds:
    @pytest.mark.parametrize(
        "key", sorted({rule.kind for each in policy.current(None).services.values() for rule in each.checks})
    )
    def test_are_those_that_the_bundled_policy_asks_for(self, key: str) -> None:
        assert key in KINDS

    def test_are_what_a_policy_is_judged_by(self) -> None:
        text = policy.BUNDLED.read_text(encoding="utf-8")
        with pytest.raises(policy.PolicyError, match="'neighbour' is not one of: represents, attestation"):
            policy.read(text.replace('kind = "origin"', 'kind = "neighbour"'))

    def test_say_what_is_asked_of_an_address_and_of_a_mobile_number(self) -> None:
        assert kinds_about(About.ADDRESS) == {"control", "not_registered", "origin", "operator"}
        assert kinds_about(About.NUMBER) == {"mobile_line"}

    def test_nobody_reads_anything_of_three_alone(self) -> None:
        assert {key for key, kind in KINDS.items() if not kind.seen} == {"origin", "roster", "documents"}

    def test_each_that_is_awaited_outside_says_who_was_asked(self) -> None:
        named = set(awaiting._WHOM | optional.joined_tables("rahdari.applicant", "WHOM"))
        assert named == {key for key, kind in KINDS.items() if kind.others}

    @pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
    def test_each_place_in_a_sentence_has_its_value(self, kind: CheckKind) -> None:
        class Named(dict[str, Any]):
            def __missing__(self, name: str) -> int:
                named.add(name)
                return 1

        named: set[str] = set()
        with override("en"):
            for each in kind.words():
                _ = each % Named()
        assert named <= {*words.VALUES, "count"}


class TestAKindThatIsNotWhole:
    @pytest.fixture(autouse=True)
    def kinds_as_before(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """What is planted goes with the test."""
        for kind in ("neighbour", "street"):
            monkeypatch.setitem(KINDS, kind, NEIGHBOUR)
            monkeypatch.delitem(KINDS, kind)

    @pytest.mark.parametrize(
        "change",
        [
            {"seen": IN_ENGLISH},
            {"waiting": IN_ENGLISH},
            {"waiting_if": {"asked": IN_ENGLISH}},
            {"others": Others(heading=IN_ENGLISH, short=NOTHING)},
            {"findings": {"neighbour_knows": IN_ENGLISH}},
            {"findings": {"neighbour_knows": "A neighbour says so."}},
            {"findings": {"neighbour_knows": Counted("n", ngettext_lazy("%(count)s says", "%(count)s say", "count"))}},
        ],
        ids=["seen", "waiting", "waiting_if", "others", "finding", "finding that is not marked", "plural"],
    )
    def test_does_not_load_with_a_sentence_in_one_language(self, change: dict[str, Any]) -> None:
        declare(replace(NEIGHBOUR, **change))
        with pytest.raises(ValueError, match="neighbour: not in both languages"):
            importlib.reload(urls)

    def test_is_not_judged_by_a_catalogue_that_is_to_be_compiled(self, tmp_path: Path) -> None:
        declare(replace(NEIGHBOUR, seen=IN_ENGLISH))
        (tmp_path / "ur/LC_MESSAGES").mkdir(parents=True)
        (tmp_path / "ur/LC_MESSAGES/django.po").touch()
        require_translations(tmp_path)
        (tmp_path / "ur/LC_MESSAGES/django.mo").touch()
        with pytest.raises(ValueError, match="neighbour: not in both languages"):
            require_translations(tmp_path)

    def test_loads_with_all_of_them(self) -> None:
        declare(NEIGHBOUR)
        importlib.reload(urls)

    def test_cannot_be_written_without_them(self) -> None:
        with pytest.raises(TypeError, match="seen"):
            CheckKind(key="neighbour", about=About.APPLICANT, answered_by=Party.HOLDER, findings={})  # type: ignore[call-arg]
        with pytest.raises(ValueError, match="neighbour: say what whoever is asked reads"):
            replace(NEIGHBOUR, is_asked=True)
        with pytest.raises(ValueError, match="neighbour: say what its findings are"):
            replace(NEIGHBOUR, findings={})
        with pytest.raises(ValueError, match="neighbour: say what is awaited when asked"):
            replace(NEIGHBOUR, asked_if="asked")

    def test_is_declared_once_and_so_is_a_finding(self) -> None:
        declare(NEIGHBOUR)
        with pytest.raises(ValueError, match="neighbour is declared twice"):
            declare(NEIGHBOUR)
        with pytest.raises(ValueError, match="street: neighbour_knows: a finding of another kind"):
            declare(replace(NEIGHBOUR, key="street"))


class TestWhoseTurnItIs:
    @pytest.mark.parametrize(
        ("check", "turn"),
        [
            (waiting("control"), Party.APPLICANT),
            (waiting("control", "operator_silent", provisional=True), Party.OPERATOR),
            (waiting("documents", awaits_stronger=True), Party.APPLICANT),
            (waiting("employer"), Party.CLIENT),
            (waiting("attestation"), Party.ASSOCIATION),
            # It has said what counts for a while: the applicant sends the stronger proof.
            (waiting("attestation", "attested_for_now", provisional=True), Party.APPLICANT),
            (waiting("operator"), Party.OPERATOR),
            (waiting("mobile_line"), Party.OPERATOR),
            (waiting("represents"), Party.ASSOCIATION),
            (waiting("represents", channels=["email"]), Party.APPLICANT),
            (waiting("represents", unproved=True), Party.APPLICANT),
            (waiting("represents", told_at="then", channels=["email"]), Party.HOLDER),
            # Nobody reads that those who are registered under the number were asked besides.
            (waiting("represents", asked=["an organisation"]), Party.ASSOCIATION),
            (waiting("represents", asked=["an organisation"], channels=["email"]), Party.APPLICANT),
            (waiting("roster", by_contact=True, channels=["email"]), Party.APPLICANT),
            (waiting("not_registered", asked_to_share=True), Party.HOLDER),
            (waiting("not_registered"), Party.REGISTER),
        ],
    )
    def test_is_said_alike_on_the_page_and_to_programs(self, check: Check, turn: Party) -> None:
        assert whose_turn(check) is turn

    def test_is_somebodys_outside(self) -> None:
        outside = {key for key in KINDS if is_outside(waiting(key, told_at="then", asked_to_share=True))}
        assert outside == {"represents", "attestation", "employer", "operator", "mobile_line", "not_registered"}
        assert {key for key in outside if not is_outside(waiting(key))} == {"represents", "not_registered"}
        assert not is_outside(waiting("employer", provisional=True))
        assert not is_outside(waiting("represents", asked=["an organisation"]))

    def test_does_not_run_our_clock(self) -> None:
        held = {key for key in KINDS if is_for_others(key, {})}
        assert held == {"control", "fee", "attestation", "employer", "operator", "mobile_line", "represents"}
        assert is_for_others("not_registered", {"asked_to_share": True})


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["en", "ur"])
def test_the_page_about_privacy_says_all_of_it(client: Client, language: str) -> None:
    page = " ".join(html.unescape(client.get("/privacy/", headers={"Accept-Language": language}).text).split())
    with override(language):
        said = what_is_seen(RULES)
    assert len(said) == 8
    assert [each for each in said if f"<li>{each}</li>" not in page] == []
    if language == "ur":
        with override("en"):
            assert not set(said) & set(what_is_seen(RULES)), "each has its sentence in Urdu"
