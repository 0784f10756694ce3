"""Somebody from outside who decides one matter, and reads that one file: nobody in the office may.

Invariants, each also held by the database: whoever is named had no part in the case and is named by a supervisor;
nobody in the office could decide; a matter has one reviewer at a time, and none once it is decided. Never rewritten.
"""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q

from rahdari.people.models import User
from rahdari.vault.fields import EncryptedTextField

from .models import Case
from .rules import Needs


class Reviewer(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # What is to be decided, as it is known elsewhere: `notice:<uuid>`, `appeal:<uuid>`, `complaint:<uuid>`.
    matter = models.CharField(max_length=60)
    # The one file; none of a complaint about what is not registered.
    case = models.ForeignKey(Case, on_delete=models.PROTECT, null=True, blank=True, related_name="reviewers")
    # Who in the office could have decided it.
    needs = models.CharField(max_length=10, choices=[(str(each), str(each)) for each in Needs])
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    named_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    # Who that is, and why they are fit: whoever it is about reads it.
    who = EncryptedTextField()
    at = models.DateTimeField()
    # It was decided, or somebody else was named.
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["at", "id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["matter"], condition=Q(ended_at__isnull=True), name="matter_has_one_reviewer"
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["user"], condition=Q(ended_at__isnull=True), name="reviewers_now"),
            models.Index(fields=["at"], name="reviewers_named"),
        ]

    def __str__(self) -> str:
        return f"reviewer:{self.pk}"

    @classmethod
    def is_named(cls, matter: str, user: User) -> bool:
        """Whether this person was named for the matter and it is not decided."""
        return cls.objects.filter(matter=matter, user=user, ended_at__isnull=True).exists()

    @classmethod
    def of(cls, matter: str) -> "Reviewer | None":
        """Who was named last for this matter, also once it is decided."""
        return cls.objects.filter(matter=matter).select_related("user", "named_by").order_by("-at", "-id").first()
