"""`rahdari my` against a real server: from the token to the application that was sent, and what can go wrong."""

import datetime as dt
import io
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from rahdari import cli
from rahdari.address import directory
from rahdari.api.rules import Scope
from rahdari.apply import drafts
from rahdari.apply.models import AddressFile, Application
from rahdari.attest.rules import Identifier
from rahdari.client import calling, operations
from rahdari.client.terminal import DONE, WRONG, YOUR_TURN
from rahdari.feed import webhook
from rahdari.people import actions as people
from rahdari.people.models import Organisation
from rahdari.register import actions as register
from rahdari.register.rules import NewEntry
from rahdari.vault import keys
from tests.api.test_contacts import code_in_the_letter
from tests.builders import mobile_lines as mobile
from tests.builders import story
from tests.builders.api_world import KNOWN, with_contacts
from tests.builders.attestations import an_attestation
from tests.builders.drafts import a_photo
from tests.builders.programs import Program
from tests.mobile.conftest import operators
from tests.portal.test_many import with_addresses
from tests.remote.test_lines import a_registration

__all__ = ["operators"]
pytestmark = pytest.mark.django_db(transaction=True)

APPLICATION = """
service = "vpn_freelancer"
fixed_address = "yes"

[person]
name = "Sample Freelancer"

[contact]
name = "Sample Contact"
mobile = "0300 1234567"

[evidence]
kind = "client_email"
text = "From studio@client.example: we work with you."

[[addresses]]
address = "203.0.113.24"
runs = "wireguard"

[[documents]]
rule = "evidence"
file = "contract.jpg"
"""


def entered(draft: Application, house: Organisation) -> None:
    """The first address of the draft, on the register."""
    now, endpoint = timezone.now(), draft.endpoints.order_by("position").first()
    assert endpoint is not None
    facts = {"protocol": "udp", "port": 51820, "asn": None}
    register.enter(
        origin=draft.subject,
        holder=house.holder_ref,
        category="vpn_company",
        endpoints=[NewEntry(origin=endpoint.subject, block=endpoint.network, **facts)],  # type: ignore[arg-type]
        valid_from=now,
        valid_until=now + dt.timedelta(days=365),
        actor="system:test",
        now=now,
    )


class Terminal:
    """Somebody with a token, at a terminal."""

    def __init__(self, server: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
        self.program, self.capsys, self.monkeypatch, self.folder = Program(), capsys, monkeypatch, folder
        self.server = server
        for name in ("RAHDARI_TOKEN", "RAHDARI_SERVER"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("RAHDARI_TOKEN_FILE", str(folder / "access" / "token.json"))

    def type(self, text: str | bytes) -> None:
        content = text.encode() if isinstance(text, str) else text
        self.monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))

    def sign_in(self) -> None:
        self.type(self.program.text + "\n")
        assert self.run("sign-in", self.server)[0] == 0

    def run(self, *words: str) -> tuple[int, str, str]:
        code = cli.main(["my", *words])
        said = self.capsys.readouterr()
        return code, said.out, said.err

    def call(self, *words: str) -> str:
        """An operation by its name; what it answered, as lines."""
        code, out, err = self.run("call", *words)
        assert code == DONE, err
        return out

    def found(self, *words: str) -> Any:
        """The same as data."""
        code, out, err = self.run("--json", "call", *words)
        assert code == DONE, err
        return json.loads(out)


@pytest.fixture
def terminal(
    live_server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any, settings: Any
) -> Iterator[Terminal]:
    keys.make_missing(Path(settings.DATA) / "keys")
    directory.configure(None, KNOWN)
    (tmp_path / "contract.jpg").write_bytes(a_photo())
    (tmp_path / "application.toml").write_text(APPLICATION)
    yield Terminal(live_server.url, tmp_path, monkeypatch, capsys)
    directory.configure(None)


