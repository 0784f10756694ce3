"""Questions to operators, their answers, files of answers, and what an operator's own system uses.

Invariants, held by the database too: an operator is asked once about a target; an answer is added and never changed,
the last one counts; what identifies a subscriber is encrypted and goes when its time is over; a token is found by a
hash only; a system's key of idempotency stands once. Who asked, and why, is unknown here: subject and target are text
that another room made up.
"""

import datetime as dt
import ipaddress
import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q

from rahdari.inquiry.models import Inquiry
from rahdari.inquiry.rules import WAITING, WITHDRAWN
from rahdari.programs import webhooks
from rahdari.programs.idempotency import Attempt
from rahdari.programs.tokens import Token
from rahdari.vault.fields import EncryptedTextField

from .rules import OperatorAnswer, QuestionKind

KINDS = [(kind.value, kind.value) for kind in QuestionKind]
ANSWERS = [(answer.value, answer.value) for answer in OperatorAnswer]


class Channel(models.TextChoices):
    """How an answer came."""

    PAGE = "page"
    FILE = "file"
    API = "api"


class SubscriberQuestion(Inquiry):
    """Does this subscriber have this address from you now? Or, of a mobile number: is this person its subscriber?

    `subscriber` is then the number, and the block is empty. What the operator calls the line comes with its yes and
    goes as soon as the line has carried it on: of a mobile number nothing is kept here. The last answer is its state;
    all of them stand in `SubscriberAnswer`.
    """

    number = models.CharField(max_length=12, unique=True)
    operator = models.SlugField(max_length=60)
    kind = models.CharField(max_length=10, choices=KINDS, default=QuestionKind.SUBSCRIBER)
    target = models.CharField(max_length=200)
    block = models.CharField(max_length=49, blank=True)
    subscriber = EncryptedTextField()
    name_masked = EncryptedTextField()
    reference = EncryptedTextField()
    reason = models.CharField(max_length=30, blank=True)
    # When the operator's own system last got it: a look is recorded once a day, however often it asks.
    fetched_on = models.DateField(null=True, blank=True)

    class Meta(Inquiry.Meta):
        ordering: ClassVar[list[str]] = ["due_at", "id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            *Inquiry.Meta.constraints,
            models.UniqueConstraint(
                fields=["target", "operator"], condition=~Q(state=WITHDRAWN), name="operator_is_asked_once"
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            *Inquiry.Meta.indexes,
            models.Index(fields=["operator", "due_at", "id"], condition=Q(state=WAITING), name="questions_open"),
            models.Index(fields=["operator", "ended_at"], name="questions_answered"),
            models.Index(fields=["subject"], name="questions_of_a_subject"),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def network(self) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
        """None of a mobile number."""
        return ipaddress.ip_network(self.block) if self.block else None

    @property
    def is_mobile(self) -> bool:
        return self.kind == QuestionKind.MOBILE

    @property
    def answer(self) -> str:
        """The last answer; empty while there is none."""
        return self.state if self.state in set(OperatorAnswer) else ""

    @property
    def answered_at(self) -> dt.datetime | None:
        return self.ended_at if self.answer else None

    def accepts_answers(self, now: dt.datetime) -> bool:
        """Open, or answered and still to be corrected."""
        return self.is_waiting or (bool(self.answer) and self.erased_at is None and now < self.erase_at)


class SubscriberAnswer(models.Model):
    """What an operator said, when, how and through whom. Added, never changed."""

    id = models.BigAutoField(primary_key=True)
    question = models.ForeignKey(SubscriberQuestion, on_delete=models.PROTECT, related_name="answers")
    answer = models.CharField(max_length=8, choices=ANSWERS)
    reason = models.CharField(max_length=30, blank=True)
    channel = models.CharField(max_length=4, choices=Channel)
    by = models.CharField(max_length=120)
    at = models.DateTimeField()

    class Meta:
        ordering: ClassVar[list[str]] = ["id"]
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["question", "id"], name="answers_to_a_question")]

    def __str__(self) -> str:
        return f"{self.answer} {self.reason}".strip()


class AnswerFile(models.Model):
    """A file of answers: looked at by row first, counted when it is sent, then deleted."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    operator = models.SlugField(max_length=60)
    content = EncryptedTextField()
    name = models.CharField(max_length=120, blank=True)
    uploaded_at = models.DateTimeField()
    uploaded_by = models.CharField(max_length=120)
    sent_at = models.DateTimeField(null=True, blank=True)
    taken = models.PositiveIntegerField(default=0)

    class Meta:
        ordering: ClassVar[list[str]] = ["-uploaded_at", "id"]

    def __str__(self) -> str:
        return f"answers:{self.pk}"


class ApiToken(Token):
    """Lets an operator's own system ask and answer, or, when it is for practice, nothing but samples."""

    operator = models.SlugField(max_length=60)
    sandbox = models.BooleanField(default=False)
    made_by = models.CharField(max_length=120)

    class Meta:
        ordering: ClassVar[list[str]] = ["-made_at", "id"]
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["operator"], name="tokens_of_an_operator")]


class OperatorRequest(Attempt):
    """A request of an operator's system with an Idempotency-Key, and its answer."""

    owner = models.ForeignKey(ApiToken, on_delete=models.CASCADE, related_name="+")

    class Meta:
        ordering: ClassVar[list[str]] = ["begun_at", "id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["owner", "key"], name="a_key_of_a_system_stands_once"),
        ]
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["begun_at"], name="requests_to_forget")]


class Callback(webhooks.Hook):
    """Where an operator's own system wants to hear of questions. There is one at a time."""

    operator = models.SlugField(max_length=60)
    made_by = models.CharField(max_length=120)

    class Meta:
        ordering: ClassVar[list[str]] = ["-made_at", "id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["operator"], condition=Q(ended_at__isnull=True), name="operator_has_one_callback"
            ),
        ]


class CallbackDelivery(webhooks.Delivery):
    """One event on its way to a callback."""

    webhook = models.ForeignKey(Callback, on_delete=models.CASCADE, related_name="deliveries")

    class Meta:
        ordering: ClassVar[list[str]] = ["-made_at", "id"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["next_at"], condition=Q(next_at__isnull=False), name="deliveries_due"),
            models.Index(fields=["webhook", "-made_at"], name="deliveries_of_a_callback"),
        ]
