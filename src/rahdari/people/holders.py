"""Who holds a registration, as its certificate names them. Reached through `queries`."""

import uuid
from dataclasses import dataclass
from typing import Literal

from .models import Organisation, User


@dataclass(frozen=True)
class PublicHolder:
    """Who stands behind a registration. A person's name goes on the certificate only, never to the public check."""

    kind: Literal["organisation", "person"]
    name: str


def public_holder(holder_ref: uuid.UUID) -> PublicHolder | None:
    organisation = Organisation.objects.filter(holder_ref=holder_ref).first()
    if organisation is not None:
        return PublicHolder("organisation", organisation.name)
    user = user_by_holder(holder_ref)
    return None if user is None else PublicHolder("person", user.name)


def user_by_holder(holder_ref: uuid.UUID) -> User | None:
    """The person who holds registrations under this reference; None for an organisation's."""
    return User.objects.filter(holder_ref=holder_ref).first()