class TestMy:
    def test_applies_proves_and_follows(self, terminal: Terminal) -> None:
        terminal.sign_in()
        file = terminal.folder / "access" / "token.json"
        assert file.stat().st_mode & 0o777 == 0o600
        path = str(terminal.folder / "application.toml")
        code, out, _err = terminal.run("apply", path)
        assert code == YOUR_TURN and "draft" in out
        application = Application.objects.get()
        # The same file again goes on with the same application.
        assert terminal.run("apply", path, "--send")[0] == YOUR_TURN
        assert Application.objects.get().status == "submitted"
        assert application.endpoints.count() == application.documents.count() == 1
        story.advance()
        code, out, _err = terminal.run("wait", application.reference)
        assert code == YOUR_TURN and "proof from applicant" in out
        code, out, _err = terminal.run("prove", application.reference)
        assert code == YOUR_TURN and "wireguard" in out
        code, out, _err = terminal.run("prove", application.reference, "--method", "link")
        assert code == YOUR_TURN and "url: http" in out
        story.prove(application.endpoints.get())
        story.advance()
        story.advance()
        code, out, _err = terminal.run("wait", application.reference)
        assert code == DONE, out
        code, out, _err = terminal.run("--json", "list")
        said = json.loads(out)
        assert [each["reference"] for each in said["applications"]] == [application.reference]
        number = said["registrations"][0]["reference"]
        paper = terminal.folder / "paper.pdf"
        assert terminal.run("certificate", number, "--to", str(paper))[0] == DONE
        assert paper.read_bytes().startswith(b"%PDF-")
        assert "cannot be written" in terminal.run("certificate", number, "--to", str(terminal.folder / "no" / "x"))[2]
        code, _out, err = terminal.run("renew", number)
        assert code == WRONG and "Renewal opens later" in err

    def test_goes_on_with_what_was_begun_when_the_file_is_mended(self, terminal: Terminal) -> None:
        terminal.sign_in()
        path = terminal.folder / "application.toml"
        path.write_text(APPLICATION.replace('runs = "wireguard"', 'runs = "wire"'))
        code, _out, err = terminal.run("apply", str(path))
        reference = Application.objects.get().reference
        assert code == WRONG and "runs is one of: wireguard" in err and f"--into {reference}" in err
        path.write_text(APPLICATION)
        assert terminal.run("apply", str(path), "--into", reference, "--send")[0] == YOUR_TURN
        assert [each.status for each in Application.objects.all()] == ["submitted"]
        code, _out, err = terminal.run("apply", str(path), "--into", reference)
        assert code == WRONG and "was sent" in err
        path.write_text('service = "vpn_company"\n')
        assert "is for vpn_freelancer" in terminal.run("apply", str(path), "--into", reference)[2]

    def test_answers_the_officer_and_takes_an_application_back(self, terminal: Terminal) -> None:
        terminal.sign_in()
        reference = story.a_question(terminal.program.person).application.reference
        assert "answer_until: " in terminal.call("get-question", reference)
        out = terminal.call("answer-question", reference, "--answer", "The bill of November is enclosed.")
        assert "stage: review" in out
        code, _out, err = terminal.run("call", "get-question", reference)
        assert code == WRONG and "404" in err
        terminal.call("withdraw-application", reference)
        assert Application.objects.get().status == "withdrawn"

    def test_says_what_is_wrong_with_a_file(self, terminal: Terminal) -> None:
        terminal.sign_in()
        path = terminal.folder / "application.toml"
        path.write_text(APPLICATION.replace("[person]\n", '[person]\ncard_number = "35202"\n'))
        code, _out, err = terminal.run("apply", str(path))
        assert code == 1 and "In person" in err and "card_number: This service does not ask for that" in err
        path.write_text(APPLICATION.replace("203.0.113.24", "http://203.0.113.24/"))
        code, _out, err = terminal.run("apply", str(path))
        assert code == 1 and "meant, probably: 203.0.113.24" in err
        path.write_text("service = ")
        assert "is no TOML" in terminal.run("apply", str(path))[2]
        path.write_text('service = "vpn_freelancer"\nnothing = 1\n')
        assert "nothing is not known" in terminal.run("apply", str(path))[2]
        path.write_text('service = "vpn_freelancer"\n')
        code, _out, err = terminal.run("apply", str(path), "--send")
        assert code == YOUR_TURN and "cannot be sent yet" in err

    def test_needs_a_token_that_counts_and_is_kept_well(self, terminal: Terminal) -> None:
        code, _out, err = terminal.run("list")
        assert code == 1 and "There is no token here" in err
        terminal.type("rahdari_api_wrong\n")
        code, _out, err = terminal.run("sign-in", terminal.server)
        assert code == 1 and "401" in err
        terminal.type("x\n")
        assert "https only" in terminal.run("sign-in", "http://register.example")[2]
        terminal.sign_in()
        (terminal.folder / "access" / "token.json").chmod(0o640)
        assert "Others may read" in terminal.run("list")[2]

    def test_takes_the_token_from_the_environment(self, terminal: Terminal) -> None:
        program = Program(terminal.program.person, scopes=[Scope.APPLICATIONS_READ])
        terminal.monkeypatch.setenv("RAHDARI_SERVER", terminal.server)
        terminal.monkeypatch.setenv("RAHDARI_TOKEN", program.text)
        code, _out, err = terminal.run("list")
        assert code == 1 and "registrations:read" in err

    def test_says_that_nobody_answers(self, terminal: Terminal) -> None:
        terminal.monkeypatch.setenv("RAHDARI_SERVER", "http://127.0.0.1:9")
        terminal.monkeypatch.setenv("RAHDARI_TOKEN", "x")
        terminal.monkeypatch.setattr(calling, "TRIES", 1)
        assert terminal.run("list")[0] == 75


