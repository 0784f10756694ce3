"""The demonstration: made-up people, documentation ranges, mail into a folder. Never for a real register."""

from datetime import timedelta

from .base import *
from .base import DATA, WITHOUT
from .base import SECRET_KEY as GIVEN_KEY

DEMO = True
SAMPLE_MAIL = True
SECONDS_AFTER = timedelta(0)
SECRET_KEY = GIVEN_KEY or "demonstration-only-not-a-secret"
ALLOWED_HOSTS = ["*"]
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
CONTACT_EMAIL = "help@rahdari.example"
MAILERS = {"default": {"BACKEND": "rahdari.letters.backends.ConsoleAndFileBackend"}}
if "sms" not in WITHOUT:
    SMS_FOLDER = DATA / "sms"
# What the made-up registry says of who holds the made-up blocks; whoever tries a proof out writes into it.
SAMPLE_REGISTRY = str(DATA / "sample-registry.json")
# Whom the made-up addresses belong to: (number of the network, its operator, prefix).
DIRECTORY_EXTRA = [
    (64500, "Sample Fibre", "203.0.113.0/24"),
    (64500, "Sample Fibre", "127.0.0.0/8"),
    (64500, "Sample Fibre", "::1/128"),
    (64500, "Sample Fibre", "2001:db8::/33"),
    (64501, "Example Broadband", "198.51.100.0/24"),
    (64502, "Placeholder Net", "192.0.2.0/24"),
]
# Passkeys at http://localhost, where browsers allow them.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = True
