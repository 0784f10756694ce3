"""The doctor, on a real installation that is broken piece by piece."""

import datetime as dt
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
from argparse import Namespace
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import dns.message
import dns.rcode
import psycopg
import pytest
from django.db import connections

from rahdari import policy
from rahdari.ops import commands, datafolder, doctor, postgres, processes
from rahdari.ops.checks import NOTE, OK, WRONG, Finding, Inspection
from rahdari.ops.doctor_feed import check_feed_keys
from rahdari.ops.doctor_front import answers_before_the_body, check_front, finding_of
from rahdari.ops.doctor_loops import check_loops
from rahdari.ops.doctor_policy import check_calendar, check_rules_of_the_last
from rahdari.ops.doctor_settings import check_proxies, check_resolvers, check_settings_files, check_token
from rahdari.ops.loops import LISTENING
from rahdari.policy import Holiday
from rahdari.policy import commands as policy_commands
from rahdari.publish import ceremony, keys
from rahdari.web import metrics_access as watching
from rahdari.web.front import Fault, Looked
from tests.builders import story
from tests.builders.publishing import NOW, address, an_operator, entered, publish
from tests.ops.installed import DROPPED, Installation
from tests.ports import free_port
from tests.publish.receipts import received
from tests.waiting import until


def about(lines: list[str], word: str, state: str | None = None) -> list[str]:
    return [line for line in lines if line[7:].startswith(word) and (state is None or line.startswith(state))]


@pytest.fixture
def patient(tmp_path: Path) -> Inspection:
    folder = datafolder.make(tmp_path, datafolder.REGISTER)
    return Inspection(folder, {}, "127.0.0.1", 1)


