"""What people type on the pages of this room, and what each page says when it cannot be used."""

import datetime as dt
import re
from collections.abc import Callable, Collection
from typing import Any

from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.webauthn.forms import AddWebAuthnForm, EditWebAuthnForm
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from rahdari import optional
from rahdari.web import limits, values, visitor

from .actions import allow_stranger
from .identifiers import with_plain_digits
from .mailboxes import EmailField, clean_email
from .models import DIRECTOR, Language, Membership, Organisation, Role, User
from .names import NameField
from .queries import WRONG_CODES

# Wrong codes of one network in a day: among all who share a telephone's network some mistype. Of eight figures that is
# one account guessed in a million days.
WRONG_OF_A_NETWORK, A_DAY = 60, 24 * 3600
# Codes for one address in an hour, asked for by a browser that has signed in with it.
CODES_OF_A_KNOWN_BROWSER = (20, 3600)
CODES_TO_AN_ADDRESS = (limits.Letters(10, 20, 60, 3600), limits.Letters(30, 60, 200, A_DAY))


def _later(words: Any, wait: dt.timedelta) -> ValidationError:
    return ValidationError(words % {"when": values.again_after(wait)}, code="rate_limited")


class EmailForm(forms.Form):
    """Sign in or begin: one field."""

    email = forms.CharField(
        label=_("Email"),
        help_text=_("Use the same one every time, so that we find your answers again."),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "username webauthn", "spellcheck": "false"}),
        error_messages={
            "required": _("Enter your email address"),
            "max_length": _("This address is too long to be right"),
        },
    )

    def __init__(
        self,
        *args: Any,
        place: visitor.Place,
        was_here: Callable[[str], bool] = lambda _email: False,
        **kwargs: Any,
    ) -> None:
        """`was_here`: whether this browser has signed in with that address before."""
        super().__init__(*args, **kwargs)
        self.place, self.was_here = place, was_here

    def clean_email(self) -> str:
        email = clean_email(self.cleaned_data["email"])
        # A stranger who asks again and again for somebody's code must not keep them out (`limits.take_letter`), and a
        # browser that has signed in with it before has its own count.
        code = "people.code"
        if self.was_here(email):
            rate, per = CODES_OF_A_KNOWN_BROWSER
            allowance = limits.take(f"{code}:here:{email}", rate=rate, per=per)
        else:
            # Many people share one address of a mobile network, so the limit for a network is wide.
            allowance = limits.take(f"{code}:network:{self.place.household}", rate=60, per=60)
            if allowance.allowed:
                allowance = limits.take_letter(code, email, self.place, *CODES_TO_AN_ADDRESS)
        if not allowance.allowed:
            raise _later(_("Too many codes were asked for. Try again after %(when)s"), allowance.wait)
        return email


def digits(text: str) -> str:
    return "".join(letter for letter in with_plain_digits(text) if letter.isalnum())


def code_widget() -> forms.TextInput:
    return forms.TextInput(
        attrs={
            "class": "code big",
            "inputmode": "numeric",
            "autocomplete": "one-time-code",
            "autocapitalize": "off",
            "spellcheck": "false",
        }
    )


