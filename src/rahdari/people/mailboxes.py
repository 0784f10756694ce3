"""Which addresses of email can be somebody's: no number in brackets, no bare host, no name that the internet has not.

Mail to such a place would go to a machine of our own network, or nowhere. Special-use domain names: RFC 6761, RFC 2606.
"""

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from django.utils.translation import gettext_lazy as _

from .models import normalise_email

NOWHERE = frozenset(
    {
        "alt",
        "arpa",
        "corp",
        "home",
        "internal",
        "intranet",
        "invalid",
        "lan",
        "local",
        "localhost",
        "onion",
        "private",
        "test",
    }
)
UNREACHABLE = _("Nobody can be reached at this address: use one at a mail service or at a domain of your own")
SAMPLES = frozenset({"example"})
SAMPLE_DOMAINS = frozenset({"example.com", "example.net", "example.org"})


class EmailField(forms.EmailField):
    """Judges an address in the form in which it is kept, so that an invisible mark beside it is no fault."""

    def to_python(self, value: Any) -> str:
        return normalise_email(super().to_python(value) or "")


def is_reachable(email: str) -> bool:
    """Whether mail to this address can reach a person. Names for samples do where the settings say so."""
    domain = email.rpartition("@")[2].rstrip(".")
    labels = domain.split(".")
    if domain.startswith("[") or len(labels) < 2 or labels[-1].isdigit():
        return False
    if settings.SAMPLE_MAIL:
        return labels[-1] not in NOWHERE
    return labels[-1] not in NOWHERE | SAMPLES and ".".join(labels[-2:]) not in SAMPLE_DOMAINS


def clean_email(text: str) -> str:
    """The address in the form in which it is stored. Raises ValidationError."""
    email = normalise_email(text)
    EmailValidator(message=_("Enter an email address with an @ sign and without spaces"))(email)
    if not is_reachable(email):
        raise ValidationError(UNREACHABLE, code="unreachable")
    return email
