"""Persons, their organisations and their posts.

Invariants: an email address is kept lower-case in NFKC, encrypted, and belongs to one person; nobody has a password; a
post is never deleted, it ends; an operator's post names the operator, an association's the association, and no other
post does; only officers and supervisors hold a rank; an invitation makes nobody a member until it is accepted.
`holder_ref` is all that the rooms below ever see of a person or an organisation.
"""

import datetime as dt
import unicodedata
import uuid
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext as _

from rahdari.address import turns_around
from rahdari.vault.fields import BlindIndexField, EncryptedTextField

from .rules import OrgRole, Scope


def normalise_email(text: str) -> str:
    """The form in which an address is stored and looked up: NFKC, lower-case, without surrounding spaces and without
    the invisible marks that copying brings along. With one that turns the text around it stays as it is: no address."""
    if not turns_around(text):
        text = "".join(sign for sign in text if unicodedata.category(sign) != "Cf")
    # NFKC, lower-casing and stripping can each undo another for a few letters, so it is done until nothing changes.
    before, after = None, text
    while before != after:
        before, after = after, unicodedata.normalize("NFKC", after).lower().strip()
    return after


class Language(models.TextChoices):
    ENGLISH = "en", "English"
    URDU = "ur", "اردو"


class Role(models.TextChoices):
    """Roles that need a post. An applicant has none: any person may apply."""

    OFFICER = "officer"
    SUPERVISOR = "supervisor"
    OPERATOR = "operator"
    ADMINISTRATOR = "administrator"
    ACCOUNTS = "accounts"
    ASSOCIATION = "association"


DIRECTOR = "director"
# Posts by which somebody decides, or lets others decide: given by one administrator they count once a second person
# agreed. An administrator's is among them, or the first would make the second.
WITH_TWO = frozenset({Role.OFFICER, Role.SUPERVISOR, Role.ADMINISTRATOR})
# How long a post can be agreed to.
PROPOSAL_VALID = dt.timedelta(days=14)
# How long an invitation into an organisation can be accepted.
INVITATION_VALID = dt.timedelta(days=14)


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Make a person without a password (the argument is Django's and is ignored)."""
        user = self.model(email=normalise_email(email), **fields)
        user.set_unusable_password()
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=normalise_email(username or ""))


class User(AbstractBaseUser):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = EncryptedTextField()
    email_index = BlindIndexField(of="email", purpose="people.email", unique=True)
    name = EncryptedTextField()
    language = models.CharField(max_length=2, choices=Language, default=Language.ENGLISH)
    holder_ref = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now)

    # By which Django knows a person: unique, and no address.
    USERNAME_FIELD = "email_index"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects: ClassVar[UserManager] = UserManager()

    class Meta:
        ordering: ClassVar[list[str]] = ["created_at", "id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=~models.Q(email_index=""), name="person_has_an_email"),
        ]

    def __str__(self) -> str:
        return f"person:{self.pk}"

    def clean(self) -> None:
        self.email = normalise_email(self.email)

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.email = normalise_email(self.email)
        super().save(*args, **kwargs)


class Organisation(models.Model):
    """A company or firm. Its name and number are public, but not that it has a registration, and for which address:
    they are encrypted like a person's, so that a copy of the database does not tell."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = EncryptedTextField()
    name_index = BlindIndexField(of="name", purpose="people.organisation_name", folded=True)
    company_number = EncryptedTextField()
    company_number_index = BlindIndexField(of="company_number", purpose="people.company_number", db_index=True)
    ntn = EncryptedTextField()
    holder_ref = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    created_at = models.DateTimeField(default=timezone.now)
    members = models.ManyToManyField(User, through="Membership", related_name="organisations")
    # Something of weight was done in its name: when the contact of its number is told; and of what it was told so far.
    contact_due_at = models.DateTimeField(null=True, blank=True)
    contact_told_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["created_at", "id"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["contact_due_at"],
                condition=models.Q(contact_due_at__isnull=False),
                name="organisation_contact_due",
            )
        ]

    def __str__(self) -> str:
        return f"organisation:{self.pk}"


class Membership(models.Model):
    class Role(models.TextChoices):
        """What each may do stands in `rules.ROLES`."""

        OWNER = OrgRole.OWNER.value
        MANAGER = OrgRole.MANAGER.value
        TECHNICIAN = OrgRole.TECHNICIAN.value
        ACCOUNTANT = OrgRole.ACCOUNTANT.value
        VIEWER = OrgRole.VIEWER.value

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="memberships")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role, default=Role.VIEWER)
    joined_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar[list[str]] = ["joined_at", "id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["user", "organisation"], name="person_belongs_once"),
        ]

    def __str__(self) -> str:
        return f"membership:{self.pk}"


class Invitation(models.Model):
    """An address asked into an organisation. It names no person: whoever signs in with the address finds it."""

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="invitations")
    email = EncryptedTextField(bound_to="organisation_id")
    email_index = BlindIndexField(of="email", purpose="people.email")
    role = models.CharField(max_length=10, choices=Membership.Role, default=Membership.Role.VIEWER)
    invited_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar[list[str]] = ["invited_at", "id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["organisation", "email_index"], name="address_is_invited_once"),
        ]
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["email_index"], name="invitation_by_address")]

    def __str__(self) -> str:
        return f"invitation:{self.pk}"

    @property
    def valid_until(self) -> dt.datetime:
        return self.invited_at + INVITATION_VALID


class Branch(models.Model):
    """A place of an organisation with a line of its own, and who hears of that line. It ends, it is never deleted."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="branches")
    name = EncryptedTextField()
    name_index = BlindIndexField(of="name", purpose="people.branch_name", folded=True)
    city = EncryptedTextField()
    address = EncryptedTextField()
    contact_name = EncryptedTextField()
    contact_email = EncryptedTextField()
    contact_mobile = EncryptedTextField()
    added_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["added_at", "id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["organisation", "name_index"],
                condition=models.Q(ended_at__isnull=True),
                name="branch_has_a_name_once",
            ),
        ]

    def __str__(self) -> str:
        return f"branch:{self.pk}"


