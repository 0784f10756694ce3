"""The policy for anybody: what its file asks, and what `rahdari policy check` says that another asks beyond it."""

import datetime as dt
import re
from dataclasses import replace
from pathlib import Path

import pytest

from rahdari.checks.kinds import KINDS
from rahdari.policy import BUNDLED, SHIPPED, PolicyError, load, read
from rahdari.policy.beyond import MORE, OF_THE_ADDRESS, asked_by, asked_of, in_sentences
from tests.policy.test_commands import run

FILE = SHIPPED["declaration"]
TEXT = FILE.read_text(encoding="utf-8")
NOTHING_MORE = "It asks for an address, a proof of control and a way to write back, and for nothing else."
SERVICE = "[services.vpn]\n"
A_CHECK = """
[[services.vpn.checks]]
kind = "{kind}"
title = {{ en = "C", ur = "ج" }}
required = true
reason = "R1"
"""


def with_service(line: str) -> str:
    return TEXT.replace(SERVICE, f"{SERVICE}{line}\n")


class TestTheFile:
    def test_asks_for_nothing_more(self) -> None:
        policy = load(FILE)
        assert asked_by(policy) == frozenset()
        assert policy.fee_terms is policy.vouching is policy.attesting is policy.representing is None
        assert policy.sharing is policy.licensees is policy.remote_staff is policy.provisional is None

    def test_a_rule_grants_and_no_operator_proves(self) -> None:
        (service,) = load(FILE).services.values()
        assert {check.kind for check in service.checks} == OF_THE_ADDRESS
        assert not service.operator_may_prove
        assert not {method.method for method in load(FILE).proof.methods} & {"contact", "record"}

    def test_has_an_appeal_against_whatever_goes_against_somebody(self) -> None:
        policy = load(FILE)
        adverse = [reason for reason in policy.reasons.values() if reason.is_adverse]
        assert {reason.code for reason in adverse} == {"R1", "R2", "X2", "X6"}
        assert all({"appeal", "that_court"} & {*reason.remedies} for reason in adverse)

    def test_goes_into_production_with_a_signature_and_a_contact(self) -> None:
        """Of the demonstration's samples these alone have to be replaced before it loads."""
        for_real = TEXT.replace("demonstration = true", "demonstration = false")
        with pytest.raises(PolicyError) as caught:
            read(for_real)
        assert [problem.key for problem in caught.value.problems] == ["signed.item_16"]
        signed = re.sub(
            r'(item_16 = .*)name = "", office = "", on = ""',
            r'\1name = "A. Sample", office = "Law", on = "2026-11-01"',
            for_real,
        )
        policy = read(signed)
        assert not policy.demonstration and policy.contact is not None and policy.unregistered is not None
        assert policy.unregistered.signed.day == dt.date(2026, 11, 1)
        # Granting, pausing and ending at the holder's word need no code that waits for a law officer.
        assert {reason.code for reason in policy.reasons.values() if reason.usable(False)} == {"S3", "X1", "X3"}


class TestWhatIsAskedBeyondIt:
    def test_is_nothing_of_the_file_itself(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert run("check", "declaration") == 0
        assert NOTHING_MORE in capsys.readouterr().out

    def test_is_a_line_for_each_thing_of_each_service(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert run("check") == 0
        said = capsys.readouterr().out
        assert NOTHING_MORE not in said
        for line in in_sentences(load(BUNDLED)):
            assert f"  {line}\n" in said
        for line in (
            "vpn_freelancer asks for the name of a person.",
            "vpn_freelancer asks for the number of an identity card.",
            "vpn_freelancer asks for evidence of a profession.",
            "vpn_freelancer has an operator say whether the applicant is its subscriber.",
            "vpn_company asks for a company number.",
            "vpn_company has an association say who the applicant is.",
            "whitelist_video may cost a fee.",
            "vpn_mission asks for documents.",
        ):
            assert f"  {line}\n" in said
        assert "vpn_company asks for the name of a person" not in said

    @pytest.mark.parametrize(
        ("text", "key"),
        [
            (with_service('asks = { contact_number = "optional" }'), "contact_number"),
            (with_service('who = { en = "A trade", ur = "پیشہ" }'), "category"),
            (with_service('uses = ["clients"]'), "uses"),
            (TEXT.replace('rule = "free"', 'rule = "from_count", from_count = 1') + A_CHECK.format(kind="fee"), "fee"),
            (TEXT + A_CHECK.format(kind="origin"), "network"),
            (with_service('asks = { name = "required" }') + A_CHECK.format(kind="operator"), "operator"),
        ],
    )
    def test_is_seen_when_it_is_added(self, text: str, key: str) -> None:
        (service,) = read(text).services.values()
        assert key in asked_of(service)

    def test_every_kind_of_check_is_said_or_is_about_the_address(self) -> None:
        """A kind that is new says in MORE what it asks, unless it looks at the address and the register alone."""
        (service,) = load(FILE).services.values()
        asking = {check.kind: check for each in load(BUNDLED).services.values() for check in each.checks}
        (control, _) = service.checks
        for kind in KINDS.keys() - OF_THE_ADDRESS - {"documents", "fee"}:
            check = asking.get(kind, replace(control, kind=kind))
            assert asked_of(replace(service, checks=(*service.checks, check))), kind
        # The loader ties these two to what the service lists: papers, and a fee.
        assert asked_by(load(BUNDLED)) | {"purpose"} == set(MORE)


class TestNames:
    def test_of_a_person_are_asked_only_where_the_file_says_so(self) -> None:
        assert [key for key, each in load(BUNDLED).services.items() if "name" in each.asks] == ["vpn_freelancer"]
        assert all(service.asks_name for service in load(BUNDLED).services.values())

    def test_are_not_collected_for_nobody(self) -> None:
        with pytest.raises(PolicyError) as caught:
            read(with_service('asks = { name = "required" }'))
        assert "Nobody reads name" in caught.value.problems[0].message

    def test_are_asked_where_a_check_tells_them(self) -> None:
        with pytest.raises(PolicyError) as caught:
            read(TEXT + A_CHECK.format(kind="operator"))
        assert "the name of whoever applies, and none is asked for" in caught.value.problems[0].message


class TestNamesOfFiles:
    def test_a_bare_name_brings_a_shipped_file_into_force(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("RAHDARI_DATA", str(tmp_path))
        assert run("use", "declaration") == 0
        assert (tmp_path / "policy" / "in-force.toml").read_text(encoding="utf-8") == TEXT
