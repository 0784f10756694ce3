"""What was published of a month, as it was published; where applications that were never sent ended, and what should
have been erased when a month was over.

Invariants, each also held by the database: a publication is never changed and never deleted; a month has one first
edition, and each later one says why there is another; no number below the threshold is in it, and each is rounded.
What is counted of drafts has no time finer than a month, and names nobody.
"""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q


class Publication(models.Model):
    """One edition of a month: the first has all figures, a correction those that it corrects and what is bound to them.

    `cells`: a list of {figure, version, part, en, ur, measure, value, mark}, as `cells.Row` has them.
    """

    month = models.DateField()
    edition = models.PositiveSmallIntegerField()
    at = models.DateTimeField()
    # Why there is another edition, in both languages; of a first one, that it is made up for a demonstration.
    why_en = models.CharField(max_length=500, blank=True)
    why_ur = models.CharField(max_length=500, blank=True)
    cells = models.JSONField()

    class Meta:
        ordering: ClassVar[list[str]] = ["month", "edition"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["month", "edition"], name="edition_of_a_month_is_one"),
            models.CheckConstraint(condition=Q(month__day=1), name="a_month_is_its_first_day"),
            models.CheckConstraint(
                condition=Q(edition=1) | (Q(edition__gt=1) & ~Q(why_en="") & ~Q(why_ur="")),
                name="a_correction_says_why",
            ),
            models.CheckConstraint(condition=Q(at__gt=F("month")), name="a_month_is_published_when_it_began"),
        ]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}, edition {self.edition}"


# Beside the steps of the form: all of it is filled in, but it was not proved or not sent; and a category that takes no
# applications any more.
PROVE_AND_SEND, CLOSED = "prove_send", "closed"


class GivenUp(models.Model):
    """How many drafts that nobody touched any more were deleted in a month, by the step at which they came to rest."""

    month = models.DateField()
    service = models.CharField(max_length=60)
    step = models.CharField(max_length=20)
    number = models.PositiveIntegerField(default=0)

    class Meta:
        ordering: ClassVar[list[str]] = ["month", "service", "step"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["month", "service", "step"], name="given_up_is_counted_in_one_row"),
        ]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m} {self.service} {self.step}: {self.number}"


class Overdue(models.Model):
    """Of a class of data (`[retention]` of the policy): of how many rows the time was over when this was counted, after
    the end of the month, and they were still there. Also none is a row. Only added: it cannot be counted again."""

    month = models.DateField()
    kind = models.CharField(max_length=40)
    number = models.PositiveIntegerField()
    at = models.DateTimeField()

    class Meta:
        ordering: ClassVar[list[str]] = ["month", "kind"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["month", "kind"], name="overdue_is_counted_once"),
        ]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m} {self.kind}: {self.number}"
