"""`rahdari my` against a real server: from the token to the application that was sent, and what can go wrong."""

import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from rahdari import cli
from rahdari.address import directory
from rahdari.api.rules import Scope
from rahdari.apply.models import Application
from rahdari.client import calling, commands
from rahdari.proof import webhook
from rahdari.vault import keys
from tests.api.sample import Program
from tests.api.world import KNOWN
from tests.apply.sample import a_photo
from tests.portal import story

pytestmark = pytest.mark.django_db(transaction=True)

APPLICATION = """
service = "vpn_freelancer"
use = "clients"
fixed_address = "yes"

[person]
name = "Sample Freelancer"
card_number = "35202-1234567-1"

[contact]
name = "Sample Contact"
mobile = "0300 1234567"

[purpose]
use = "clients"
purpose = "I reach the servers of two clients abroad."

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
        assert code == commands.YOUR_TURN and "draft" in out
        application = Application.objects.get()
        # The same file again goes on with the same application.
        assert terminal.run("apply", path, "--send")[0] == commands.DONE
        assert Application.objects.get().status == "submitted"
        assert application.endpoints.count() == application.documents.count() == 1
        story.advance()
        code, out, _err = terminal.run("wait", application.reference)
        assert code == commands.YOUR_TURN and "proof from applicant" in out
        code, out, _err = terminal.run("prove", application.reference)
        assert code == commands.YOUR_TURN and "wireguard" in out
        code, out, _err = terminal.run("prove", application.reference, "--way", "link")
        assert code == commands.YOUR_TURN and "url: http" in out
        story.prove(application.endpoints.get())
        story.advance()
        story.advance()
        code, out, _err = terminal.run("wait", application.reference)
        assert code == commands.DONE, out
        code, out, _err = terminal.run("--json", "list")
        said = json.loads(out)
        assert [each["reference"] for each in said["applications"]] == [application.reference]
        number = said["registrations"][0]["reference"]
        code, _out, err = terminal.run("renew", number)
        assert code == commands.WRONG and "Renewal opens later" in err

    def test_says_what_is_wrong_with_a_file(self, terminal: Terminal) -> None:
        terminal.sign_in()
        path = terminal.folder / "application.toml"
        path.write_text(APPLICATION.replace("35202-1234567-1", "35202"))
        code, _out, err = terminal.run("apply", str(path))
        assert code == 1 and "In person" in err and "card_number: A card number has 13 digits" in err
        path.write_text(APPLICATION.replace("203.0.113.24", "http://203.0.113.24/"))
        code, _out, err = terminal.run("apply", str(path))
        assert code == 1 and "meant, probably: 203.0.113.24" in err
        path.write_text("service = ")
        assert "is no TOML" in terminal.run("apply", str(path))[2]
        path.write_text('service = "vpn_freelancer"\nnothing = 1\n')
        assert "nothing is not known" in terminal.run("apply", str(path))[2]
        path.write_text('service = "vpn_freelancer"\n')
        code, _out, err = terminal.run("apply", str(path), "--send")
        assert code == commands.YOUR_TURN and "cannot be sent yet" in err

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
