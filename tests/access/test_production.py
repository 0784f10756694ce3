"""The settings of a real installation: what they refuse, and what they give a browser."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rahdari.settings import base

KEY = "a" * 48
ASKED = (
    "DEBUG DEMO STAFF_SECOND_FACTOR ALLOWED_SPECIAL_RANGES REASONS_TO_CONFIRM_ALLOWED PROOF_HTTP_PORT ALLOWED_HOSTS"
    " SESSION_COOKIE_SECURE SESSION_COOKIE_NAME SESSION_COOKIE_HTTPONLY SESSION_COOKIE_SAMESITE CSRF_COOKIE_SECURE"
    " CSRF_COOKIE_NAME SECURE_HSTS_SECONDS SECURE_HSTS_INCLUDE_SUBDOMAINS SECURE_PROXY_SSL_HEADER CSRF_TRUSTED_ORIGINS"
    " MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN"
)
READ = f"""
import json
from django.conf import settings
print(json.dumps({{name: getattr(settings, name, None) for name in "{ASKED}".split()}}))
"""
SERVED = """
import django
django.setup()
from django.conf import settings
from django.test import Client
settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "whitenoise" not in name]
settings.STORAGES = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
client = Client(enforce_csrf_checks=True, headers={"host": "register.example", "x-forwarded-proto": "https"})
print(client.get("/no/such/page/").headers.get("Strict-Transport-Security"))
answer = client.post("/language/ur/", {"typed": "kept"}, headers={"origin": "https://register.example"})
print(answer.status_code, "kept" in answer.content.decode())
"""


def run(program: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RAHDARI_")}
    given = {"DJANGO_SETTINGS_MODULE": "rahdari.settings.production", "RAHDARI_SECRET_KEY": KEY}
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(command, env=kept | given | environment, capture_output=True, text=True)


class TestProduction:
    def test_is_strict_behind_https_and_has_nothing_of_the_demonstration(self) -> None:
        done = run(READ, RAHDARI_URL="https://register.example", RAHDARI_HOSTS="register.example")
        found = json.loads(done.stdout)
        assert found == {
            "DEBUG": False,
            "DEMO": False,
            "STAFF_SECOND_FACTOR": True,
            "ALLOWED_SPECIAL_RANGES": [],
            "REASONS_TO_CONFIRM_ALLOWED": False,
            "PROOF_HTTP_PORT": 80,
            "ALLOWED_HOSTS": ["register.example"],
            "SESSION_COOKIE_SECURE": True,
            "SESSION_COOKIE_NAME": "__Host-session",
            "SESSION_COOKIE_HTTPONLY": True,
            "SESSION_COOKIE_SAMESITE": "Lax",
            "CSRF_COOKIE_SECURE": True,
            "CSRF_COOKIE_NAME": "__Host-csrf",
            "SECURE_HSTS_SECONDS": 31_536_000,
            "SECURE_HSTS_INCLUDE_SUBDOMAINS": False,
            "SECURE_PROXY_SSL_HEADER": ["HTTP_X_FORWARDED_PROTO", "https"],
            "CSRF_TRUSTED_ORIGINS": ["https://register.example"],
            "MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN": None,
        }

    def test_widens_strict_transport_only_when_it_is_told_to(self) -> None:
        given = {"RAHDARI_URL": "https://register.example", "RAHDARI_HSTS_SUBDOMAINS": "1"}
        assert json.loads(run(READ, **given).stdout)["SECURE_HSTS_INCLUDE_SUBDOMAINS"] is True

    @pytest.mark.parametrize("word", ["DEBUG", "DEMO", "STAFF_SECOND_FACTOR", "REASONS_TO_CONFIRM_ALLOWED"])
    def test_takes_no_word_from_the_environment_on_what_it_is_strict_about(self, word: str) -> None:
        given = {f"RAHDARI_{word}": "1", word: "1"} | {"RAHDARI_URL": "https://register.example"}
        found = json.loads(run(READ, **given).stdout)
        assert found[word] is (word == "STAFF_SECOND_FACTOR")

    def test_refuses_to_start_without_a_key_or_with_a_guessable_one(self) -> None:
        for key in ("", "secret"):
            done = run(READ, RAHDARI_SECRET_KEY=key)
            assert done.returncode != 0
            assert "RAHDARI_SECRET_KEY is not set" in done.stderr

    def test_refuses_to_send_sessions_over_the_network_in_the_clear(self) -> None:
        for url in ("http://register.example", "http://192.0.2.7:8000", "http://127.0.0.1.example"):
            done = run(READ, RAHDARI_URL=url)
            assert done.returncode != 0
            assert f"RAHDARI_URL is {url}, and a register is served over https" in done.stderr

    def test_starts_over_http_on_this_machine_alone(self) -> None:
        for url in ("http://127.0.0.1:8000", "http://localhost:8000", "http://[::1]:8000"):
            assert run(READ, RAHDARI_URL=url).returncode == 0

    def test_says_so_as_one_message_of_the_command(self, tmp_path: Path) -> None:
        done = run(
            "import sys; from rahdari.cli import main; sys.exit(main(sys.argv[1:]))",
            *("prepare", "--data", str(tmp_path / "data")),
            RAHDARI_URL="http://register.example",
        )
        assert done.returncode == 1
        assert done.stderr.startswith("RAHDARI_URL is http://register.example")
        assert done.stderr.count("\n") == 1

    def test_knows_a_page_of_its_own_behind_a_server_that_ends_https(self) -> None:
        """What was typed is kept for pages of ours alone, and strict transport is announced: both need the scheme."""
        done = run(SERVED, RAHDARI_URL="https://register.example", RAHDARI_HOSTS="register.example")
        assert done.stdout.splitlines() == ["max-age=31536000", "403 True"], done.stderr


class TestTheMiddleware:
    def test_puts_headers_on_every_answer_before_anything_can_fail(self) -> None:
        assert [name.rpartition(".")[2] for name in base.MIDDLEWARE[:4]] == [
            "SecurityMiddleware",
            "XFrameOptionsMiddleware",
            "ContentSecurityPolicyMiddleware",
            "PermissionsPolicyMiddleware",
        ]