class TestWhole:
    def test_finds_a_prepared_installation_well_but_for_its_feed_keys(self, installation: Installation) -> None:
        lines = installation.doctor()
        assert about(lines, "database", OK)
        assert about(lines, "tables", OK)
        assert about(lines, "keys", OK)
        assert about(lines, "policy", OK)
        assert about(lines, "feed", WRONG) == [
            "WRONG  feed         it has no keys, so nothing is published. Run: rahdari feed keys --offline DIR"
        ]

    def test_ends_with_one_when_something_is_wrong(self, installation: Installation) -> None:
        assert installation.run("doctor", "--port", "1").returncode == 1

    def test_says_what_losing_a_key_means_and_who_may_read_one(self, installation: Installation) -> None:
        fields, links = (installation.data / "keys" / name for name in ("fields.key", "links.key"))
        kept = fields.read_text()
        fields.unlink()
        links.chmod(0o644)
        try:
            wrong = about(installation.doctor(), "keys", WRONG)
        finally:
            fields.write_text(kept)
            fields.chmod(0o600)
            links.chmod(0o600)
        assert len(wrong) == 2
        assert "personal fields" in wrong[0] and "cannot be read any more" in wrong[0]
        assert f"chmod 600 {links}" in wrong[1]

    @pytest.mark.whole
    def test_keys_of_another_database_are_told_before_anything_starts(self, installation: Installation) -> None:
        path = installation.data / "keys" / "links.key"
        kept = path.read_text()
        path.write_text(f"11111111 {'1' * 64}\n")
        try:
            told = [installation.run(*words.split()) for words in ("prepare", "web", "worker", "watch run")]
            wrong = about(installation.doctor(), "keys", WRONG)
        finally:
            path.write_text(kept)
        said = (
            f"Keys are missing from {path.parent}, or are not those with which this database was written:\n  links.key"
        )
        assert [(done.returncode, done.stderr.startswith(said)) for done in told] == [(1, True)] * 4
        assert [line.partition(" is not the key")[0] for line in wrong] == [f"WRONG  keys         {path}"]

    @pytest.mark.whole
    def test_an_empty_database_beside_a_feed_that_was_in_use_gets_no_tables(self, installation: Installation) -> None:
        published = installation.data / "feed" / "metadata" / "1.root.json"
        published.parent.mkdir(parents=True)
        published.write_text("{}")
        with psycopg.connect(installation.server.admin_url, autocommit=True) as database:
            database.execute("CREATE DATABASE another OWNER rahdari")
            try:
                url = installation.server.url.replace(f"/{postgres.DATABASE}?", "/another?")
                done = installation.run("prepare", DATABASE_URL=url)
            finally:
                database.execute("DROP DATABASE another")
                shutil.rmtree(installation.data / "feed")
        assert done.returncode == 1
        assert done.stderr.startswith(f"The database is empty, and {installation.data} holds keys and a feed")

    def test_names_the_line_of_a_broken_policy(self, installation: Installation) -> None:
        path = installation.data / "policy" / "in-force.toml"
        path.parent.mkdir(exist_ok=True)
        path.write_text("version = 1\nthis is no policy\n")
        try:
            wrong = about(installation.doctor(), "policy", WRONG)
        finally:
            path.unlink()
        assert len(wrong) == 1
        assert "in line 2" in wrong[0]

    @pytest.mark.whole
    def test_names_a_constraint_that_is_gone_and_how_to_make_it_again(self, installation: Installation) -> None:
        with psycopg.connect(installation.server.admin_url, autocommit=True, dbname=postgres.DATABASE) as database:
            database.execute("DROP EXTENSION btree_gist CASCADE")
            try:
                wrong = about(installation.doctor(), "tables", WRONG)
                assert "btree_gist was dropped" in wrong[0]
                names = {line.split()[2] for line in wrong[1:]}
                assert {"no_block_under_two_holders", "an_endpoint_has_one_line"} <= names
                # Also when the extension is there again; and what is said mends it.
                database.execute("CREATE EXTENSION btree_gist")
                wrong = about(installation.doctor(), "tables", WRONG)
                assert {line.split()[2] for line in wrong} == names
            finally:
                for line in wrong:
                    for command in re.findall(r"run in psql: (.*?;) If it is refused", line):
                        database.execute(command.replace("CREATE EXTENSION btree_gist;", ""))
        assert about(installation.doctor(), "tables", WRONG) == []

    def test_counts_the_letters_that_were_given_up(self, installation: Installation) -> None:
        assert about(installation.doctor(), "letters", OK)

    @pytest.mark.whole
    def test_names_a_file_of_sms_that_cannot_be_used_and_tries_a_provider(self, installation: Installation) -> None:
        path = installation.data / "sms.toml"
        path.write_text(
            '[[providers]]\nname = "centre-b"\nkind = "smpp"\nhost = "127.0.0.1"\nport = 1\n'
            'system_id = "rahdari"\npassword = "sample-1"\n'
        )
        try:
            path.chmod(0o644)
            assert "Run: chmod 600" in about(installation.doctor(), "SMS", WRONG)[0]
            path.chmod(0o600)
            assert about(installation.doctor(), "SMS") == []
            tried = installation.run("sms", "try", "0300 1234567")
            assert (tried.returncode, tried.stdout) == (1, "centre-b: not taken: not reached\n")
        finally:
            path.unlink()

    def test_looks_on_when_the_database_is_away(self, installation: Installation) -> None:
        lines = installation.doctor(DATABASE_URL="postgresql://nobody@/none?host=/nonexistent")
        assert about(lines, "database", WRONG)[0].endswith("Start it, or correct DATABASE_URL.")
        assert about(lines, "nftables")
        # What stands in files is looked at all the same.
        assert about(lines, "policy", OK) and not [line for line in lines if "could not be looked at" in line]


class TestFolder:
    def test_that_others_may_look_into(self, patient: Inspection) -> None:
        patient.data.chmod(0o755)
        (finding,) = doctor.check_folder(patient)
        assert (finding.state, finding.text.endswith(f"chmod g-w,o= {patient.data}")) == (WRONG, True)
        patient.data.chmod(0o700)
        (finding,) = doctor.check_folder(patient)
        assert finding.state == OK

    def test_of_a_newer_version(self, patient: Inspection) -> None:
        (patient.data / "version").write_text('format = 99\nkind = "register"\nwritten_by = "9.0.0"\n')
        (finding,) = doctor.check_folder(patient)
        assert finding.state == WRONG
        assert "9.0.0" in finding.text


