"""Ministries, boards and associations that speak as such.

Invariant: a body speaks by the link that the office sent to an address at the domain that the body publishes as its
own, and by a code to an address at the same domain. Its comments are marked, and weigh what others' do: each is
answered.
"""

import datetime as dt
import uuid

from django.conf import settings
from django.db import transaction
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


def domain_of(email: str) -> str:
    return email.rpartition("@")[2].casefold()


def token_of(body: Body) -> str:
    return links.token(LINK, str(body.pk))


def body_by_link(id: uuid.UUID, token: str) -> Body | None:
    found = Body.objects.filter(pk=id, ended_at__isnull=True).first()
    return found if found is not None and links.matches(LINK, str(id), token) else None


def judge(body: Body, email: str) -> None:
    """Raises NotAtTheDomain."""
    domain = domain_of(email)
    if domain != body.domain and not domain.endswith(f".{body.domain}"):
        raise NotAtTheDomain(body.domain)


@transaction.atomic
def invite(*, name: policy.Text, email: str, language: str, actor: str, now: dt.datetime) -> Body:
    """Have a body speak as such, by a letter to this address. Its domain is the one that the office knows as the
    body's own; the same domain again is the same body, and the letter goes out once more."""
    body, _is_new = Body.objects.get_or_create(
        domain=domain_of(email), defaults={"name": frozen(name), "invited_at": now, "invited_by": actor}
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
