"""What could not be moved on, and when it is tried again. Identifiers alone: what an error says may hold what a person
wrote."""

import datetime as dt

from django.db import models


class FailingItem(models.Model):
    """One item of a queue that failed at its last try. The row goes when the item is moved on, or waits no more."""

    id = models.BigAutoField(primary_key=True)
    queue = models.CharField(max_length=120)
    # The key of its row; of a whole step that fails, the step's name.
    item = models.CharField(max_length=120)
    attempts = models.PositiveIntegerField()
    since = models.DateTimeField()
    next_at = models.DateTimeField()
    # The class of the last error.
    error = models.CharField(max_length=120)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["queue", "item"], name="an_item_fails_once_in_a_queue"),)

    def __str__(self) -> str:
        return f"{self.queue} {self.item}"

    def rests(self, now: dt.datetime) -> bool:
        return self.next_at > now