class TestFeed:
    def write(self, patient: Inspection, name: str, expires: dt.datetime) -> None:
        folder = patient.data / "feed" / "metadata"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(json.dumps({"signed": {"expires": expires.isoformat()}, "signatures": []}))

    def test_whose_newest_root_is_near_its_end_wants_a_ceremony(self, patient: Inspection) -> None:
        now = dt.datetime.now(dt.UTC)
        # The older one is the one that still lasts: the newest counts, and ten comes after nine.
        self.write(patient, "9.root.json", now + dt.timedelta(days=300))
        self.write(patient, "10.root.json", now + dt.timedelta(days=20))
        (finding,) = doctor.check_feed(patient)
        assert finding.state == WRONG
        assert "offline keys" in finding.text

    def test_that_may_not_be_read_is_not_called_lost(
        self, patient: Inspection, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.write(patient, "9.root.json", dt.datetime.now(dt.UTC) + dt.timedelta(days=300))
        # Root may read everything.
        monkeypatch.setattr(os, "access", lambda path, how: False)
        (finding,) = doctor.check_feed(patient)
        assert finding.state == WRONG and "may not be read by this user" in finding.text

    def test_whose_timestamp_has_expired_has_no_publisher(self, patient: Inspection) -> None:
        self.write(patient, "timestamp.json", dt.datetime.now(dt.UTC) - dt.timedelta(hours=1))
        (finding,) = doctor.check_feed(patient)
        assert "the publisher does not run" in finding.text


class TestSettings:
    def test_say_when_the_address_is_not_https_or_not_answered(self, tmp_path: Path) -> None:
        given = {
            "RAHDARI_URL": "http://register.example",
            "RAHDARI_HOSTS": "other.example",
            "RAHDARI_TRUSTED_PROXIES": "10.0.0.1/8",
        }
        findings = list(doctor.check_settings(Inspection(tmp_path, given, "127.0.0.1", 1)))
        assert [finding.about for finding in findings if finding.state == WRONG] == [
            "proxies",
            "address",
            "hosts",
        ]
        well = {
            "RAHDARI_URL": "https://register.example",
            "RAHDARI_HOSTS": "register.example",
            "RAHDARI_TRUSTED_PROXIES": "127.0.0.1/32",
        }
        findings = list(doctor.check_settings(Inspection(tmp_path, well, "127.0.0.1", 1)))
        assert [finding.state for finding in findings] == [OK]

    @pytest.mark.parametrize("proxies", ["", "0.0.0.0/0", "127.0.0.1/32,::/0", "10.0.0.0/7"])
    def test_name_proxies_and_not_everybody(self, tmp_path: Path, proxies: str) -> None:
        given = {"RAHDARI_URL": "https://register.example", "RAHDARI_TRUSTED_PROXIES": proxies}
        (finding,) = check_proxies(given)
        assert finding.state == WRONG and "127.0.0.1/32" in finding.text
        assert not list(check_proxies(given | {"RAHDARI_TRUSTED_PROXIES": "127.0.0.1/32, 10.0.0.0/8"}))
        assert not list(check_proxies({"RAHDARI_URL": "http://127.0.0.1:8000"}))

    def test_are_not_for_everybody_to_read(self, patient: Inspection, tmp_path: Path) -> None:
        file = tmp_path / "settings" / "rahdari.env"
        file.parent.mkdir()
        file.write_text("RAHDARI_SMTP_PASSWORD=sample\n")
        file.chmod(0o644)
        given = replace(patient, settings_folder=file.parent)
        (finding,) = check_settings_files(given)
        assert finding.text.endswith(f"Run: chmod 640 {file}")
        file.chmod(0o640)
        assert not list(check_settings_files(given))

    def test_of_the_demonstration_are_wrong_for_a_register(self, tmp_path: Path) -> None:
        given = {"DJANGO_SETTINGS_MODULE": datafolder.SETTINGS[datafolder.DEMO]}
        datafolder.write_label(tmp_path, datafolder.REGISTER)
        (finding,) = doctor.check_settings(Inspection(tmp_path, given, "127.0.0.1", 1))
        assert finding.state == WRONG
        assert "anybody may sign in as anybody" in finding.text
        datafolder.write_label(tmp_path, datafolder.DEMO)
        (finding,) = doctor.check_settings(Inspection(tmp_path, given, "127.0.0.1", 1))
        assert finding.state == OK

    def test_of_a_token_that_is_guessed_are_wrong(self) -> None:
        (finding,) = check_token({"RAHDARI_METRICS_TOKEN": "x"})
        assert finding.state == WRONG and "opens nothing" in finding.text
        assert not list(check_token({"RAHDARI_METRICS_TOKEN": "x" * watching.SHORTEST_TOKEN}))
        assert not list(check_token({}))


class TestResolvers:
    @pytest.mark.parametrize(("code", "state"), [("NXDOMAIN", OK), ("REFUSED", WRONG)])
    def test_are_asked(self, patient: Inspection, code: str, state: str) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
            server.bind(("127.0.0.1", 0))

            def answer() -> None:
                asked, whose = server.recvfrom(512)
                said = dns.message.make_response(dns.message.from_wire(asked))
                said.set_rcode(dns.rcode.from_text(code))
                server.sendto(said.to_wire(), whose)

            thread = threading.Thread(target=answer)
            thread.start()
            named = f"127.0.0.1:{server.getsockname()[1]}"
            given = replace(patient, environment={"RAHDARI_RESOLVERS": named})
            (finding,) = check_resolvers(given, patience=120)
            thread.join()
        assert finding.state == state and named in finding.text

    def test_that_say_nothing_are_told(self, patient: Inspection) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
            silent.bind(("127.0.0.1", 0))
            named = f"127.0.0.1:{silent.getsockname()[1]}"
            given = replace(patient, environment={"RAHDARI_RESOLVERS": f"{named}, register.example"})
            said, no_address = check_resolvers(given, patience=0.1)
        assert said.state == WRONG and f"{named} of RAHDARI_RESOLVERS cannot be asked (it does not answer)" in said.text
        assert no_address.state == WRONG


class TestMail:
    @pytest.mark.parametrize(("greeting", "state"), [(b"220 mail.example\r\n", OK), (b"HTTP/1.1", WRONG)])
    def test_server_is_known_by_its_greeting(self, tmp_path: Path, greeting: bytes, state: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:

            def greet() -> None:
                connection, _ = server.accept()
                with connection:
                    connection.sendall(greeting)

            thread = threading.Thread(target=greet)
            thread.start()
            port = str(server.getsockname()[1])
            given = {"RAHDARI_SMTP_PORT": port, "RAHDARI_MAIL_FROM": "register@authority.test"}
            (finding,) = doctor.check_mail(Inspection(tmp_path, given, "127.0.0.1", 1))
            thread.join()
        assert finding.state == state

    @pytest.mark.parametrize(("offers", "state"), [("STARTTLS", OK), ("8BITMIME", WRONG)])
    def test_server_has_the_starttls_that_is_wanted(self, tmp_path: Path, offers: str, state: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:

            def talk() -> None:
                # The doctor comes twice: to be greeted, and to ask.
                for _ in range(2):
                    connection, _ = server.accept()
                    with connection, connection.makefile("rwb", buffering=0) as lines:
                        lines.write(b"220 mail.example\r\n")
                        if lines.readline().lower().startswith(b"ehlo"):
                            lines.write(f"250-mail.example\r\n250 {offers}\r\n".encode())
                            lines.readline()

            thread = threading.Thread(target=talk)
            thread.start()
            given = {
                "RAHDARI_SMTP_PORT": str(server.getsockname()[1]),
                "RAHDARI_SMTP_TLS": "1",
                "RAHDARI_MAIL_FROM": "register@authority.test",
            }
            (finding,) = doctor.check_mail(Inspection(tmp_path, given, "127.0.0.1", 1))
            thread.join()
        assert finding.state == state


class TestCalendar:
    def test_is_wrong_when_empty_or_over_and_asks_for_next_year_in_time(self) -> None:
        calendar = policy.load(policy.BUNDLED).calendar
        known = replace(calendar, holidays=(Holiday(dt.date(2026, 12, 25)),))
        (empty,) = check_calendar(replace(calendar, holidays=()), dt.date(2026, 6, 1))
        (over,) = check_calendar(known, dt.date(2029, 2, 1))
        (soon,) = check_calendar(known, dt.date(2026, 11, 1))
        assert [each.state for each in (empty, over, soon)] == [WRONG, WRONG, NOTE]
        assert "2026-12-25" in over.text and "2027" in soon.text
        assert not list(check_calendar(known, dt.date(2026, 10, 31)))


class TestPolicy:
    def test_that_was_edited_by_hand_is_known(
        self, patient: Inspection, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("RAHDARI_DATA", str(patient.data))
        assert policy_commands.use_policy(Namespace(file=policy.BUNDLED, name="", second="")) == 0
        path = policy_commands.in_force(patient.data)

        def wrong() -> list[str]:
            return [each.text for each in doctor.check_policy(patient) if each.state == WRONG]

        assert wrong() == []
        text = path.read_text()
        path.write_text(text + "\n# A comment is no rule.\n")
        assert wrong() == []
        path.write_text(text.replace('monday = ["09:00-13:00"', 'monday = ["10:00-13:00"'))
        (said,) = wrong()
        assert "changed by hand" in said and "rahdari policy use FILE" in said

    @pytest.mark.django_db
    def test_that_did_not_come_back_from_a_backup_is_missed(
        self, patient: Inspection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        story.a_granted_application(story.a_person())
        assert not list(check_rules_of_the_last(patient))
        other = tmp_path / "example.toml"
        other.write_text(policy.BUNDLED.read_text().replace("Demonstration Authority", "Sample Authority"))
        monkeypatch.setattr(policy, "BUNDLED", other)
        (finding,) = check_rules_of_the_last(patient)
        assert finding.state == WRONG and "Sample Authority" in finding.text
        policy_commands.put_in_force(policy.BUNDLED, policy_commands.in_force(patient.data))
        assert not list(check_rules_of_the_last(patient))

    def test_says_what_reasons_that_are_off_mean(self, patient: Inspection) -> None:
        (note,) = [each for each in doctor.check_policy(patient) if "reasons" in each.text]
        assert "no question, refusal or ending can rest on these reasons" in note.text


class TestFeedKeys:
    def test_are_there_closed_and_the_offline_ones_elsewhere(self, patient: Inspection) -> None:
        folder = keys.online_folder(patient.data)
        folder.mkdir(parents=True)
        for role in keys.ONLINE:
            (folder / f"{role}.pem").write_text("sample")
            (folder / f"{role}.pem").chmod(0o600)
        (note,) = check_feed_keys(patient)
        assert note.state == NOTE and "all is one user" in note.text
        (folder / "timestamp.pem").chmod(0o644)
        (folder / "feed-canary.pem").unlink()
        offline = patient.data / "offline"
        offline.mkdir()
        (offline / "root-1.pem").write_text("sample")
        _, gone, opened, left = (each.text for each in check_feed_keys(patient))
        assert "feed-canary.pem is gone" in gone
        assert opened.endswith(f"chmod 600 {folder / 'timestamp.pem'}")
        assert str(offline / "root-1.pem") in left


class Answering:
    """A program at a port: what it answers to each path."""

    def __init__(self, answers: dict[str, tuple[int, bytes]], *, posted: int = 404) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.send_response(posted)
                self.end_headers()

            def do_GET(self) -> None:
                status, body = answers.get(self.path, (404, b""))
                self.send_response(status)
                self.send_header("Content-Type", "text/plain")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *arguments: object) -> None:
                pass

        self.handler = Handler

    @contextmanager
    def at(self, port: int) -> Iterator[None]:
        with ThreadingHTTPServer(("127.0.0.1", port), self.handler) as server:
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            try:
                yield
            finally:
                server.shutdown()
                thread.join()


class TestPorts:
    OURS = (
        Answering({"/metrics": (200, b"# TYPE rahdari_info gauge\n")}),
        Answering({"/healthz": (503, b"no edition yet\n")}),
        Answering({"/metrics": (200, b"rahdari_lookup_ready 1\n"), "/healthz": (200, b"")}),
    )

    def test_that_single_units_hold_are_well(self, patient: Inspection) -> None:
        port = free_port(beside=2)
        given = replace(patient, port=port)
        with self.OURS[0].at(port), self.OURS[1].at(port + 1), self.OURS[2].at(port + 2):
            assert [each.state for each in doctor.check_ports(given)] == [OK] * 3
            assert [each.text for each in doctor.check_lookups(given)] == ["all entries are held"]
        with self.OURS[0].at(port), self.OURS[2].at(port + 2):
            _, feed, _ = doctor.check_ports(given)
            assert feed.state == NOTE and "nothing answers" in feed.text
        assert next(each.text for each in doctor.check_ports(given)) == f"{port} is free (pages)"

    def test_of_whatever_cannot_read_the_feed_are_told_as_the_registers_fault(self, patient: Inspection) -> None:
        port = free_port(beside=2)
        given = replace(patient, port=port)
        page = b"rahdari_lookup_ready 1\nrahdari_lookup_troubles 2\n"
        with self.OURS[1].at(port + 1), self.OURS[2].at(port + 2):
            assert list(doctor.check_served(given)) == []
        well = Answering({"/healthz": (200, b"ready\n")})
        with well.at(port + 1):
            assert [each.state for each in doctor.check_served(given)] == [OK]
        shut = Answering({"/healthz": (200, b"2 folders of the feed cannot be read\n")})
        with shut.at(port + 1), Answering({"/metrics": (200, page), "/healthz": (200, b"")}).at(port + 2):
            assert doctor.answers_as_ours("127.0.0.1", port + 1, "feed")
            (served,), (lookups,) = doctor.check_served(given), doctor.check_lookups(given)
        assert (served.state, lookups.state) == (WRONG, WRONG)
        assert served.text.startswith(
            "2 folders of the feed cannot be read by the process that serves it: operators do not"
        )
        assert lookups.text.startswith("2 parts of the feed cannot be read by the lookups")

    def test_of_another_program_are_taken(self, patient: Inspection) -> None:
        port = free_port(beside=2)
        other = Answering({"/metrics": (200, b"other_info 1\n"), "/healthz": (200, b"ok\n")})
        with other.at(port), other.at(port + 1), other.at(port + 2):
            findings = list(doctor.check_ports(replace(patient, port=port)))
        assert [each.state for each in findings] == [WRONG] * 3


class TestFront:
    def test_that_passes_on_what_is_not_there_yet_is_told(self, installation: Installation) -> None:
        """The server of the pages with nothing in front: it is the one that answers."""
        port = free_port(beside=2)
        given = Inspection(installation.data, {"RAHDARI_URL": f"http://127.0.0.1:{port}"}, "127.0.0.1", port)
        (away,) = check_front(given)
        assert away.state == WRONG and "does not answer (" in away.text
        kept = {name: value for name, value in os.environ.items() if not name.startswith(DROPPED)}
        command = [sys.executable, "-P", "-m", "rahdari", "web", "--workers", "1", "--port", str(port)]
        with subprocess.Popen([*command, "--data", str(installation.data)], env=kept) as web:
            try:
                until(lambda: processes.is_answering("127.0.0.1", port))
                # It answers at once; a busy machine may take its time for that.
                answers, finding = check_front(given, patience=120)
            finally:
                web.terminate()
        assert answers.state == OK
        assert finding.state == NOTE and "before it is there whole" in finding.text

    @pytest.mark.parametrize(
        ("fault", "why", "said"),
        [
            (Fault.NAME, "Name or service not known", "the name is not known here (Name or service not known)"),
            (Fault.CONNECTION, "Connection refused", "Start the web server in front"),
            (Fault.CERTIFICATE, "certificate has expired", "nobody takes the certificate (certificate has expired)"),
            (Fault.ANSWER, "502 Bad Gateway", "another than ours answers (502 Bad Gateway)"),
        ],
    )
    def test_that_is_not_reached_by_its_name_is_wrong(self, fault: Fault, why: str, said: str) -> None:
        finding = finding_of(Looked("feed", "https://feed.example", fault, why), NOW)
        assert finding.state == WRONG and "https://feed.example (feed)" in finding.text and said in finding.text

    @pytest.mark.parametrize(("left", "state", "days"), [(9, WRONG, "ends in 9 days"), (11, OK, "for 11 more days")])
    def test_whose_certificate_is_not_renewed_is_wrong(self, left: int, state: str, days: str) -> None:
        looked = Looked("pages", "https://register.example", ends=NOW + dt.timedelta(days=left, hours=1))
        finding = finding_of(looked, NOW)
        assert finding.state == state and days in finding.text

    def test_that_waits_for_all_of_it_or_refuses_by_itself_is_well(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as waiting:
            url = f"http://127.0.0.1:{waiting.getsockname()[1]}"
            assert not answers_before_the_body(url, patience=0.1)
        refusing = Answering({}, posted=413)
        port = free_port(beside=2)
        with refusing.at(port):
            assert not answers_before_the_body(f"http://127.0.0.1:{port}")


@pytest.mark.django_db
class TestLoops:
    def test_that_were_never_started_are_no_fault_until_others_run(self) -> None:
        assert {each.state for each in check_loops(others_run=False)} == {NOTE}
        assert [each.state for each in check_loops(others_run=True)] == [WRONG] * 3

    def test_that_are_not_at_work_are_told_by_their_process(self) -> None:
        """Each by the connection that it keeps."""
        parameters = connections["default"].get_connection_params()
        wanted = {name: value for name, value in parameters.items() if name in LISTENING and value}
        with ExitStack() as stack:
            for loop in watching.LOOPS:
                if loop not in ("publisher", "letters"):
                    named = watching.name_of_loop(loop)
                    stack.enter_context(psycopg.connect(**wanted, application_name=named))
            publisher, worker, watch = check_loops(others_run=False)
        assert publisher.state == WRONG and "`rahdari publisher` does not run" in publisher.text
        assert worker.state == WRONG and "not at work: letters." in worker.text
        assert (watch.state, watch.text) == (OK, "`rahdari watch run` is at work")


class TestRights:
    def test_of_the_processes_that_were_changed_by_hand_are_told_with_the_way_back(
        self, installation: Installation
    ) -> None:
        def wrong() -> list[str]:
            return about(installation.doctor(DATABASE_URL=installation.server.application_url), "tables", WRONG)

        with psycopg.connect(installation.server.url, autocommit=True) as owner:
            name = postgres.APPLICATION
            try:
                owner.execute(f'REVOKE INSERT ON journal_journalentry FROM "{name}"')
                owner.execute(f'GRANT UPDATE ON journal_journalentry TO "{name}"')
                lacks, beyond = said = wrong()
            finally:
                for line in said:
                    owner.execute(line.partition("tables: ")[2])
        assert "may not INSERT on journal_journalentry, so acts fail" in lacks
        assert "may UPDATE on journal_journalentry, which nobody is to" in beyond
        assert wrong() == []


class TestExamine:
    def test_goes_on_after_a_check_that_fails_itself(
        self, patient: Inspection, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def check_broken(patient: Inspection) -> list[Finding]:
            raise RuntimeError("unforeseen")

        monkeypatch.setattr(doctor, "CHECKS", (check_broken, doctor.check_python))
        broken, python = doctor.examine(patient)
        assert (broken.state, broken.about) == (WRONG, "broken")
        assert python.state == OK


@pytest.mark.parametrize(
    ("url", "port"),
    [("http://127.0.0.1:8103", 8103), ("http://127.0.0.1", None), ("https://register.example:8443", None), ("", None)],
)
def test_asks_at_the_port_of_what_runs_here(url: str, port: int | None) -> None:
    assert commands.local_port(url) == port


@pytest.mark.django_db
class TestOperators:
    @pytest.mark.parametrize(
        ("said", "mend"),
        [
            ("ready", "Tell its people."),
            ("2 folders of the feed cannot be read", "The register is at fault: see `served`."),
        ],
    )
    def test_that_are_behind_are_not_blamed_for_what_they_cannot_get(
        self, patient: Inspection, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch, said: str, mend: str
    ) -> None:
        settings.DATA = tmp_path / "data-of-a-feed"
        settings.DATA.mkdir()
        ceremony.make_feed_keys(offline=tmp_path / "offline", now=NOW)
        operator = an_operator()
        began = NOW - dt.timedelta(hours=1)
        publish(began)
        received(operator)
        monkeypatch.setattr(doctor, "feed_says", lambda patient: said)
        # Not when this module was read: that may be long ago.
        monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
        assert "all 1 are in sync" in texts(patient)
        entered(address(1))
        publish()
        assert "all 1 are in sync; 1 have yet to say that the newest edition is in force" in texts(patient)
        monkeypatch.setattr("django.utils.timezone.now", lambda: NOW + dt.timedelta(minutes=10))
        assert f"{operator.slug} is behind. {mend}" in texts(patient)


def texts(patient: Inspection) -> list[str]:
    return [each.text for each in doctor.check_operators(patient) if each.about == "operators"]
