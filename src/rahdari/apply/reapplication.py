"""Applying once more after a refusal: the draft begins with what was given before."""

import datetime as dt
import uuid

from django.db import transaction

from rahdari.people.models import Mandate, User
from rahdari.policy import Policy

from . import queries
from .drafts import keep_what_is_asked, start_application
from .models import Application, Endpoint
from .renewal import COPIED
from .rules import Status


@transaction.atomic
def apply_anew(
    *,
    refused: Application,
    applicant: User,
    actor: str,
    now: dt.datetime,
    policy: Policy | None = None,
    mandate: Mandate | None = None,
) -> Application:
    """A draft with the service, the names and numbers, the evidence of employment in words, and the addresses of a
    refused application. Documents and proofs of addresses are given anew. Asked for twice, it is the same draft.

    Whether the applicant may see the refused one is for the caller to know. Raises ServiceNotOpen, TooManyDrafts.
    """
    token = uuid.uuid5(refused.pk, f"anew:{applicant.pk}")
    begun = Application.objects.filter(applicant=applicant, send_token=token).first()
    if begun is not None and begun.status == Status.DRAFT:
        return begun
    draft = start_application(
        applicant=applicant,
        service=refused.service,
        actor=actor,
        now=now,
        policy=policy,
        send_token=token if begun is None else uuid.uuid4(),
        mandate=mandate,
    )
    given = (*COPIED, "evidence_kind", "evidence_text")
    for field in given:
        setattr(draft, field, getattr(refused, field))
    keep_what_is_asked(draft, (policy or queries.policy_in_force()).services[draft.service])
    draft.save(update_fields=given)
    for row in queries.rows_of(refused):
        origin = queries.origin_of(row.block)
        Endpoint.objects.create(
            application=draft,
            block=row.block,
            runs=row.runs,
            parts=row.parts,
            kind=row.kind,
            remote=row.remote,
            label=row.label,
            branch_id=row.branch_id,
            subscriber=row.subscriber,
            has_subscriber=row.has_subscriber,
            position=row.position,
            asn=origin.asn if origin else None,
            operator_name=origin.organisation if origin else "",
            added_at=now,
        )
    return draft
