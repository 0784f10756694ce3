"""What may not be erased yet, for a key whose private half is on no machine of the register.

Invariants, held by the database too: a row is added in the transaction in which what it holds is erased elsewhere, and
is never changed; no column tells a person, an address or a holder: the number of an application, a registration or an
invoice finds it, as it finds those.
"""

import uuid

from django.db import models


class Sealed(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # The number by which it is asked for.
    about = models.CharField(max_length=25, db_index=True)
    # Its row in `[retention]`.
    kind = models.CharField(max_length=40)
    sealed_at = models.DateTimeField()
    # For whose key: the first 16 digits of its SHA-256.
    key = models.CharField(max_length=16)
    content = models.BinaryField()

    class Meta:
        ordering = ["sealed_at", "id"]

    def __str__(self) -> str:
        return f"{self.kind} of {self.about}"
