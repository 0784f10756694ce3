"""The doctor, on a real installation that is broken piece by piece."""

import datetime as dt
import json
import socket
import threading
from pathlib import Path

import pytest

from rahdari.up import commands, datafolder, doctor
from tests.up.installed import Installation


def about(lines: list[str], word: str, state: str | None = None) -> list[str]:
    return [line for line in lines if line[7:].startswith(word) and (state is None or line.startswith(state))]


@pytest.fixture
def patient(tmp_path: Path) -> doctor.Patient:
    folder = datafolder.make(tmp_path, datafolder.REGISTER)
    return doctor.Patient(folder, {}, "127.0.0.1", 1)


class TestWhole:
    def test_finds_a_prepared_installation_well_but_for_its_feed_keys(self, installation: Installation) -> None:
        lines = installation.doctor()
        assert about(lines, "database", doctor.OK)
        assert about(lines, "tables", doctor.OK)
        assert about(lines, "keys", doctor.OK)
        assert about(lines, "policy", doctor.OK)
        assert about(lines, "feed", doctor.WRONG) == [
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
            wrong = about(installation.doctor(), "keys", doctor.WRONG)
        finally:
            fields.write_text(kept)
            fields.chmod(0o600)
            links.chmod(0o600)
        assert len(wrong) == 2
        assert "personal fields" in wrong[0] and "cannot be read any more" in wrong[0]
        assert f"chmod 600 {links}" in wrong[1]

    def test_names_the_line_of_a_broken_policy(self, installation: Installation) -> None:
        path = installation.data / "policy" / "in-force.toml"
        path.parent.mkdir(exist_ok=True)
        path.write_text("version = 1\nthis is no policy\n")
        try:
            wrong = about(installation.doctor(), "policy", doctor.WRONG)
        finally:
            path.unlink()
        assert len(wrong) == 1
        assert "in line 2" in wrong[0]

    def test_counts_the_letters_that_were_given_up(self, installation: Installation) -> None:
        assert about(installation.doctor(), "letters", doctor.OK)

    def test_names_a_file_of_sms_that_cannot_be_used_and_tries_a_provider(self, installation: Installation) -> None:
        path = installation.data / "sms.toml"
        path.write_text(
            '[[providers]]\nname = "centre-b"\nkind = "smpp"\nhost = "127.0.0.1"\nport = 1\n'
            'system_id = "rahdari"\npassword = "sample-1"\n'
        )
        try:
            path.chmod(0o644)
            assert "Run: chmod 600" in about(installation.doctor(), "SMS", doctor.WRONG)[0]
            path.chmod(0o600)
            assert about(installation.doctor(), "SMS") == []
            tried = installation.run("letters", "try", "0300 1234567")
            assert (tried.returncode, tried.stdout) == (1, "centre-b: not taken: not reached\n")
        finally:
            path.unlink()

    def test_looks_on_when_the_database_is_away(self, installation: Installation) -> None:
        lines = installation.doctor(DATABASE_URL="postgresql://nobody@/none?host=/nonexistent")
        assert about(lines, "database", doctor.WRONG)[0].endswith("Start it, or correct DATABASE_URL.")
        assert about(lines, "nftables")


class TestFolder:
    def test_that_others_may_look_into(self, patient: doctor.Patient) -> None:
        patient.data.chmod(0o755)
        (finding,) = doctor.check_folder(patient)
        assert (finding.state, finding.text.endswith(f"chmod 700 {patient.data}")) == (doctor.WRONG, True)
        patient.data.chmod(0o700)
        (finding,) = doctor.check_folder(patient)
        assert finding.state == doctor.OK

    def test_of_a_newer_version(self, patient: doctor.Patient) -> None:
        (patient.data / "version").write_text('format = 99\nkind = "register"\nwritten_by = "9.0.0"\n')
        (finding,) = doctor.check_folder(patient)
        assert finding.state == doctor.WRONG
        assert "9.0.0" in finding.text


class TestFeed:
    def write(self, patient: doctor.Patient, name: str, expires: dt.datetime) -> None:
        folder = patient.data / "feed" / "metadata"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(json.dumps({"signed": {"expires": expires.isoformat()}, "signatures": []}))

    def test_whose_newest_root_is_near_its_end_wants_a_ceremony(self, patient: doctor.Patient) -> None:
        now = dt.datetime.now(dt.UTC)
        # The older one is the one that still lasts: the newest counts, and ten comes after nine.
        self.write(patient, "9.root.json", now + dt.timedelta(days=300))
        self.write(patient, "10.root.json", now + dt.timedelta(days=20))
        (finding,) = doctor.check_feed(patient)
        assert finding.state == doctor.WRONG
        assert "offline keys" in finding.text

    def test_whose_timestamp_has_expired_has_no_publisher(self, patient: doctor.Patient) -> None:
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
        findings = list(doctor.check_settings(doctor.Patient(tmp_path, given, "127.0.0.1", 1)))
        assert [finding.about for finding in findings if finding.state == doctor.WRONG] == [
            "proxies",
            "address",
            "hosts",
        ]
        well = {"RAHDARI_URL": "https://register.example", "RAHDARI_HOSTS": "register.example"}
        findings = list(doctor.check_settings(doctor.Patient(tmp_path, well, "127.0.0.1", 1)))
        assert [finding.state for finding in findings] == [doctor.OK]

    def test_of_the_demonstration_are_wrong_for_a_register(self, tmp_path: Path) -> None:
        given = {"DJANGO_SETTINGS_MODULE": datafolder.SETTINGS[datafolder.DEMO]}
        datafolder.write_label(tmp_path, datafolder.REGISTER)
        (finding,) = doctor.check_settings(doctor.Patient(tmp_path, given, "127.0.0.1", 1))
        assert finding.state == doctor.WRONG
        assert "anybody may sign in as anybody" in finding.text
        datafolder.write_label(tmp_path, datafolder.DEMO)
        (finding,) = doctor.check_settings(doctor.Patient(tmp_path, given, "127.0.0.1", 1))
        assert finding.state == doctor.OK


class TestMail:
    @pytest.mark.parametrize(("greeting", "state"), [(b"220 mail.example\r\n", doctor.OK), (b"HTTP/1.1", doctor.WRONG)])
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
            (finding,) = doctor.check_mail(doctor.Patient(tmp_path, given, "127.0.0.1", 1))
            thread.join()
        assert finding.state == state


class TestExamine:
    def test_goes_on_after_a_check_that_fails_itself(
        self, patient: doctor.Patient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def check_broken(patient: doctor.Patient) -> list[doctor.Finding]:
            raise RuntimeError("unforeseen")

        monkeypatch.setattr(doctor, "CHECKS", (check_broken, doctor.check_python))
        broken, python = doctor.examine(patient)
        assert (broken.state, broken.about) == (doctor.WRONG, "broken")
        assert python.state == doctor.OK


@pytest.mark.parametrize(
    ("url", "port"),
    [("http://127.0.0.1:8103", 8103), ("http://127.0.0.1", None), ("https://register.example:8443", None), ("", None)],
)
def test_asks_at_the_port_of_what_runs_here(url: str, port: int | None) -> None:
    assert commands.local_port(url) == port
