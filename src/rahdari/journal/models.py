"""The journal's only table. Rows are added and never changed: the database itself refuses anything else."""

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q

# Of the read of a list: the member of `detail` that names the subjects that stood on it.
SHOWN = "shown"
# The act by which somebody ceases to belong to an organisation; its `detail` names them under "member".
REMOVED = "removed_member"


class JournalEntry(models.Model):
    """One act or one read. `actor` and `subject` are text, so that the record outlives what it names."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    act = models.CharField(max_length=80)
    actor = models.CharField(max_length=120)
    subject = models.CharField(max_length=120)
    reason = models.TextField(blank=True)
    ground = models.CharField(max_length=200, blank=True)
    detail = models.JSONField(default=dict)

    class Meta:
        indexes = [
            models.Index(fields=["subject", "-id"], name="journal_by_subject"),
            models.Index(fields=["actor", "-id"], name="journal_by_actor"),
            GinIndex(
                fields=["detail"],
                opclasses=["jsonb_path_ops"],
                condition=Q(detail__has_key=SHOWN),
                name="journal_by_shown",
            ),
            GinIndex(
                fields=["detail"],
                opclasses=["jsonb_path_ops"],
                condition=Q(act__endswith=f".{REMOVED}"),
                name="journal_by_member",
            ),
        ]
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.actor} {self.act} {self.subject}"
