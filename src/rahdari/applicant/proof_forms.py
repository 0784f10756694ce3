"""What an applicant gives for a way: one form, with the fields that the way needs. What was pasted is kept only as far
as the look needs it: of a certificate its fingerprint, of a client profile the key that wraps the first packets.
"""

from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from rahdari.address import AddressError, EndpointError, Protocol, format_block, parse_block, parse_port
from rahdari.apply.models import Endpoint
from rahdari.control import methods, rules
from rahdari.control.models import Method
from rahdari.probe import openvpn_keys
from rahdari.probe.claims import check_host
from rahdari.web.values import plain_ltr

NEEDS: dict[str, tuple[str, ...]] = {
    Method.WIREGUARD: ("peer_key", "port"),
    Method.OPENVPN: ("certificate", "certificate_file", "transport", "port", "profile"),
    Method.IKEV2: ("certificate", "certificate_file", "server_name"),
    Method.SSTP: ("certificate", "certificate_file", "port", "server_name"),
    Method.TLS: ("certificate", "certificate_file", "port", "server_name"),
    Method.DNS: ("name",),
    Method.HTTP: (),
    Method.TLS_ALPN: (),
    Method.RECORD: (),
}


def _line(**attributes: str) -> forms.TextInput:
    return forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "dir": "ltr"} | attributes)


def _area(rows: int) -> forms.Textarea:
    return forms.Textarea(attrs={"rows": rows, "dir": "ltr", "spellcheck": "false", "autocomplete": "off"})


class OneOfTwo(forms.CharField):
    """Wanted, unless the field after it is filled in: the form says so."""

    def validate(self, value: str) -> None:
        return


