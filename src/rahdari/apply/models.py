"""Applications, the endpoints asked for, their documents, and the policy they were sent under.

Invariants, each also held by the database: a status moves only as `rules.MOVES` says; what has been sent names the
policy it was sent under, frozen; an application asks for an endpoint once; one start form makes one application.
Personal fields are encrypted; an identifier has a keyed hash beside it. What was given is kept as it was given: a
later change of the organisation does not change an application that was sent.
"""

import ipaddress
import uuid
from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from rahdari.address import Block, format_block
from rahdari.address import Endpoint as AddressEndpoint
from rahdari.db.references import reference
from rahdari.people.models import Branch, Language, Mandate, Organisation, User
from rahdari.policy import CheckRule, Service
from rahdari.register.models import BlockField, PartsField, Registration
from rahdari.vault.fields import BlindIndexField, EncryptedTextField

from .rules import About, Status, Which


def make_reference(*, year: int, month: int) -> str:
    """`A-2611-K7M2-94QX`: year and month first."""
    return reference(f"A-{year % 100:02}{month:02}")


class FrozenPolicy(models.Model):
    """The rules as they stood when an application was sent; the same rules are kept once."""

    digest = models.CharField(primary_key=True, max_length=64)
    version = models.CharField(max_length=60)
    text = models.TextField()

    def __str__(self) -> str:
        return self.version