class TestMyOrganisation:
    def test_adds_many_addresses_and_places_them(self, terminal: Terminal) -> None:
        """What a manager does with a spreadsheet, from the file to the branch of each address."""
        terminal.sign_in()
        person = terminal.program.person
        draft = with_addresses(person, ["203.0.113.24"])
        facts: dict[str, Any] = {"actor": story.actor_of(person), "now": timezone.now()}
        house = people.register_organisation(owner=person, name="Sample House", company_number="0000482", **facts)
        drafts.save_company(application=draft, name="Sample House", company_number="0000482", ntn="", **facts)
        rows = terminal.folder / "rows.csv"
        rows.write_text("address,protocol,branch\n203.0.113.60,wireguard,Branch North\n203.0.113.310,wireguard,\n")
        code, out, _err = terminal.run("addresses", draft.reference, str(rows))
        assert code == YOUR_TURN and "row 3, address: No number in an IPv4 address" in out
        left = terminal.folder / "left.csv"
        code, out, _err = terminal.run("addresses", draft.reference, str(rows), "--add", "--corrected", str(left))
        assert code == YOUR_TURN and "added 1, left 1" in out
        text = left.read_text()
        assert "203.0.113.310" in text and "203.0.113.60" not in text
        left.write_text(text.replace("203.0.113.310", "203.0.113.131"))
        code, out, _err = terminal.run("addresses", draft.reference, str(left), "--add")
        assert code == DONE and "added 1, left 0" in out
        assert not AddressFile.objects.exists()
        out = terminal.call("get-link", draft.reference)
        assert "total: 3" in out and "link: http" in out

        [one] = terminal.found("list-organisations")["items"]
        at = one["id"]
        assert "name: Branch North" in terminal.call("list-branches", at)
        west = terminal.found("add-branch", at, "--name", "Branch West", "--city", "Sample City")["id"]
        assert "name: Branch East" in terminal.call("change-branch", at, west, "--name", "Branch East")
        terminal.call("end-branch", at, west)
        [north] = terminal.found("list-branches", at)["items"]
        entered(draft, house)
        [entry] = terminal.found("list-addresses", at)["items"]
        terminal.call("place-addresses", at, "--entries", entry["entry"], "--branch", north["id"])
        assert terminal.found("list-branches", at)["items"][0]["addresses"] == 1
        code, _out, err = terminal.run("call", "end-branch", at, west)
        assert code == WRONG and "404" in err

    def test_gives_and_holds_mandates(self, terminal: Terminal) -> None:
        terminal.sign_in()
        facts: dict[str, Any] = {"actor": "system:test", "now": timezone.now()}
        person, agent = terminal.program.person, Program()
        people.register_organisation(owner=person, name="Sample House", company_number="0000482", **facts)
        at = terminal.found("list-organisations")["items"][0]["id"]
        given = {"email": agent.person.email, "agent-name": "Sample Firm", "scope": "see", "months": "12"}
        terminal.call("give-mandate", at, *[word for name, value in given.items() for word in (f"--{name}", value)])
        terminal.monkeypatch.setenv("RAHDARI_SERVER", terminal.server)
        terminal.monkeypatch.setenv("RAHDARI_TOKEN", agent.text)
        offered = terminal.found("list-mandates-held")["offered"][0]["id"]
        terminal.call("accept-mandate", offered)
        assert "held:" in terminal.call("list-mandates-held")
        terminal.call("give-up-mandate", offered)
        terminal.monkeypatch.setenv("RAHDARI_TOKEN", terminal.program.text)
        assert "state: ended" in terminal.call("list-mandates", at)

    def test_objects_to_an_attestation(self, terminal: Terminal) -> None:
        terminal.sign_in()
        found = an_attestation(identifier=Identifier("email", terminal.program.person.email))
        assert found.number in terminal.call("list-attestations")
        terminal.call("dispute-attestation", found.number, "--objection", "I never joined.")
        assert "objection:" in terminal.call("list-attestations")


