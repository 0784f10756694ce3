"""Tests: a real PostgreSQL, everything else local and in memory."""

import atexit
import os
import shutil
import tempfile
from datetime import timedelta
from pathlib import Path

from .base import *
from .base import TEMPLATES

DATA = Path(tempfile.mkdtemp(prefix="rahdari-test-"))
MAKER = os.getpid()


@atexit.register
def remove_data() -> None:
    """By the process that made the folder, and by no fork of it."""
    if os.getpid() == MAKER:
        shutil.rmtree(DATA, ignore_errors=True)


POLICY_FILE = DATA / "policy" / "in-force.toml"
STATIC_ROOT = DATA / "static"
STATIC_ROOT.mkdir()
MAIL_FOLDER = DATA / "mail"
SECRET_KEY = "test-only-not-a-secret"
ALLOWED_HOSTS = ["*"]
DEMO = False
SAMPLE_MAIL = True
SECONDS_AFTER = timedelta(0)
STAFF_SECOND_FACTOR = False
ALLOWED_SPECIAL_RANGES = [
    "127.0.0.0/8",
    "::1/128",
    "192.0.2.0/24",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "2001:db8::/32",
    "3fff::/20",
]
CALLBACK_RANGES = ["127.0.0.0/8", "::1/128"]
REASONS_TO_CONFIRM_ALLOWED = True
MAILERS = {"default": {"BACKEND": "django.core.mail.backends.locmem.EmailBackend"}}
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
TEMPLATES[0]["OPTIONS"]["string_if_invalid"] = ""  # type: ignore[index]
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = True
