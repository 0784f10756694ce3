"""Ministries, boards and associations that speak as such.

Invariant: a body speaks by the link that the office sent to an address at the domain that the body publishes as its
own, and by a code to an address at the same domain, to the letter: who may have a name under it nobody here knows. Its
comments are marked, and weigh what others' do: each is answered. A link that has ended is never opened again.
"""

import datetime as dt
import uuid
from functools import cache
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.module_loading import import_string

from rahdari import policy
from rahdari.errors import RahdariError
from rahdari.journal import actions as journal
from rahdari.vault import links

from .models import Body, frozen

LINK = "consult.body"
# An invitation that does not arrive in this time is sent again by hand.
GOES_OUT_WITHIN = dt.timedelta(days=7)


class NotAtTheDomain(RahdariError):
    """The address is none of the body's. `.domain`"""

    says = "no address at {domain}"
    domain: str


class AtAMailboxProvider(RahdariError):
    """Anybody gets an address at this domain. `.domain`"""

    says = "{domain} is of a mailbox provider"
    domain: str


class NotAnAddress(RahdariError):
    """No letter goes to this. `.email`"""

    says = "{email!r} is no address of email"
    email: str


class NoSuchBody(RahdariError):
    """No body that speaks as such has this domain. `.domain`"""

    says = "no body at {domain}"
    domain: str


@cache
def mailbox_providers() -> frozenset[str]:
    lines = Path(__file__).with_name("mailbox_providers.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


def is_of_a_mailbox_provider(domain: str) -> bool:
    labels = domain.split(".")
    return any(".".join(labels[at:]) in mailbox_providers() for at in range(len(labels)))


def domain_of(email: str) -> str:
    return email.rpartition("@")[2].casefold()


def token_of(body: Body) -> str:
    return links.token(LINK, str(body.pk))


def body_by_link(id: uuid.UUID, token: str) -> Body | None:
    """Also one that has ended: who has its link is told so. By another token there is none."""
    found = Body.objects.filter(pk=id).first()
    return found if found is not None and links.matches(LINK, str(id), token) else None


def judge(body: Body, email: str) -> None:
    """Raises NotAtTheDomain."""
    if domain_of(email) != body.domain:
        raise NotAtTheDomain(body.domain)


def bodies() -> QuerySet[Body]:
    return Body.objects.order_by("domain", "invited_at")


@transaction.atomic
def invite(*, name: policy.Text, email: str, language: str, actor: str, now: dt.datetime) -> Body:
    """Have a body speak as such, by a letter to this address. Its domain is the one that the office knows as the
    body's own; the same domain again is the same body, and the letter goes out once more. One that has ended is
    another: its link stays dead. The name is kept with which it was invited first. Raises NotAnAddress,
    AtAMailboxProvider."""
    try:
        validate_email(email)
    except ValidationError:
        raise NotAnAddress(email) from None
    domain = domain_of(email)
    if is_of_a_mailbox_provider(domain):
        raise AtAMailboxProvider(domain)
    body, _is_new = Body.objects.get_or_create(
        domain=domain, ended_at=None, defaults={"name": frozen(name), "invited_at": now, "invited_by": actor}
    )
    url = reverse("portal:body", args=[body.pk, token_of(body)])
    context = {"organisation": body.name_text, "domain": body.domain, "url": url}
    write = import_string(settings.COMMENT_LETTER)
    write(
        address=email,
        language=language,
        template="consult_invited",
        context=context,
        expires_at=now + GOES_OUT_WITHIN,
        now=now,
    )
    journal.record(act="consult.invited", actor=actor, subject=f"body:{body.pk}", now=now)
    return body


@transaction.atomic
def end(*, domain: str, why: str, actor: str, now: dt.datetime) -> Body:
    """The body of this domain speaks as such no more: its link opens nothing, and a code that it waits for proves
    nothing. What it said stays, and says that the link has ended. Raises NoSuchBody."""
    body = Body.objects.select_for_update().filter(domain=domain.casefold(), ended_at__isnull=True).first()
    if body is None:
        raise NoSuchBody(domain)
    body.ended_at = now
    body.save(update_fields=["ended_at"])
    journal.record(act="consult.ended_body", actor=actor, subject=f"body:{body.pk}", now=now, reason=why)
    return body
