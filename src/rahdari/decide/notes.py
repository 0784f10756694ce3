"""Notes of officers about a case, and whom each is meant for."""

import datetime as dt
import uuid
from collections.abc import Collection, Sequence

from django.db import transaction
from django.db.models import QuerySet

from rahdari.apply.models import Application
from rahdari.db.asked import Asked, Later
from rahdari.errors import RahdariError
from rahdari.people import queries as people
from rahdari.people.models import Role, User

from . import conflicts_of_interest
from .models import Case
from .note_models import Mention, Note
from .rules import KeptBack, Status
from .transitions import apart_from, lock, record, sentence


class NotAColleague(RahdariError):
    """Somebody is mentioned who could not decide the case. `.officers`."""

    says = "no officers for this case: {officers}"
    officers: Sequence[User]


@transaction.atomic
def write_note(
    *,
    case: Case,
    officer: User,
    text: str,
    mentioned: Collection[User] = (),
    kept_back: str = "",
    key: uuid.UUID | None = None,
    now: dt.datetime,
) -> Note:
    """Write a note, by any officer who may open the case. Who is mentioned has the case in a saved view of the queue
    until they open it; so somebody is mentioned while the case is open. `kept_back`: a `rules.KeptBack`, or empty. The
    same form (`key`) sent twice is one.

    Raises NotAColleague, ReasonNeeded without words, ValueError for another ground, and as `transitions.apart_from`
    does.
    """
    case = lock(case)
    actor, words = apart_from(case, officer), sentence(text)
    if key and (sent := Note.objects.filter(pk=key, case=case, author=officer).first()) is not None:
        return sent
    ground = KeptBack(kept_back) if kept_back else ""
    known = {each.pk for each in colleagues(case, officer)} if mentioned else set()
    if strangers := [each for each in mentioned if each.pk not in known]:
        raise NotAColleague(strangers)
    note = Note.objects.create(id=key or uuid.uuid4(), case=case, author=officer, text=words, kept_back=ground, at=now)
    Mention.objects.bulk_create(Mention(note=note, officer=each) for each in mentioned)
    record(case, "wrote_note", actor, now, detail={"note": str(note.pk), "kept_back": str(ground)})
    return note


def colleagues(case: Case, officer: User) -> list[User]:
    """Whom a note of this officer can be meant for: who could decide the case; nobody once it is not open."""
    if case.status != Status.OPEN:
        return []
    posts = people.all_posts().filter(role__in=[Role.OFFICER, Role.SUPERVISOR])
    found = {post.user_id: post.user for post in posts if post.user_id != officer.pk}
    apart = conflicts_of_interest.with_part_in(case.application, found.values())
    return sorted((each for each in found.values() if each.pk not in apart), key=lambda each: (each.name, str(each.pk)))


def notes_about(case: Case) -> QuerySet[Note]:
    return Note.objects.filter(case=case).select_related("author").order_by("at", "id")


def mentions_about(case: Case) -> QuerySet[Mention]:
    return Mention.objects.filter(note__case=case).select_related("officer").order_by("id")


def mark_seen(*, found: Collection[Mention], now: dt.datetime) -> None:
    """The mentioned officer has opened the case. A second call changes nothing."""
    Mention.objects.filter(pk__in=[each.pk for each in found], seen_at__isnull=True).update(seen_at=now)


def unseen_cases(officer: User) -> QuerySet[Mention, object]:
    """The cases in which this officer is mentioned and that they have not opened since; a part of a query."""
    return Mention.objects.filter(officer=officer, seen_at__isnull=True).order_by().values("note__case")


_decided = Asked(
    lambda applications: Note.objects.filter(case__application__in=applications, case__status=Status.DECIDED).order_by(
        "at", "id"
    )
)


def notes_later(application: Application) -> Later[Note]:
    """What `notes_for_holder` asks, for `db.together.ahead`."""
    return _decided.later([application.pk])


def notes_for_holder(application: Application) -> list[Note]:
    """What the holder reads once it is decided, oldest first. Of a note that is kept back there is the ground, and no
    words."""
    found = list(_decided([application.pk]))
    for note in found:
        if note.kept_back:
            note.text = ""
    return found
