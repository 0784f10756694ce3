"""Names of persons and organisations, as somebody typed them. They stand in letters, on certificates and before the
public, so they are names and nothing else: no link, no sign that cannot be seen.
"""

import re
import unicodedata
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

# A scheme, a host by its first label, an address of mail, or a page of a site. A name like rozee.pk alone is a name.
_LINK = re.compile(r"[a-z][a-z0-9+.-]*:/|\bwww\.|\S@\S+\.\S|\w\.[a-z]{2,}[/?#:]", re.IGNORECASE)


def tidy(text: str) -> str:
    """NFC, one space between words, no control or invisible characters."""
    kept = "".join(
        sign if unicodedata.category(sign) not in {"Cc", "Cf", "Co", "Cs"} else " "
        for sign in unicodedata.normalize("NFC", text)
    )
    return " ".join(kept.split())


def holds_link(text: str) -> bool:
    """Whether a reader could take part of it for a link, or their mail program make one of it."""
    return _LINK.search(unicodedata.normalize("NFKC", text)) is not None


class NameField(forms.CharField):
    """A name in any script: it holds a letter, and no link."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=options.pop("max_length", 120), **options)

    def to_python(self, value: Any) -> str:
        return tidy(super().to_python(value) or "")

    def validate(self, value: Any) -> None:
        super().validate(value)
        if value and not any(sign.isalpha() for sign in value):
            raise ValidationError(_("A name has letters. Enter it as on the documents."), code="letters")
        if value and holds_link(value):
            raise ValidationError(_("Enter only the name, without a web or email address."), code="link")
