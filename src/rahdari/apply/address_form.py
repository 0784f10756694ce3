"""One endpoint as a form: the address, whether it stays, what runs there, and the other side of a tunnel."""

import datetime as dt
import uuid
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from rahdari import optional
from rahdari.address import (
    AddressError,
    AddressFault,
    Block,
    EndpointError,
    EndpointFault,
    Protocol,
    format_block,
    parse_block,
    parse_ports,
    plain_text,
    vpn,
)
from rahdari.people.names import tidy
from rahdari.policy import Limits

from . import form_errors, parts, rules
from .forms import LineField, text_input
from .models import Application, Endpoint
from .rows import is_thousands_or_two
from .rules import Which
from .summary import WAYS, WHICH

STAYS = {"static": _("It stays the same"), "dynamic": _("It changes from time to time")}
if "dyndns" in optional.left_out():
    del STAYS["dynamic"]


class RunsForm(forms.Form):
    """What runs at an address: a VPN service, or another protocol, and ports if they are not the usual ones.

    `cleaned_data` has `runs`, the key of the service, and `parts`, all that it needs.
    """

    use_required_attribute = False
    kind = forms.ChoiceField(
        label=_("What runs there"),
        choices=[(key, label) for key, (label, _hint) in WAYS.items()],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose what runs there"), "invalid_choice": _("Choose what runs there")},
    )
    protocol = forms.ChoiceField(
        label=_("Protocol"),
        help_text=_("Only if you chose another protocol. With UDP or TCP, no port means every port."),
        choices=[("", "–"), ("udp", "UDP"), ("tcp", "TCP"), ("esp", "ESP"), ("gre", "GRE")],
        required=False,
        error_messages={"invalid_choice": _("Choose the protocol")},
    )
    port = LineField(
        label=_("Ports"),
        help_text=_("Only if they are not the usual ones. Several can be written: 1194, 1200-1203"),
        max_length=300,
        required=False,
        widget=text_input(dir="ltr", inputmode="text", autocomplete="off"),
    )

    def __init__(self, *args: Any, from_a_table: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.from_a_table = from_a_table
        kind: Any = self.fields["kind"]
        kind.hints = {key: hint for key, (_label, hint) in WAYS.items()}
        kind.or_before = ("any",)

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        kind = data.get("kind")
        if not kind:
            return data
        if kind == vpn.OTHER and not data.get("protocol"):
            if "protocol" not in self.errors:
                self.add_error("protocol", gettext("Choose the protocol"))
            return data
        try:
            given = plain_text(data.get("port", ""))
            if self.from_a_table and is_thousands_or_two(given):
                raise EndpointError(EndpointFault.SEVERAL_MEANINGS, given)
            ports = parse_ports(data["port"]) if given else ()
            protocol = Protocol(data["protocol"]) if data.get("protocol") else None
            data["runs"], data["parts"] = kind, vpn.parts_of(kind, protocol=protocol, ports=ports)
            data["named_a_part"] = kind == vpn.OTHER and len(data["parts"]) > max(1, len(ports))
        except EndpointError as error:
            self.add_error("port", ValidationError(form_errors.port(error), code=error.reason))
        return data

    @property
    def told_of_whole(self) -> str:
        """Where a part of a service was named, that it becomes the whole: for whoever named it."""
        if not self.cleaned_data.get("named_a_part"):
            return ""
        whole = form_errors.isolated(vpn.in_words(self.cleaned_data["parts"]))
        return gettext("You named a part of %(whole)s. All its parts are registered.") % {"whole": whole}


class AddressForm(RunsForm):
    """One endpoint: the address, what runs there, and ports if they are not the usual ones."""

    field_order = ("which", "block", "kind", "protocol", "port")
    which = forms.ChoiceField(
        label=_("Which address is it?"),
        choices=[(key, WHICH[key][0]) for key in (Which.LINE, Which.SERVER)],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose which address it is"), "invalid_choice": _("Choose which address it is")},
    )
    block = LineField(
        label=_("Public address or range"),
        help_text=_("IPv4 or IPv6. Write a range with a slash."),
        max_length=300,
        widget=text_input(dir="ltr", inputmode="url", autocapitalize="off"),
    )
    remote = LineField(
        label=_("Address of the other side"),
        help_text=_("Only for a tunnel between two fixed places. Operators do not see it."),
        max_length=300,
        required=False,
        widget=text_input(dir="ltr", inputmode="url", autocapitalize="off"),
    )
    label = LineField(
        label=_("Your own label"),
        help_text=_("For example a machine. Nobody else sees it."),
        max_length=60,
        required=False,
        widget=text_input(),
        error_messages={"max_length": _("This name is too long: use at most %(limit_value)s characters")},
    )
    stays = forms.ChoiceField(
        label=_("Does this address stay the same?"),
        choices=list(STAYS.items()),
        widget=forms.RadioSelect,
        required=False,
    )
    subscriber = LineField(
        label=_("Subscriber number at your operator"),
        help_text=_("It is on the bill, near your name. Only your operator sees it."),
        required=False,
        widget=text_input(dir="ltr", autocapitalize="characters"),
    )
    id = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def __init__(
        self,
        *args: Any,
        limits: Limits | None = None,
        asks_subscriber: bool = False,
        asks_which: bool = False,
        **kwargs: Any,
    ) -> None:
        """With `asks_which` it is said first which address it is; of a line nothing is asked that only a
        server has."""
        super().__init__(*args, **kwargs)
        if not asks_which:
            del self.fields["which"]
        else:
            self.fields["which"].hints = {key: hint for key, (_label, hint) in WHICH.items()}  # type: ignore[attr-defined]
            # What runs there says it too.
            self.fields["which"].required = not self.data.get("kind")
            self.fields["kind"].required = bool(self.data.get("which"))
            if self.is_bound and self.data.get("which") == Which.LINE:
                self.data = {**dict(self.data.items()), "kind": "any", "protocol": "", "port": "", "remote": ""}
        self.asks_subscriber = asks_subscriber
        if not asks_subscriber:
            del self.fields["subscriber"]
        self.limits = limits
        self.suggestion: str | None = None
        self.port_found: int | None = None
        self.fields["block"].error_messages["required"] = form_errors.address(AddressError(AddressFault.EMPTY, ""))
        self.fields["block"].error_messages["max_length"] = form_errors.address(
            AddressError(AddressFault.MALFORMED, "")
        )

    def clean_block(self) -> Block:
        try:
            return parse_block(self.cleaned_data["block"])
        except AddressError as error:
            if (trouble := self._trouble_with(error.suggestion)) is not None:
                # Nobody is sent to an address that would be refused next.
                raise ValidationError(form_errors.trouble(trouble), code=trouble.kind) from None
            self.suggestion = error.suggestion
            self.port_found = error.port
            raise ValidationError(form_errors.address(error), code=error.reason) from None

    def clean_remote(self) -> str:
        text = plain_text(self.cleaned_data["remote"])
        if not text:
            return ""
        try:
            return format_block(parse_block(text))
        except AddressError as error:
            raise ValidationError(form_errors.address(error), code=error.reason) from None

    def _trouble_with(self, suggestion: str | None) -> rules.Trouble | None:
        if suggestion is None or self.limits is None:
            return None
        return rules.assess_block(parse_block(suggestion), limits=self.limits, allowed=settings.ALLOWED_SPECIAL_RANGES)

    def clean_subscriber(self) -> str:
        given = plain_text(self.cleaned_data["subscriber"])
        if not given:
            raise ValidationError(gettext("Enter the subscriber number from your bill"))
        number = rules.subscriber_number(given)
        if number is None:
            raise ValidationError(gettext("A subscriber number has letters and digits, 40 at most. Check the bill."))
        return number

    def clean_label(self) -> str:
        return tidy(self.cleaned_data["label"])

    def clean_id(self) -> uuid.UUID:
        return self.cleaned_data["id"] or uuid.uuid4()

    def clean_stays(self) -> str:
        return self.cleaned_data["stays"] or "static"

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        block = data.get("block")
        if data.get("stays") == "dynamic" and block is not None and block.num_addresses > 1 and block.version == 4:
            self.add_error(
                "block", gettext("A range cannot be a changing address. Enter one address, without the slash.")
            )
        return data


def keep(
    form: AddressForm, *, application: Application, row: Endpoint | None, actor: str, now: dt.datetime
) -> Endpoint | None:
    """Add what the form took, or put `row` right. None when it cannot be part of the application: the form says why.

    Raises NotADraft.
    """
    data = form.cleaned_data
    asked: dict[str, Any] = {
        "block": data["block"],
        "runs": data["runs"],
        "parts": data["parts"],
        "remote": data["remote"],
        "label": data["label"],
        "kind": data["stays"],
        "actor": actor,
        "now": now,
    }
    try:
        if row is None:
            saved = parts.add_endpoint(application=application, id=data["id"], **asked)
        else:
            saved = parts.change_endpoint(endpoint=row, **asked)
    except parts.EndpointNotTaken as error:
        duplicate = error.trouble.kind is rules.AddressTrouble.DUPLICATE
        at = "port" if duplicate and form.data.get("port") else "block"
        form.add_error(at, ValidationError(form_errors.trouble(error.trouble), code=error.trouble.kind))
        return None
    if number := data.get("subscriber"):
        parts.note_subscriber(endpoint=saved, number=number, actor=actor, now=now)
    return saved