def test_an_address_is_shared_with_whoever_asks(terminal: Terminal) -> None:
    terminal.sign_in()
    first = Program()
    registration = story.registration_of(story.a_granted_application(first.person))
    draft = story.a_draft(terminal.program.person)
    endpoint = story.add(draft, str(registration.entries.get().block.network_address))
    story.prove(endpoint)
    at = (draft.reference, str(endpoint.pk))
    assert "state: has_it" in terminal.call("get-sharing", *at)
    assert "name: Desk 7" in terminal.call("ask-to-share", *at, "--name", "Desk 7")
    terminal.call("withdraw-sharing", *at)
    assert "state: withdrawn" in terminal.call("get-sharing", *at)
    assert "state: waiting" in terminal.call("ask-to-share", *at, "--name", "Desk 7")
    terminal.monkeypatch.setenv("RAHDARI_SERVER", terminal.server)
    terminal.monkeypatch.setenv("RAHDARI_TOKEN", first.text)
    [question] = terminal.found("list-sharing")["questions"]
    terminal.call("answer-sharing-question", question["id"], "--answer", "yes")
    [shared] = terminal.found("list-sharing")["shared"]
    part = next(each["part"] for each in shared["others"] if each["part"])
    terminal.call("give-sharing-notice", part)
    assert "leaves_at: " in terminal.call("list-sharing")
    terminal.call("withdraw-sharing-notice", part)
    assert "leaves_at: " not in terminal.call("list-sharing")


def test_links_are_made_for_people_who_work_from_home(terminal: Terminal) -> None:
    terminal.sign_in()
    number = a_registration(terminal.program.person.holder_ref, now=timezone.now()).reference
    assert "room: 3" in terminal.call("set-remote-workers", number, "--workers", "3")
    assert terminal.call("make-remote-links", number, "--count", "2").count("/line/") == 2
    terminal.call("end-remote-line", number, "1")
    assert terminal.call("get-remote-staff", number).count("/line/") == 1
    code, _out, err = terminal.run("call", "make-remote-links", number, "--count", "3")
    assert code == WRONG and "There is room for 2 more links" in err
    code, _out, err = terminal.run("call", "make-remote-links", number, "--count", "three")
    assert code == WRONG and "--count wants integer, not 'three'" in err


def test_an_association_vouches_in_the_place_of_papers(terminal: Terminal) -> None:
    terminal.sign_in()
    path = terminal.folder / "company.toml"
    path.write_text('service = "vpn_company"\n[association]\nassociation_number = "sm-0417"\n')
    assert "documents" not in terminal.run("apply", str(path))[1]
    reference = Application.objects.get().reference
    assert "- documents" in terminal.call("leave-association", reference)
    assert "association_number: SM-0417" in terminal.call(
        "put-association", reference, "--association-number", "SM-0417"
    )


