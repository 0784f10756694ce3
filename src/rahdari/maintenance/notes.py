"""A notice to a consumer as it stands in calendars and files, in the language of the page."""

from collections.abc import Iterable
from urllib.parse import urljoin, urlsplit

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from rahdari.web import values

from . import maintnote, words
from .maintnote import Note
from .models import Notice, Work
from .rules import Status

# Addresses that a letter and the text of an event list; the rest is counted, and stands on the page and in the objects.
MOST_LISTED = 20


def announcer(work: Work) -> str:
    """The operator, or who runs the register."""
    return work.operator.name if work.operator is not None else _("The register")


def said(notice: Notice) -> str:
    """The announcer's own sentence, as theirs; "" where there is none."""
    return values.quoted_line(notice.text, announcer(notice.work)) if notice.text else ""


def provider(work: Work) -> str:
    """How readers of the format know who announces."""
    return work.operator.slug if work.operator is not None else "rahdari"


def calendar_of(notices: Iterable[Notice], *, name: str = "") -> bytes:
    """These as a calendar file."""
    return maintnote.write(map(_note, notices), name=name)


def _note(notice: Notice) -> Note:
    work, host = notice.work, urlsplit(settings.SITE_URL).hostname or "rahdari.example"
    addresses = notice.addresses
    said = ngettext("Planned work at %(count)s address", "Planned work at %(count)s addresses", len(addresses))
    return Note(
        # Of one work and one consumer: a reader of several calendars tells them apart.
        uid=f"{work.reference}.{notice.account}@{host}".lower(),
        maintenance_id=work.reference,
        sequence=notice.sequence,
        account=notice.account,
        provider=provider(work),
        organiser=announcer(work),
        email=settings.CONTACT_EMAIL or f"no-reply@{host}",
        status=notice.status_word,
        starts_at=notice.starts_at,
        ends_at=notice.ends_at,
        stamped_at=notice.said_at,
        objects=addresses,
        summary=_("%(what)s (%(who)s)") % {"what": said % {"count": len(addresses)}, "who": announcer(work)},
        description="\n".join(_lines(notice)),
        url=urljoin(settings.SITE_URL, reverse("portal:planned_work", args=[work.reference])),
    )


def _lines(notice: Notice) -> Iterable[str]:
    is_to_come = notice.status not in {Status.CANCELLED, Status.COMPLETED}
    yield words.status(notice.status)
    yield _("Reason: %(reason)s") % {"reason": words.reason(notice.reason)}
    if notice.text:
        yield said(notice)
    if notice.minutes and is_to_come:
        yield words.interrupted(notice.minutes)
    for what, impact in notice.affected[:MOST_LISTED]:
        yield f"{what}: {words.impact(impact)}" if is_to_come else what
    if len(notice.affected) > MOST_LISTED:
        yield words.and_more(len(notice.affected) - MOST_LISTED)
