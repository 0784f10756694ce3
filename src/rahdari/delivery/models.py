"""How those who carry what is written have done of late."""

from typing import ClassVar

from django.db import models


class ProviderHealth(models.Model):
    """How a provider of SMS, or the mail server, has done of late, for all processes. Named as in `sms.toml`."""

    name = models.CharField(max_length=40, primary_key=True)
    failures = models.PositiveIntegerField(default=0)
    rests_until = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=80, blank=True)
    last_failed_at = models.DateTimeField(null=True, blank=True)
    last_taken_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["name"]

    def __str__(self) -> str:
        return f"carrier:{self.pk}"