class CodeForm(forms.Form):
    """The code from the mail. Whether it is right is asked of `process`, which counts the tries."""

    code = forms.CharField(
        label=_("8-digit code"),
        max_length=40,
        widget=code_widget(),
        error_messages={
            "required": _("Enter the code from the email"),
            "max_length": _("The code has 8 digits. Check the email again. This try was not counted"),
        },
    )

    def __init__(self, *args: Any, process: Any, network: str, was_here: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.process, self.network, self.was_here = process, network, was_here

    def clean_code(self) -> str:
        # Whoever guesses does so across accounts, three times each. A browser that was here before guesses nothing.
        of_network = f"people.wrong_code:{self.network}"
        left = 1.0 if self.was_here else limits.left(of_network, rate=WRONG_OF_A_NETWORK, per=A_DAY)
        if left < 1:
            words = _("Too many wrong codes came from your network. Sign in from another one, or after %(when)s")
            raise _later(words, dt.timedelta(seconds=(1 - left) * A_DAY / WRONG_OF_A_NETWORK))
        code = digits(self.cleaned_data["code"])
        if not re.fullmatch("[0-9]{8}", code):
            # No guess: it can be no code, so it costs no try.
            raise ValidationError(
                _("The code has 8 digits. Check the email again. This try was not counted"), code="shape"
            )
        if not self.process.is_right(code):
            limits.take(of_network, rate=WRONG_OF_A_NETWORK, per=A_DAY)
            limits.take("people.wrong_code", rate=WRONG_CODES, per=A_DAY)
            raise ValidationError(_("That code is wrong. Use the one in the latest email"), code="incorrect")
        return code


class _AppCode:
    """Gives allauth's code fields our words and our digits."""

    fields: dict[str, forms.Field]
    user: User

    def clean_code(self) -> str:
        # 6 figures, and allauth takes the neighbouring ones too: ten tries an hour, counted for all processes.
        allowance = limits.take(f"people.second_factor:{self.user.pk}", rate=10, per=3600)
        if not allowance.allowed:
            raise _later(_("Too many tries. Try again after %(when)s"), allowance.wait)
        code: str = super().clean_code()  # type: ignore[misc]
        return code

    def set_words(self, hint: Any) -> None:
        field = self.fields["code"]
        field.label = _("Code")
        field.help_text = hint
        field.widget = code_widget()
        field.error_messages["required"] = _("Enter the code")
        field.to_python = lambda value: digits(str(value or ""))  # type: ignore[method-assign]


class SecondFactorForm(_AppCode, AuthenticateForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.set_words(_("The 6-digit code that your app shows now, or one of your recovery codes."))


class ConfirmForm(_AppCode, ReauthenticateForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.set_words(_("The 6-digit code that your app shows now, or one of your recovery codes."))


class AppForm(_AppCode, ActivateTOTPForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.set_words(_("The 6-digit code that the app shows after you add the key."))


class PasskeyForm(AddWebAuthnForm):
    """A passkey always signs in by itself, so allauth's choice is not shown."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        name = self.fields["name"]
        name.label = _("Name of this device")
        name.help_text = _("For example: my phone.")
        name.widget.attrs["maxlength"] = "60"
        self.initial["name"] = ""
        self.fields["passwordless"].widget = forms.HiddenInput()
        self.initial["passwordless"] = True
        self.fields["credential"].error_messages["required"] = _(
            "The device gave no passkey. Press the button and follow what the device asks"
        )

    def clean_name(self) -> str:
        return " ".join(self.cleaned_data["name"].split())[:60] or str(_("Passkey"))


class PasskeyNameForm(EditWebAuthnForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].label = _("Name of this device")
        self.fields["name"].error_messages["required"] = _("Enter a name for this device")
        self.fields["name"].widget.attrs["maxlength"] = "60"


class AccountForm(forms.Form):
    name = NameField(
        label=_("Your name"),
        help_text=_("As on your identity card."),
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
        error_messages={
            "required": _("Enter your name"),
            "max_length": _("Enter a name of at most %(limit_value)s characters"),
        },
    )
    language = forms.ChoiceField(
        label=_("Language of our letters"),
        choices=Language.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose a language"), "invalid_choice": _("Choose a language")},
    )

    def __init__(self, *args: Any, has_name: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not has_name:
            del self.fields["name"]


class AppointForm(forms.Form):
    """An administrator gives a post to somebody who has signed in before."""

    email = EmailField(
        label=_("Email"),
        help_text=_("The person must have signed in once with this address."),
        error_messages={
            "required": _("Enter the email address"),
            "invalid": _("Enter an email address with an @ sign and without spaces"),
        },
    )
    role = forms.ChoiceField(
        label=_("Post"),
        choices=[
            (Role.OFFICER, _("Officer")),
            (Role.SUPERVISOR, _("Supervisor")),
            (Role.OPERATOR, _("Operator")),
            (Role.ADMINISTRATOR, _("Administrator")),
            (Role.ACCOUNTS, _("Accounts")),
            (Role.ASSOCIATION, _("Association")),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose a post"), "invalid_choice": _("Choose a post")},
    )
    director = forms.BooleanField(
        label=_("Has Director rank"), help_text=_("Only for officers and supervisors."), required=False
    )
    operator = forms.SlugField(
        label=_("Short name of the operator"),
        help_text=_("Only for operators, as rahdari operator add gave it."),
        required=False,
        max_length=60,
        error_messages={"invalid": _("Use small letters, digits and hyphens only")},
    )

    association = forms.SlugField(
        label=_("Short name of the association"),
        help_text=_("Only for associations, as the policy names it."),
        required=False,
        max_length=60,
        error_messages={"invalid": _("Use small letters, digits and hyphens only")},
    )

    def __init__(self, *args: Any, associations: Collection[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.associations = associations

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        role = cleaned.get("role")
        if role != Role.ASSOCIATION:
            cleaned["association"] = ""
        elif "association" not in self.errors and cleaned.get("association") not in self.associations:
            self.add_error("association", _("Enter the short name of an association that the policy names"))
        if role == Role.OPERATOR and not cleaned.get("operator") and "operator" not in self.errors:
            self.add_error("operator", _("Enter the short name of the operator"))
        if role != Role.OPERATOR:
            cleaned["operator"] = ""
        cleaned["rank"] = DIRECTOR if cleaned.get("director") and role in (Role.OFFICER, Role.SUPERVISOR) else ""
        return cleaned

    def add_yourself(self) -> None:
        self.add_error("email", _("Nobody gives a post to themselves: another administrator does"))

    def add_unknown_person(self) -> None:
        self.add_error("email", _("Nobody has signed in with this address yet"))


# What each role is called, and what it lets somebody see and do (`rules.ROLES`).
ROLE_NAMES = {
    Membership.Role.OWNER.value: _("Owner"),
    Membership.Role.MANAGER.value: _("Manager"),
    Membership.Role.TECHNICIAN.value: _("Technician"),
    Membership.Role.ACCOUNTANT.value: _("Accountant"),
    Membership.Role.VIEWER.value: _("Viewer"),
}
ROLE_HINTS = {
    Membership.Role.OWNER.value: _("Everything. Also invites and removes people."),
    Membership.Role.MANAGER.value: _("Applies, answers, proves, renews and ends. Sees invoices."),
    Membership.Role.TECHNICIAN.value: _("Proves addresses and changes them. Sees no papers."),
    Membership.Role.ACCOUNTANT.value: _("Sees invoices and receipts. No address."),
    Membership.Role.VIEWER.value: _("Sees the registrations, and changes nothing."),
}


if "fees" in optional.left_out():
    del ROLE_NAMES[Membership.Role.ACCOUNTANT.value]
    ROLE_HINTS[Membership.Role.MANAGER.value] = _("Applies, answers, proves, renews and ends.")


class InviteForm(forms.Form):
    """An owner asks somebody into the organisation. Nothing here tells whether the address is known."""

    email = EmailField(
        label=_("Their email"),
        help_text=_("We send one email to this address. They have 14 days to accept."),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        error_messages={
            "required": _("Enter the email address"),
            "invalid": _("Enter an email address with an @ sign and without spaces"),
            "max_length": _("This address is too long to be right"),
        },
    )
    role = forms.ChoiceField(
        label=_("Role"),
        choices=list(ROLE_NAMES.items()),
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose a role"), "invalid_choice": _("Choose a role")},
    )

    def __init__(self, *args: Any, inviter: User, organisation: Organisation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.inviter, self.organisation = inviter, organisation
        self.fields["role"].hints = dict(ROLE_HINTS)  # type: ignore[attr-defined]

    def clean_email(self) -> str:
        email = clean_email(self.cleaned_data["email"])
        if not allow_stranger(by=self.inviter, organisation=self.organisation):
            raise ValidationError(
                _(
                    "Before its first registration an organisation can send 5 invitations a day. Send the others "
                    "tomorrow"
                ),
                code="rate_limited",
            )
        allowance = limits.take(f"people.invite:{self.inviter.pk}", rate=30, per=3600)
        if not allowance.allowed:
            raise _later(_("Too many invitations. Try again after %(when)s"), allowance.wait)
        return email

    def add_already_member(self) -> None:
        self.add_error("email", _("The owner of this email address is already a member"))
