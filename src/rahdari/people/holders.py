"""Who holds a registration, as its certificate names them. Reached through `queries`."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from .models import Organisation, User


@dataclass(frozen=True)
class PublicHolder:
    """Who stands behind a registration. A person's name goes on the certificate only, never to the public check."""

    kind: Literal["organisation", "person"]
    name: str


def public_holder(holder_ref: uuid.UUID) -> PublicHolder | None:
    return public_holders([holder_ref]).get(holder_ref)


def public_holders(holder_refs: Iterable[uuid.UUID]) -> dict[uuid.UUID, PublicHolder]:
    """Those of these that there are, in two queries however many."""
    wanted = set(holder_refs)
    organisations = Organisation.objects.filter(holder_ref__in=wanted)
    found = {each.holder_ref: PublicHolder("organisation", each.name) for each in organisations}
    persons = User.objects.filter(holder_ref__in=wanted - found.keys())
    return found | {each.holder_ref: PublicHolder("person", each.name) for each in persons}


def holder_names(holder_refs: Iterable[uuid.UUID]) -> dict[uuid.UUID, str]:
    return {holder_ref: each.name for holder_ref, each in public_holders(holder_refs).items()}


def user_by_holder(holder_ref: uuid.UUID) -> User | None:
    """The person who holds registrations under this reference; None for an organisation's."""
    return User.objects.filter(holder_ref=holder_ref).first()


def holders_numbered(company_number: str) -> list[uuid.UUID]:
    """All who hold under this company number, which more than one may have given."""
    found = Organisation.objects.filter(company_number=company_number)
    return list(found.values_list("holder_ref", flat=True))
