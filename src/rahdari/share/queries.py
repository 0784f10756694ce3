"""Reads of requests to share. Who is asked sees the address, the name that the asker chose, and nothing else."""

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.db.models import QuerySet

from rahdari import policy
from rahdari.inquiry.kinds import Kind
from rahdari.inquiry.rules import USUAL, WAITING, Move
from rahdari.people import queries as people
from rahdari.people.models import User
from rahdari.people.rules import Act
from rahdari.policy import Sharing
from rahdari.register import queries as register
from rahdari.register.models import CoHolder, Entry
from rahdari.register.rules import Block

from .models import ConsentQuestion, SharingRequest
from .rules import AGREED, ANSWERS, Reply

CO_HOLDER = Kind("share", SharingRequest, answers=ANSWERS, sealed=("name",), moves=USUAL | {Move.LAPSE})
A_DAY = dt.timedelta(days=1)
# Who agrees for a holder, and hears of it.
MAY_AGREE = Act.APPLY


class NotFound(Exception):
    """There is no such question or part, or it is not yours: nobody learns which."""


def terms() -> Sharing | None:
    """What the policy in force says of sharing; None where nobody shares."""
    return policy.current(settings.POLICY_FILE).sharing


def request_of(*, holder: uuid.UUID, block: Block) -> SharingRequest | None:
    """The last request of this holder for exactly this block."""
    return SharingRequest.objects.filter(holder=holder, block=block).order_by("-asked_at", "-id").first()


def question_by_subject(subject: str) -> ConsentQuestion | None:
    return ConsentQuestion.objects.filter(pk=subject.removeprefix("question:")).first()


def is_waiting(*, holder: uuid.UUID, block: Block) -> bool:
    return SharingRequest.objects.filter(holder=holder, block=block, state=WAITING).exists()


def questions_to(user: User) -> QuerySet[ConsentQuestion]:
    """The questions that wait for this person's answer."""
    return _waiting().filter(holder__in=people.holders_for(user, MAY_AGREE)).select_related("request")


def waiting_for(holder: uuid.UUID) -> QuerySet[ConsentQuestion]:
    return _waiting().filter(holder=holder)


def put_since(holder: uuid.UUID, start: dt.datetime) -> int:
    """How many questions were put to this holder since then, whatever became of them."""
    return ConsentQuestion.objects.filter(holder=holder, asked_at__gt=start).count()


def is_among_first(question: ConsentQuestion, *, at_most: int) -> bool:
    """Whether it is among the first of those that wait for its holder."""
    first = waiting_for(question.holder).order_by("asked_at", "id").values_list("pk", flat=True)[:at_most]
    return question.pk in set(first)


def _waiting() -> QuerySet[ConsentQuestion]:
    return ConsentQuestion.objects.filter(reply=Reply.WAITING, request__state=WAITING)


def question_for(*, user: User, id: uuid.UUID) -> ConsentQuestion:
    """The question, if this person may answer it, whatever became of it. Raises NotFound."""
    found = ConsentQuestion.objects.filter(pk=id, holder__in=people.holders_for(user, MAY_AGREE))
    question = found.select_related("request").first()
    if question is None:
        raise NotFound(str(id))
    return question


def unsettled() -> QuerySet[SharingRequest]:
    return SharingRequest.objects.filter(closed_at__isnull=True).order_by("asked_at", "id")


def needed_until(request: SharingRequest, now: dt.datetime) -> dt.datetime | None:
    """While somebody shares by it, and so long after, its name is needed: look again then."""
    sharer = register.sharer_from(request.origin) if request.state == AGREED else None
    if sharer is None:
        return None
    in_force = terms()
    kept = in_force.name_kept if in_force is not None else dt.timedelta()
    return now + A_DAY if sharer.ended_at is None else sharer.ended_at + kept


# -- what is shared now --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Beside:
    """One of the others of a block. `name` where this holder was asked for it; `may_stop` where its consent counts."""

    sharer: CoHolder
    name: str
    may_stop: bool
    # For what it was asked; empty without a name.
    asked_for: str = ""


@dataclass(frozen=True)
class Part:
    """What a holder has of a shared block, and who else."""

    sharer: CoHolder
    others: tuple[Beside, ...]
    entries: tuple[Entry, ...]


def sharers(user: User) -> QuerySet[CoHolder]:
    """Where this person, or an organisation for which they may agree, shares a block."""
    return register.parts_of(holders=people.holders_for(user, MAY_AGREE))


def parts_of(user: User) -> list[Part]:
    """These blocks, with who else has them."""
    return [_part(sharer) for sharer in sharers(user)]


def _part(sharer: CoHolder) -> Part:
    others = tuple(_beside(sharer, other) for other in register.sharers_beside(sharer))
    entries = register.active_of_shared(sharer.shared_id).filter(holder=sharer.holder).select_related("registration")
    return Part(sharer, others, tuple(entries))


def _beside(sharer: CoHolder, other: CoHolder) -> Beside:
    question = _consent(sharer.holder, other)
    if question is None:
        return Beside(other, "", may_stop=False)
    return Beside(other, question.request.name, may_stop=True, asked_for=question.request.subject)


def named_on(questions: Iterable[ConsentQuestion], parts: Iterable[Part]) -> list[str]:
    """For what those asked whose names stand in these questions and parts."""
    shared = [other.asked_for for part in parts for other in part.others if other.name]
    return [*(each.request.subject for each in questions), *shared]


def _consent(holder: uuid.UUID, other: CoHolder) -> ConsentQuestion | None:
    """The yes of this holder to that one."""
    if not other.origin.startswith("sharing:"):
        return None
    request = uuid.UUID(other.origin.removeprefix("sharing:"))
    given = ConsentQuestion.objects.filter(request_id=request, holder=holder, reply=Reply.YES)
    return given.select_related("request").first()


def part_to_stop(*, user: User, id: uuid.UUID) -> tuple[CoHolder, ConsentQuestion]:
    """Another's part that this person's holder has agreed to, while both are there. Raises NotFound."""
    for part in parts_of(user):
        for other in part.others:
            question = _consent(part.sharer.holder, other.sharer) if other.sharer.pk == id else None
            if question is not None:
                return other.sharer, question
    raise NotFound(str(id))
