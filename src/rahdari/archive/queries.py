"""What becomes of a class of data when its time is over, and what was sealed."""

from enum import StrEnum
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from django.conf import settings
from django.db.models import QuerySet

from rahdari import policy
from rahdari.policy import Policy

from . import sealing
from .models import Sealed

# What this version seals. Of any other class "seal" means that it is kept.
SEALED = ("came_to_nothing", "case", "documents", "card_number", "payment", "entry")


class Disposal(StrEnum):
    ERASE = "erase"
    SEAL = "seal"
    KEEP = "keep"


def key_path() -> Path:
    return Path(settings.DATA) / "keys" / "seal.pub"


def key() -> X25519PublicKey | None:
    """The public half in use; None when none was installed. Raises NotASealKey."""
    path = key_path()
    return sealing.read_public(path) if path.exists() else None


def disposal_with(rules: Policy, name: str, *, has_key: bool) -> Disposal:
    """A demonstration receives no public record, so it keeps none."""
    row = rules.retention[name]
    if rules.demonstration or row.consent_ref or row.without_consent == Disposal.ERASE:
        return Disposal.ERASE
    if row.without_consent == Disposal.SEAL and name in SEALED and has_key:
        return Disposal.SEAL
    return Disposal.KEEP


def disposal_of(rules: Policy, name: str) -> Disposal:
    """By these rules, and by whether a sealing key is there."""
    return disposal_with(rules, name, has_key=key() is not None)


def disposal(name: str) -> Disposal:
    """By the rules in force."""
    return disposal_of(policy.current(settings.POLICY_FILE), name)


def is_kept(name: str) -> bool:
    return disposal(name) is Disposal.KEEP


def sealed_of(about: str) -> QuerySet[Sealed]:
    return Sealed.objects.filter(about=about)