class ProofForm(forms.Form):
    use_required_attribute = False

    at = forms.CharField(
        label=_("The address in the range at which the server answers"), max_length=60, widget=_line(inputmode="url")
    )
    peer_key = forms.CharField(
        label=_("Public key of your WireGuard server"),
        help_text=_(
            "On the server, run wg show. The key has 44 characters and ends with =. Never give the private key."
        ),
        max_length=10_000,
        widget=_line(autocapitalize="off"),
        error_messages={"required": _("Enter the public key of the server")},
    )
    certificate = OneOfTwo(
        label=_("Certificate of the server, or its SHA-256 fingerprint"),
        help_text=_("Paste the text of the file, from BEGIN CERTIFICATE to END CERTIFICATE. Never the private key."),
        max_length=methods.MOST_PASTED,
        widget=_area(4),
    )
    certificate_file = forms.FileField(
        label=_("Or the file of the certificate"),
        help_text=_("Usually it ends with .crt, .cer or .pem."),
        required=False,
        widget=forms.FileInput(attrs={"accept": ".crt,.cer,.pem,.der,application/x-x509-ca-cert"}),
    )
    transport = forms.ChoiceField(
        label=_("The server listens on"), choices=[("udp", "UDP"), ("tcp", "TCP")], widget=forms.RadioSelect
    )
    port = forms.CharField(label=_("Port"), max_length=20, widget=_line(inputmode="numeric"))
    server_name = forms.CharField(
        label=_("Host name"),
        help_text=_("Only if there are several servers behind this address."),
        max_length=253,
        required=False,
        widget=_line(inputmode="url", autocapitalize="off"),
    )
    profile = forms.CharField(
        label=_("A client profile made for this proof"),
        help_text=_(
            "Only if the server uses tls-auth or tls-crypt. We keep its shared key encrypted and delete it "
            "when the proof ends."
        ),
        max_length=methods.MOST_PASTED,
        required=False,
        widget=_area(4),
    )
    name = forms.CharField(
        label=_("Host name that points to this address"),
        help_text=_("For example vpn.sample.example"),
        max_length=253,
        widget=_line(inputmode="url", autocapitalize="off"),
        error_messages={"required": _("Enter the host name")},
    )

    ORDER: ClassVar[list[str]] = [
        "at", "peer_key", "certificate", "certificate_file", "transport", "port", "server_name", "name", "profile",
    ]  # fmt: skip

    def __init__(self, *args: Any, method: str, endpoint: Endpoint, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.method, self.endpoint = method, endpoint
        needed = set(NEEDS[method]) | ({"at"} if self._names_an_address(method, endpoint) else set())
        for name in set(self.fields) - needed:
            del self.fields[name]
        self.order_fields(self.ORDER)

    @classmethod
    def is_needed(cls, method: str, endpoint: Endpoint) -> bool:
        return bool(NEEDS[method]) or cls._names_an_address(method, endpoint)

    @staticmethod
    def _names_an_address(method: str, endpoint: Endpoint) -> bool:
        """Whether one address of several is looked at, so that it has to be said which."""
        return endpoint.network.num_addresses > 1 and method not in rules.OF_THE_WHOLE

    @property
    def has_file(self) -> bool:
        return "certificate_file" in self.fields

    def clean_at(self) -> str:
        try:
            block = parse_block(self.cleaned_data["at"])
        except AddressError:
            block = None
        if block is None or block.num_addresses > 1 or block.network_address not in self.endpoint.network:
            raise ValidationError(
                gettext("Enter one address of the range %(block)s")
                % {"block": plain_ltr(format_block(self.endpoint.network))}
            )
        return str(block.network_address)

    def clean_peer_key(self) -> str:
        text = self.cleaned_data["peer_key"]
        found = methods.public_key_of(text)
        if methods.names_a_private_key(text):
            raise ValidationError(
                gettext(
                    "It contains a private key. We did not keep it. Enter only the public key: wg show displays it."
                )
            )
        if found is None:
            raise ValidationError(gettext("A WireGuard key has 44 characters and ends with =. Copy all of it."))
        return found

    def clean_port(self) -> int:
        try:
            return parse_port(self.cleaned_data["port"])
        except EndpointError:
            raise ValidationError(gettext("A port is a number from 1 to 65535.")) from None

    def _host(self, name: str) -> str:
        text: str = self.cleaned_data[name].strip().rstrip(".").lower()
        if not text:
            return ""
        try:
            plain = text.encode("idna").decode("ascii")
            check_host(plain)
        except ValueError:
            raise ValidationError(
                gettext("A host name has words with dots between them, like %(name)s")
                % {"name": plain_ltr("vpn.sample.example")}
            ) from None
        return plain

    def clean_server_name(self) -> str:
        return self._host("server_name")

    def clean_name(self) -> str:
        return self._host("name")

    def clean_certificate_file(self) -> bytes:
        file: UploadedFile[Any] | None = self.cleaned_data["certificate_file"]
        if file is None:
            return b""
        if (file.size or 0) > methods.MOST_PASTED:
            raise ValidationError(gettext("This file is too long for a certificate. Choose another one."))
        data: bytes = file.read()
        return data

    def clean_profile(self) -> openvpn_keys.Profile:
        try:
            profile = openvpn_keys.read_profile(self.cleaned_data["profile"])
        except ValueError:
            raise ValidationError(
                gettext(
                    "We cannot read the shared key in it. "
                    "Paste the whole profile, with the part in tls-crypt or tls-auth."
                )
            ) from None
        if self.cleaned_data["profile"].strip() and not profile.wrap:
            raise ValidationError(
                gettext("This profile contains no shared key. If the server uses none, leave this empty.")
            )
        return profile

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if "certificate" in self.fields and "certificate" not in self.errors and "certificate_file" not in self.errors:
            self._read_certificate(data)
        return data

    def _read_certificate(self, data: dict[str, Any]) -> None:
        file, text = data.get("certificate_file") or b"", data.get("certificate", "")
        at = "certificate_file" if file and not text.strip() else "certificate"
        if not file and not text.strip():
            self.add_error("certificate", gettext("Give the certificate, as text or as a file"))
            return
        try:
            data["fingerprint"] = methods.fingerprint_of(text.strip() or file)
        except methods.NoCertificate as error:
            if error.reason == "private_key":
                said = gettext("This is a private key. We did not keep it. Give the certificate that belongs to it.")
            else:
                said = gettext(
                    "This is not a certificate or a SHA-256 fingerprint. Copy all of it, or choose the file."
                )
            self.add_error(at, said)

    def given(self) -> dict[str, Any]:
        """The settings of the look: any of `at`, `peer_key`, `fingerprint`, `port`, `server_name`, `name`, `tcp`; with
        an OpenVPN profile also `wrap`, `shared_key`, `direction`, `digest`.
        """
        data = self.cleaned_data
        found: dict[str, Any] = {
            name: data[name]
            for name in ("at", "peer_key", "fingerprint", "port", "server_name", "name")
            if data.get(name) not in (None, "")
        }
        if "transport" in data:
            found["tcp"] = data["transport"] == "tcp"
        profile = data.get("profile")
        if profile is not None and profile.wrap:
            found |= {
                "wrap": profile.wrap,
                "shared_key": profile.shared_key,
                "direction": profile.direction,
                "digest": profile.digest,
            }
        return found


def first_values(method: str, endpoint: Endpoint, given: dict[str, Any]) -> dict[str, Any]:
    """The form's first values, by field: those of `given` (see `ProofForm.given`), else what the endpoint suggests."""
    is_tcp = all(part.protocol is Protocol.TCP for part in endpoint.parts)
    values: dict[str, Any] = {
        "port": methods.usual_port(method, endpoint.parts),
        "transport": "tcp" if is_tcp else "udp",
    }
    if given:
        values |= {name: given[name] for name in ("at", "peer_key", "port", "server_name", "name") if name in given}
        if "tcp" in given:
            values["transport"] = "tcp" if given["tcp"] else "udp"
        values["certificate"] = given.get("fingerprint", "")
    return values