class Mandate(models.Model):
    """An organisation lets somebody act in its name: a consultant, a law firm, a parent company, a provider.

    It is offered to an address, holds once whoever has the address accepted it, and ends by its day or by a word of the
    organisation or of the agent. What is registered is always the organisation's.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="mandates")
    email = EncryptedTextField()
    email_index = BlindIndexField(of="email", purpose="people.email")
    # Who that is, in the words of the organisation.
    agent_name = EncryptedTextField()
    agent = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="mandates")
    scope = models.CharField(max_length=10, choices=[(scope.value, scope.value) for scope in Scope])
    # Keys of services, with spaces between; empty: all of them.
    services = models.CharField(max_length=500, blank=True)
    given_at = models.DateTimeField()
    valid_until = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-given_at", "id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=models.Q(accepted_at__isnull=True, agent__isnull=True)
                | models.Q(accepted_at__isnull=False, agent__isnull=False),
                name="mandate_names_its_agent_once_accepted",
            ),
        ]

    def __str__(self) -> str:
        return f"mandate:{self.pk}"

    def covers(self, service: str) -> bool:
        return not self.services or service in self.services.split()


def post_label(role: str, rank: str, body: str = "") -> str:
    """The post in a letter, whatever its language: as the command line names it."""
    return f"{role}{f', {rank}' if rank else ''}{f' ({body})' if body else ''}"


def title_of_post(role: str, rank: str) -> str:
    """The post in the reader's language."""
    if rank == DIRECTOR:
        return _("Supervisor, Director rank") if role == Role.SUPERVISOR else _("Officer, Director rank")
    return {
        Role.OFFICER.value: _("Officer"),
        Role.SUPERVISOR.value: _("Supervisor"),
        Role.OPERATOR.value: _("Operator"),
        Role.ADMINISTRATOR.value: _("Administrator"),
        Role.ACCOUNTS.value: _("Accounts"),
        Role.ASSOCIATION.value: _("Association"),
    }[role]


class RoleAssignment(models.Model):
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="posts")
    role = models.CharField(max_length=20, choices=Role)
    rank = models.CharField(max_length=20, blank=True)
    operator = models.SlugField(max_length=60, blank=True)
    association = models.SlugField(max_length=60, blank=True)
    appointed_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["appointed_at", "id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=models.Q(role=Role.OPERATOR, operator__gt="")
                | (~models.Q(role=Role.OPERATOR) & models.Q(operator="")),
                name="post_names_operator_if_operators",
            ),
            models.CheckConstraint(
                condition=models.Q(role=Role.ASSOCIATION, association__gt="")
                | (~models.Q(role=Role.ASSOCIATION) & models.Q(association="")),
                name="post_names_association_if_its",
            ),
            models.CheckConstraint(
                condition=models.Q(rank="") | models.Q(rank=DIRECTOR, role__in=[Role.OFFICER, Role.SUPERVISOR]),
                name="post_has_rank_if_officers",
            ),
            models.UniqueConstraint(
                fields=["user", "role", "operator", "association"],
                condition=models.Q(ended_at__isnull=True),
                name="post_is_held_once",
            ),
        ]

    def __str__(self) -> str:
        return f"post:{self.pk}"

    @property
    def label(self) -> str:
        return post_label(self.role, self.rank, self.operator or self.association)

    @property
    def title(self) -> str:
        return title_of_post(self.role, self.rank)


class ProposedRole(models.Model):
    """A post that an administrator gave and nobody else has agreed to yet. It opens nothing: what looks for posts looks
    for rows of `Post`, and one is made when a second person agrees."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=20, choices=Role)
    rank = models.CharField(max_length=20, blank=True)
    proposed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar[list[str]] = ["proposed_at", "id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["user", "role"], name="post_is_proposed_once"),
            models.CheckConstraint(condition=~models.Q(user=models.F("proposed_by")), name="nobody_gives_their_own"),
        ]

    def __str__(self) -> str:
        return f"proposed-post:{self.pk}"

    @property
    def label(self) -> str:
        return post_label(self.role, self.rank)

    @property
    def title(self) -> str:
        return title_of_post(self.role, self.rank)

    @property
    def valid_until(self) -> dt.datetime:
        return self.proposed_at + PROPOSAL_VALID