class Application(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=20, unique=True)
    applicant = models.ForeignKey(User, on_delete=models.PROTECT, related_name="applications")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    # The officer who entered it for whoever called or came: they decide nothing in it.
    entered_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    # Of what an agent began in the organisation's name.
    mandate = models.ForeignKey(Mandate, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    service = models.CharField(max_length=60)
    status = models.CharField(
        max_length=12, choices=[(status.value, status.value) for status in Status], default="draft"
    )
    language = models.CharField(max_length=2, choices=Language, default=Language.ENGLISH)
    policy = models.ForeignKey(FrozenPolicy, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    about = models.CharField(
        max_length=8, choices=[(about.value, about.value) for about in About], default=About.NEW.value
    )
    # The registration that is renewed or changed; it keeps its number.
    registration = models.ForeignKey(
        Registration, on_delete=models.PROTECT, null=True, blank=True, related_name="applied_again"
    )
    # What the service asked for when the applicant last saw it: a change of it is told before the application is sent.
    terms = models.CharField(max_length=64)

    name = EncryptedTextField()
    cnic = EncryptedTextField()
    cnic_index = models.CharField(max_length=64, blank=True, db_index=True)
    company_name = EncryptedTextField()
    company_number = EncryptedTextField()
    company_number_index = BlindIndexField(of="company_number", purpose="people.company_number", db_index=True)
    ntn = EncryptedTextField()
    contact_name = EncryptedTextField()
    contact_mobile = EncryptedTextField()
    # Which of `rules.Which`, as it was said before the draft began. Programs may say of an address whether it is fixed
    # (yes, no, unsure), as everybody did once: hence the name.
    fixed_address = models.CharField(max_length=10, blank=True)
    purpose = EncryptedTextField()
    evidence_kind = models.CharField(max_length=60, blank=True)
    evidence_text = EncryptedTextField()
    # Which association is to attest the applicant, as the policy names it, and under which number it knows them.
    association = models.SlugField(max_length=60, blank=True)
    association_number = EncryptedTextField()

    send_token = models.UUIDField(default=uuid.uuid4)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    submitted_at = models.DateTimeField(null=True, blank=True)
    checks_opened_at = models.DateTimeField(null=True, blank=True)
    # Its checks are open, and no rule has decided it or made it a case for an officer yet.
    awaits_rule = models.BooleanField(default=False)
    closed_at = models.DateTimeField(null=True, blank=True)
    # When the card number went, and when all that says who and where did (retention of the policy).
    number_erased_at = models.DateTimeField(null=True, blank=True)
    erased_at = models.DateTimeField(null=True, blank=True)
    # The last day on which an officer keeps the file though its time may be over, the ground (`rules.GROUNDS_TO_HOLD`),
    # and the number or the words for it.
    held_until = models.DateField(null=True, blank=True)
    held_because = models.CharField(max_length=12, blank=True)
    held_words = EncryptedTextField()

    class Meta:
        ordering: ClassVar[list[str]] = ["-created_at", "id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["applicant", "send_token"], name="one_start_makes_one_application"),
            models.CheckConstraint(condition=~Q(entered_by=F("applicant")), name="nobody_enters_their_own_application"),
            models.UniqueConstraint(
                fields=["registration", "about"],
                condition=Q(status__in=["draft", "submitted"], registration__isnull=False),
                name="one_renewal_or_change_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(about="new", registration__isnull=True) | (~Q(about="new") & Q(registration__isnull=False)),
                name="what_is_renewed_or_changed_is_named",
            ),
            models.CheckConstraint(
                condition=Q(status="draft", submitted_at__isnull=True, policy__isnull=True)
                | Q(status="withdrawn")
                | Q(
                    status__in=["submitted", "granted", "refused", "not_pursued"],
                    submitted_at__isnull=False,
                    policy__isnull=False,
                ),
                name="what_was_sent_names_its_policy",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["draft", "submitted"], closed_at__isnull=True)
                | (~Q(status__in=["draft", "submitted"]) & Q(closed_at__isnull=False)),
                name="application_is_closed_when_decided",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["submitted_at"],
                condition=Q(status="submitted", checks_opened_at__isnull=True),
                name="application_without_checks",
            ),
            models.Index(
                fields=["submitted_at", "id"],
                condition=Q(status="submitted", awaits_rule=True),
                name="application_awaits_rule",
            ),
            models.Index(
                fields=["service", "submitted_at"],
                condition=Q(status="submitted", checks_opened_at__isnull=False),
                name="application_of_a_service",
            ),
            # Asked for at each round of the line.
            models.Index(fields=["closed_at"], condition=Q(closed_at__isnull=False), name="application_closed"),
            models.Index(fields=["updated_at"], condition=Q(status="draft"), name="drafts_by_their_age"),
            models.Index(fields=["held_until"], condition=Q(held_until__isnull=False), name="files_on_hold"),
            # Who else has sent something with this number is asked of each application.
            models.Index(fields=["company_number"], condition=~Q(company_number=""), name="applied_with_a_number"),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def subject(self) -> str:
        """How the journal and the other rooms name it."""
        return f"application:{self.pk}"

    @property
    def holder_ref(self) -> uuid.UUID:
        """Who would hold the registration, as a reference: the organisation, or else the applicant."""
        return self.organisation.holder_ref if self.organisation is not None else self.applicant.holder_ref

    @property
    def is_mobile(self) -> bool:
        """Whether it is about a mobile number, and so about no address."""
        return self.fixed_address == Which.MOBILE

    def checks_in(self, service: Service) -> tuple[CheckRule, ...]:
        """What this service checks of it."""
        return service.checks_for(mobile=self.is_mobile, card=bool(self.cnic_index))

    @property
    def holder_name(self) -> str:
        """The name that was given for the holder: the company's, or the person's."""
        return self.company_name or self.name

    def number_for(self, roster: str) -> str | None:
        """The identifier that is looked up in a roster; None when the applicant gave none."""
        number: str = {
            "companies": self.company_number,
            # An individual's tax number is the number of their card.
            "active_taxpayers": self.ntn or ("" if self.company_name else self.cnic),
            "association_members": self.association_number,
        }[roster]
        return number or None


class Endpoint(models.Model):
    """An address asked for, with what runs there, and the network it belonged to when it was added."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="endpoints")
    block = BlockField()
    # What runs there, by its key in `rahdari.address.vpn`, and all that it needs.
    runs = models.CharField(max_length=20)
    parts = PartsField()
    position = models.PositiveIntegerField()
    asn = models.BigIntegerField(null=True, blank=True)
    operator_name = models.CharField(max_length=200, blank=True)
    # The other side of a tunnel between two sites, as `format_block` has it. For the officer: the feed never names it.
    remote = EncryptedTextField()
    # For the holder alone: which branch, which machine. Operators and officers do not see it.
    label = EncryptedTextField()
    branch = models.ForeignKey(Branch, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    # By which the operator knows the applicant; asked for where the operator is asked.
    subscriber = EncryptedTextField()
    has_subscriber = models.BooleanField(default=False)
    # The address stays, or changes by itself: then `block` is the one it had when it was last heard of.
    kind = models.CharField(max_length=8, choices=[("static", "static"), ("dynamic", "dynamic")], default="static")
    # Of a renewal or a change: the endpoint, as other rooms know it, that was proved and registered before.
    continues = models.CharField(max_length=120, blank=True)
    added_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["position", "id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["application", "block", "parts"],
                condition=Q(removed_at__isnull=True),
                name="application_asks_for_an_endpoint_once",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["removed_at"], condition=Q(removed_at__isnull=False), name="endpoints_removed"),
        ]

    def __str__(self) -> str:
        return f"endpoint:{self.pk}"

    @property
    def subject(self) -> str:
        return f"endpoint:{self.pk}"

    @property
    def network(self) -> Block:
        return ipaddress.ip_network(self.block)

    @property
    def address_text(self) -> str:
        return format_block(self.network)

    @property
    def is_dynamic(self) -> bool:
        return self.kind == "dynamic"

    @property
    def connection(self) -> str:
        """The subject under which `dyndns` has it: the endpoint that first asked for it."""
        return self.continues or self.subject

    def as_address(self) -> AddressEndpoint:
        return AddressEndpoint(self.network, self.parts)


class AddressFile(models.Model):
    """Rows of a file that were not added yet: to be looked at, corrected and added. Deleted after some days."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="address_files")
    # The columns, and each row with the number of its line, as JSON.
    content = EncryptedTextField()
    name = models.CharField(max_length=120, blank=True)
    rows = models.PositiveIntegerField()
    added = models.PositiveIntegerField(default=0)
    uploaded_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar[list[str]] = ["-uploaded_at", "id"]

    def __str__(self) -> str:
        return f"addresses:{self.pk}"


class LateEvidence(models.Model):
    """A proof that came after the application was sent: its kind, its words; its files are documents."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="proofs")
    kind = models.CharField(max_length=60)
    text = EncryptedTextField()
    given_at = models.DateTimeField()
    # When the line carried it to the checks.
    taken_in_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["given_at", "id"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["given_at"], condition=Q(taken_in_at__isnull=True), name="proofs_to_take_in"),
        ]

    def __str__(self) -> str:
        return f"proof:{self.pk}"


class Document(models.Model):
    """A file as it was kept: cleaned, encrypted, under a random name. The file that was sent is not kept."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # None: it was sent by somebody who does not apply, and `rule` is what another room calls what they said.
    application = models.ForeignKey(
        Application, on_delete=models.PROTECT, null=True, blank=True, related_name="documents"
    )
    rule = models.CharField(max_length=60)
    name = EncryptedTextField()
    media_type = models.CharField(max_length=60)
    size = models.PositiveIntegerField()
    pages = models.PositiveIntegerField(default=1)
    # The last day that a certificate names, where the policy asks for it.
    valid_until = models.DateField(null=True, blank=True)
    # Of the file as sent: the same file sent twice is kept once.
    sha256 = models.CharField(max_length=64)
    stored = models.CharField(max_length=32)
    uploaded_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True, blank=True)
    # Its time of keeping was over: the file and its name are gone, and that it was there is still known.
    erased_at = models.DateTimeField(null=True, blank=True)
    # No paper, but a note: this one was seen with an application before, and counts again. Its file is not copied.
    noted_from = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        ordering: ClassVar[list[str]] = ["uploaded_at", "id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["application", "rule", "sha256"],
                condition=Q(removed_at__isnull=True),
                nulls_distinct=False,
                name="application_has_a_file_once",
            ),
            models.CheckConstraint(
                condition=Q(application__isnull=False) | Q(rule__contains=":"), name="file_goes_with_something"
            ),
        ]

    def __str__(self) -> str:
        return f"document:{self.pk}"

    @property
    def seen_with(self) -> str:
        """Of a note: the application with which the paper was sent."""
        seen = self.noted_from.application if self.noted_from is not None else None
        return seen.reference if seen is not None else ""

    @property
    def aad(self) -> str:
        return f"apply.Document:{self.pk}"


# Models of this app too, which Django finds through this module.
from . import entered_models as entered_models  # noqa: E402
