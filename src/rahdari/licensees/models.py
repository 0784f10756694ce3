"""The lists of licensed providers that were imported, each as it was.

Invariants, each also held by the database: a list is never changed and never deleted; the numbers have no gap, and none
is older than the one before it; one that ends a provider, or changes what a licence demands, has two different names.
"""

from typing import ClassVar

from django.db import models


class ProviderList(models.Model):
    """`text` is the file, to the letter; `digest` that of what it says (SHA-256, 64 hex digits). `names`: who brought
    it in, each with their office. `takes_two`: it says something that one person alone does not bring in."""

    number = models.PositiveIntegerField(primary_key=True)
    as_of = models.DateField()
    at = models.DateTimeField()
    text = models.TextField()
    digest = models.CharField(max_length=64)
    names = models.JSONField()
    takes_two = models.BooleanField()

    class Meta:
        ordering: ClassVar[list[str]] = ["number"]

    def __str__(self) -> str:
        return f"list {self.number} of {self.as_of}"