def test_a_range_is_proved_by_a_contact_of_its_registry(terminal: Terminal) -> None:
    terminal.sign_in()
    reference = with_contacts(story.fill(story.a_draft(terminal.program.person))).reference
    code, out, _err = terminal.run("prove", reference, "--method", "contact")
    assert code == YOUR_TURN and "contact: noc@network.example  Technical contact" in out
    assert "Code requested" in terminal.run("prove", reference, "--send-to", "noc@network.example")[1]
    code, _out, err = terminal.run("prove", reference, "--code", "aaaa-aaaa")
    assert code == WRONG and "not the code from the latest letter" in err
    assert terminal.run("prove", reference, "--code", code_in_the_letter())[0] == DONE


@pytest.mark.usefixtures("operators")
def test_a_mobile_number_is_registered_step_by_step(terminal: Terminal) -> None:
    terminal.sign_in()
    path = terminal.folder / "application.toml"
    text = APPLICATION.replace('"yes"', '"mobile"').partition("[[addresses]]")[0]
    path.write_text(text)
    assert terminal.run("apply", str(path))[0] == YOUR_TURN
    reference = Application.objects.get().reference
    assert "state: none" in terminal.call("get-mobile", reference)
    assert "state: typed" in terminal.call("give-number", reference, "--number", "0300 7654321", "--sim", "me")
    code, _out, err = terminal.run("call", "give-code", reference, "--code", "x")
    assert code == WRONG and "2 tries are left" in err
    sms = mobile.code_to(terminal.program.person)
    out = terminal.call("give-code", reference, "--code", sms)
    assert f"key: {mobile.FIRST}" in out and "proposed: yes" in out
    assert "state: asked" in terminal.call("ask-operator", reference, "--operator", mobile.FIRST)
    assert terminal.run("send", reference)[0] == DONE


def test_every_operation_of_the_contract_is_an_act(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["my", "call", "--help"])
    listed = set(re.findall(r"^    ([a-z][a-z-]+)\b", capsys.readouterr().out, re.MULTILINE))
    assert {name for name, *_rest in operations.operations()} == listed
    assert len(listed) > 120


@pytest.mark.parametrize(
    ("said", "lines"),
    [
        ({"a": 1, "b": None, "c": {"d": True}}, ["a: 1", "c:", "  d: yes"]),
        ([{"a": "x", "b": [1, 2]}, {"a": "y"}], ["- a: x", "  b:", "    - 1", "    - 2", "- a: y"]),
        (b"", []),
    ],
)
def test_an_answer_is_a_member_a_line(said: Any, lines: list[str]) -> None:
    assert list(operations.lines(said)) == lines


class TestWebhookVerify:
    def run(self, terminal: Terminal, body: bytes, **more: str) -> tuple[int, str, str]:
        secret = webhook.new_secret()
        path = terminal.folder / "secret"
        path.write_text(secret)
        at = int(timezone.now().timestamp())
        made = webhook.headers(given=[secret], id="one", at=at, body=b'{"type":"test"}')
        terminal.type(body)
        words = {
            "secret-file": str(path),
            "id": "one",
            "timestamp": made["webhook-timestamp"],
            "signature": made["webhook-signature"],
        } | more
        return terminal.run("webhook-verify", *[part for name, value in words.items() for part in (f"--{name}", value)])

    def test_tells_what_is_genuine(self, terminal: Terminal) -> None:
        assert self.run(terminal, b'{"type":"test"}')[:2] == (0, "Genuine.\n")

    def test_tells_what_is_not(self, terminal: Terminal) -> None:
        code, _out, err = self.run(terminal, b'{"type":"other"}')
        assert code == 1 and "no signature is by this secret" in err
        assert "too old" in self.run(terminal, b'{"type":"test"}', timestamp="1600000000")[2]
