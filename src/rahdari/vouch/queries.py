"""Reads of the questions. The token of a link is derived when it is needed; no table holds one."""

import datetime as dt
from collections.abc import Iterable

from rahdari.inquiry.kinds import Kind
from rahdari.inquiry.links import Links
from rahdari.vault import index

from .models import MailOptOut, ReferenceRequest
from .rules import ANSWERS, BUTTONS, STOPPED, Written

REFERENCE = Kind("vouch", ReferenceRequest, answers=ANSWERS, sealed=("address", "name"), with_file={"domain": ""})
LINKS = Links(REFERENCE)


def address_index(address: str) -> str:
    return index.blind("vouch.address", address.strip().lower())


def latest_waiting(subjects: Iterable[str]) -> ReferenceRequest | None:
    """Of these subjects, the question that waits and was asked last."""
    return REFERENCE.waiting().filter(subject__in=list(subjects)).order_by("-asked_at", "-id").first()


def usual_time(*, since: dt.datetime) -> dt.timedelta | None:
    """How long half of those who pressed a button took at most; None while too few did to say so."""
    return REFERENCE.usual_time(since=since, state__in=BUTTONS)


def wants_no_mail(address: str) -> bool:
    return MailOptOut.objects.filter(address_index=address_index(address)).exists()


def written_lately(*, asked_by: str, address: str, domain: str, since: dt.datetime) -> Written:
    lately = ReferenceRequest.objects.filter(asked_at__gte=since)
    at_address = ReferenceRequest.objects.filter(address_index=address_index(address))
    return Written(
        by_applicant=lately.filter(asked_by=asked_by).count(),
        by_them_to_address=at_address.filter(asked_by=asked_by, asked_at__gte=since).count(),
        to_address=at_address.filter(goes_out=True, asked_at__gte=since).count(),
        to_domain=lately.filter(domain=domain, goes_out=True).count(),
        stopped=wants_no_mail(address),
        stopped_them=at_address.filter(asked_by=asked_by, state=STOPPED).exists(),
    )
