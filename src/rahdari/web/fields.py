"""The fields that many forms have: a text, one line, a day, a time. Each says what is missing from it."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

WORDS = 4000  # characters
TOO_LONG = gettext_lazy("This is too long. Shorten it to 4,000 characters.")


def text(label: Any, missing: Any, *, rows: int = 3, hint: Any = "", required: bool = True) -> forms.CharField:
    """A text of several lines. `missing` is said where it is empty."""
    return forms.CharField(
        label=label,
        help_text=hint,
        required=required,
        max_length=WORDS,
        widget=forms.Textarea(attrs={"rows": rows, "dir": "auto"}),
        error_messages={"required": missing, "max_length": TOO_LONG},
    )


def line(label: Any, missing: Any = "", *, hint: Any = "", most: int = 200, **attributes: str) -> forms.CharField:
    """One line of at most so many characters; without `missing` it may stay empty."""
    return forms.CharField(
        label=label,
        help_text=hint,
        required=bool(missing),
        max_length=most,
        widget=forms.TextInput(attrs={"dir": "auto", "autocomplete": "off"} | attributes),
        error_messages={
            "required": missing,
            "max_length": gettext_lazy("This is too long: use at most %(limit_value)d characters."),
        },
    )


def day(label: Any, missing: Any, *, hint: Any = "", required: bool = True) -> forms.DateField:
    """A day, by the browser's own calendar. `missing` is said where it is empty, and where it is no day."""
    return forms.DateField(
        label=label,
        help_text=hint,
        required=required,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        error_messages=dict.fromkeys(("required", "invalid"), missing),
    )


def time(label: Any, missing: Any, *, required: bool = True) -> forms.TimeField:
    """A time of day, by the browser's own clock. `missing` is said where it is empty, and where it is no time."""
    return forms.TimeField(
        label=label,
        required=required,
        widget=forms.TimeInput(format="%H:%M", attrs={"type": "time"}),
        error_messages=dict.fromkeys(("required", "invalid"), missing),
    )
