"""Reads of the register. Blocks and references only: a holder is an opaque reference."""

import datetime as dt
import ipaddress
import uuid
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.db import connection
from django.db.models import Count, DateTimeField, Exists, ExpressionWrapper, F, OuterRef, Q, QuerySet

from rahdari import policy
from rahdari.address import Part, in_order
from rahdari.db.asked import Asked
from rahdari.policy import Calendar

from . import reference as references
from . import rules
from .models import Change, CoHolder, Entry, Registration, YearlyQuestion

Block = ipaddress.IPv4Network | ipaddress.IPv6Network


def registrations_of(*, holders: Iterable[uuid.UUID]) -> QuerySet[Registration]:
    """All registrations of these holders, newest first."""
    return Registration.objects.filter(holder__in=list(holders)).order_by("-created_at", "id")


def not_ended() -> QuerySet[Registration]:
    return Registration.objects.filter(expired_at__isnull=True, struck_out_at__isnull=True)


def has_registration(holder: uuid.UUID) -> bool:
    """Whether this holder has a registration now that has not ended."""
    return not_ended().filter(holder=holder).exists()


def registration_by_reference(reference: str) -> Registration | None:
    """The registration with this public number; None when mistyped (no query is made) or not given out."""
    exact = references.normalise(reference)
    return _of_holders().filter(reference=exact).first() if exact else None


def _of_holders() -> QuerySet[Registration]:
    """Without canaries, which are nobody's."""
    return Registration.objects.exclude(category=rules.CANARY)


def canaries() -> QuerySet[Entry]:
    """The register's own addresses that are listed now."""
    return (
        Entry.objects.filter(kind=rules.CANARY, ended_at=None)
        .select_related("registration")
        .order_by("valid_from", "id")
    )


def registration_by_id(id: str) -> Registration | None:
    """The registration that a row of the journal names. For rooms above: no visitor stands behind it."""
    return _of_holders().filter(pk=id).first()


def registration_from(origin: str) -> Registration | None:
    """The registration entered from this origin ("application:<uuid>"), if any."""
    return Registration.objects.filter(origin=origin).first()


def fresh(registration: Registration) -> Registration:
    """As it stands in the database now."""
    return Registration.objects.get(pk=registration.pk)


def standing(registration: Registration, now: dt.datetime) -> rules.Standing:
    return rules.standing(
        valid_until=registration.valid_until,
        struck_out_at=registration.struck_out_at,
        expired_at=registration.expired_at,
        grace_until=registration.grace_until,
        suspended_at=registration.suspended_at,
        now=now,
    )


def shown_until(registration: Registration, now: dt.datetime) -> dt.datetime:
    """Until when it counts, for whoever checks it: the term, or in its grace the end of that."""
    return registration.stays_until if is_in_grace(registration, now) else registration.valid_until


def is_in_grace(registration: Registration, now: dt.datetime) -> bool:
    """Past its term and still on the register, because it may be renewed late."""
    return standing(registration, now) is rules.Standing.VALID and now >= registration.valid_until


def entries_of(registration: Registration) -> QuerySet[Entry]:
    return Entry.objects.filter(registration=registration).select_related("registration").order_by("valid_from", "id")


_entries = Asked(
    lambda registrations: (
        Entry.objects.filter(registration__in=registrations).select_related("carrier").order_by("valid_from", "id")
    )
)


def entries_by_registration(registrations: Iterable[Registration]) -> dict[uuid.UUID, list[Entry]]:
    """The same of many, with the lines by which the feed knows them, in one query."""
    found: dict[uuid.UUID, list[Entry]] = defaultdict(list)
    for entry in _entries([each.pk for each in registrations]):
        found[entry.registration_id].append(entry)
    return found


def active_of_registrations(registrations: Iterable[Registration]) -> QuerySet[Entry]:
    """What of these registrations has not ended, without the lines of people who work from home."""
    found = Entry.objects.filter(registration__in=list(registrations), ended_at__isnull=True)
    return (
        found.exclude(origin__startswith=rules.HOME)
        .select_related("carrier", "registration")
        .order_by("block", "port", "id")
    )


def own_entries_of(registration: Registration) -> QuerySet[Entry]:
    """What the holder applied for: without the lines of people who work from home."""
    return entries_of(registration).exclude(origin__startswith=rules.HOME)


def active_entry_of(registration: Registration, id: uuid.UUID) -> Entry | None:
    """An entry of this registration that has not ended, by its id or that of a part; None for any other, and for
    somebody's line at home."""
    found = own_entries_of(registration).filter(pk=id, ended_at__isnull=True).select_related("part_of").first()
    return found.part_of or found if found is not None else None


def endpoints_among(entries: Iterable[Entry]) -> dict[Entry, tuple[Part, ...]]:
    """What runs at each address: the entries that stand for their endpoints, in the order given, with all parts."""
    groups: dict[uuid.UUID, list[Entry]] = defaultdict(list)
    for entry in entries:
        groups[entry.part_of_id or entry.pk].append(entry)
    found = {}
    for lead, group in groups.items():
        living = [each for each in group if each.ended_at is None] or _ended_together(group)
        found[next((each for each in group if each.pk == lead), group[0])] = in_order(each.part for each in living)
    return found


def parts_at(entry: Entry) -> tuple[Part, ...]:
    """All that runs, or ran when it ended, at the endpoint that this entry stands for."""
    return endpoints_among(Entry.objects.filter(Q(pk=entry.pk) | Q(part_of=entry.pk)).order_by("id"))[entry]


def _ended_together(group: list[Entry]) -> list[Entry]:
    """Without the parts that had been given up before."""
    return [each for each in group if each.end_reason != "amend"] or group


def active_entries() -> QuerySet[Entry]:
    """Every entry that has not ended, in the order of its random feed id: what a snapshot of the feed holds."""
    return Entry.objects.filter(ended_at__isnull=True).order_by("feed_id")


def active_after(id: uuid.UUID | None) -> QuerySet[Entry]:
    """Active entries in the order of their own id, after this one: to go through all of them in parts."""
    found = Entry.objects.filter(ended_at__isnull=True).order_by("id")
    return found.filter(pk__gt=id) if id is not None else found


def active_blocks_of(*, holder: uuid.UUID, categories: Iterable[str]) -> dict[Block, set[uuid.UUID]]:
    """The different addresses (hosts or prefixes) that a holder has in force under these services, each with the
    registrations under which it stands."""
    entries = Entry.objects.filter(
        holder=holder, ended_at__isnull=True, registration__category__in=list(categories)
    ).order_by()
    found: dict[Block, set[uuid.UUID]] = {}
    for block, registration in entries.values_list("block", "registration").distinct():
        found.setdefault(block, set()).add(registration)
    return found


def overlapping_active(*, block: Block, other_than: uuid.UUID | None = None) -> QuerySet[Entry]:
    """Active entries that share an address with `block`, leaving out those of the holder `other_than`."""
    found = Entry.objects.filter(ended_at__isnull=True, block__overlaps=block)
    if other_than is not None:
        found = found.exclude(holder=other_than)
    return found.order_by("valid_from", "id")


def was_of_another(block: Block, holder: uuid.UUID, since: dt.datetime) -> bool:
    """Whether another holder has had an address of it since then."""
    return Entry.objects.filter(block__overlaps=block, ended_at__gte=since).exclude(holder=holder).exists()


# Listed before its papers (`urgent`), which have not come. Nobody is asked for such an address, and it bars nobody.
UNPROVED = Q(origin__startswith=rules.URGENT, valid_until__lt=F("registration__valid_until"))


def giving_way(*, block: Block, holder: uuid.UUID) -> QuerySet[Entry]:
    """Active entries of others on the block that nobody has proved, one for each endpoint."""
    found = overlapping_active(block=block, other_than=holder)
    return found.filter(UNPROVED, part_of__isnull=True)


def in_the_way(*, block: Block, holder: uuid.UUID | None) -> QuerySet[Entry]:
    """Active entries of others that share an address with `block`, but for those beside which this holder may stand,
    and those that give way to whoever proves the address."""
    found = overlapping_active(block=block, other_than=holder).exclude(UNPROVED)
    if holder is None:
        return found
    beside = CoHolder.objects.filter(shared__block=block, holder=holder, ended_at__isnull=True)
    return found.exclude(shared__in=beside.order_by().values("shared"))


def is_in_the_way(*, block: Block, holder: uuid.UUID) -> bool:
    """Whether there is one of `in_the_way`."""
    with connection.cursor() as cursor:
        cursor.execute(IN_THE_WAY, [str(block), holder, str(block), holder])
        return bool(cursor.fetchone()[0])


IN_THE_WAY = """SELECT EXISTS (
  SELECT FROM register_entry AS entry WHERE entry.block::inet && %s::inet AND entry.ended_at IS NULL
  AND entry.holder <> %s AND (entry.shared_id IS NULL OR entry.shared_id NOT IN (
    SELECT own.shared_id FROM register_coholder AS own JOIN register_sharedblock AS shared ON shared.id = own.shared_id
    WHERE shared.block = %s::cidr AND own.holder = %s AND own.ended_at IS NULL
  )) AND NOT (entry.origin LIKE 'urgent:%%' AND entry.valid_until < (
    SELECT valid_until FROM register_registration WHERE id = entry.registration_id
  ))
)"""


def overlapping_any(blocks: Iterable[Block]) -> list[Entry]:
    """Active entries that share an address with at least one of the blocks, in one query however many there are."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT entry.id FROM unnest(%s::inet[]) AS wanted(block)"
            " JOIN register_entry AS entry ON entry.ended_at IS NULL AND entry.block::inet && wanted.block",
            [[str(block) for block in blocks]],
        )
        found = [row[0] for row in cursor.fetchall()]
    if not found:  # nearly always
        return []
    return list(Entry.objects.filter(pk__in=found).order_by("valid_from", "id"))


# -- shared blocks -------------------------------------------------------------------------------------------------


def sharer_of(*, block: Block, holder: uuid.UUID) -> CoHolder | None:
    """The part that a holder has in exactly this block, if it is shared."""
    found = CoHolder.objects.filter(shared__block=block, holder=holder, ended_at__isnull=True)
    return found.select_related("shared").first()


def sharers_beside(sharer: CoHolder) -> QuerySet[CoHolder]:
    """The others of the same block, in the order in which they came."""
    found = CoHolder.objects.filter(shared=sharer.shared_id, ended_at__isnull=True).exclude(pk=sharer.pk)
    return found.select_related("shared").order_by("since_at", "id")


def sharer_from(origin: str) -> CoHolder | None:
    """The part that rests on this consent, also after it has ended."""
    return CoHolder.objects.filter(origin=origin).select_related("shared").first()


def sharer_by_id(id: str) -> CoHolder | None:
    return CoHolder.objects.filter(pk=id).first()


def parts_of(*, holders: Iterable[uuid.UUID]) -> QuerySet[CoHolder]:
    """The parts that these holders have in shared blocks."""
    found = CoHolder.objects.filter(holder__in=list(holders), ended_at__isnull=True)
    return found.select_related("shared").order_by("since_at", "id")


def sharers_due_to_leave(*, now: dt.datetime) -> QuerySet[CoHolder]:
    return CoHolder.objects.filter(leaves_at__lte=now, ended_at__isnull=True).order_by("leaves_at", "id")


def active_of_shared(shared: uuid.UUID) -> QuerySet[Entry]:
    found = Entry.objects.filter(shared=shared, ended_at__isnull=True).select_related("carrier")
    return found.order_by("valid_from", "id")


def is_shared_now(entry: Entry) -> bool:
    """Whether others have something of its block too, or its line is not its own."""
    if entry.shared_id is None:
        return False
    others = active_of_shared(entry.shared_id).exclude(holder=entry.holder)
    return entry.carrier_id is not None or others.exists()


def registrations_on(lines: Iterable[uuid.UUID]) -> set[uuid.UUID]:
    """All registrations, over ones too, of the entries that the feed knows by these: of a shared address several."""
    wanted = list(lines)
    found = Entry.objects.filter(Q(pk__in=wanted) | Q(carrier__in=wanted)).order_by()
    return set(found.values_list("registration", flat=True))


def may_be_shared(*, block: Block) -> bool:
    """Whether the block is held, and by nothing but entries of exactly this block that stay where they are.

    A line at home is not: whoever is asked is the organisation, and it is not told at which address its people live.
    """
    there = list(overlapping_active(block=block).exclude(UNPROVED))
    return bool(there) and all(
        entry.block == block and entry.kind == "static" and not entry.origin.startswith(rules.HOME) for entry in there
    )


def holders_to_ask(*, block: Block, newcomer: uuid.UUID) -> set[uuid.UUID]:
    """Who has to agree before this holder may share the block: whoever has it, and whoever was let in already."""
    there = set(overlapping_active(block=block, other_than=newcomer).exclude(UNPROVED).values_list("holder", flat=True))
    sharers = CoHolder.objects.filter(shared__block=block, ended_at__isnull=True).exclude(holder=newcomer)
    return there | set(sharers.values_list("holder", flat=True))


def history_of(registration: Registration) -> QuerySet[Change]:
    """What happened to its own entries; nothing of others that share an address of it."""
    own = Q(about__registration=registration) | Q(about__isnull=True, entry__registration=registration)
    return Change.objects.filter(own).select_related("entry").order_by("id")


def due_to_resume(*, now: dt.datetime) -> QuerySet[Registration]:
    """Suspended until a day that has come."""
    return Registration.objects.filter(
        suspended_until__lte=now, struck_out_at__isnull=True, expired_at__isnull=True
    ).order_by("suspended_until", "id")


def suspended() -> QuerySet[Registration]:
    """All that are suspended or paused now, the first in front."""
    found = Registration.objects.filter(
        suspended_until__isnull=False, struck_out_at__isnull=True, expired_at__isnull=True
    )
    return found.order_by("suspended_until", "id")


def undone_until(registration: Registration, ended_at: dt.datetime, calendar: Calendar) -> dt.datetime:
    """Until when an end of that moment can be undone, while the term goes on: to the end of the last day, which is one
    on which the office is open. The calendar is the one in force, which this room does not know; no correction of it
    makes that earlier than the letter of that moment says."""
    until = policy.add(start=ended_at, allowance=rules.UNDONE_WITHIN, calendar=calendar)
    return min(until, registration.stays_until)


def may_be_undone(registration: Registration, now: dt.datetime, calendar: Calendar) -> bool:
    """Whether an end can still be undone: its time has not passed, and the term goes on."""
    ended_at = registration.struck_out_at
    if ended_at is None or registration.expired_at is not None:
        return False
    return now < undone_until(registration, ended_at, calendar)


def due_to_expire(*, now: dt.datetime) -> QuerySet[Registration]:
    """Registrations past their term and grace that the clock has not expired yet, oldest first."""
    return (
        Registration.objects.filter(valid_until__lte=now, expired_at__isnull=True, struck_out_at__isnull=True)
        .filter(Q(grace_until__isnull=True) | Q(grace_until__lte=now))
        .order_by("valid_until", "id")
    )


def grace_begun_between(*, start: dt.datetime, end: dt.datetime) -> QuerySet[Registration]:
    """Registrations in their grace whose term ended in [start, end)."""
    return expiring_between(start=start, end=end).filter(grace_until__gt=end)


def entries_due_to_end(*, now: dt.datetime) -> QuerySet[Entry]:
    """Entries past their own end, of live registrations: addresses that were left or are not reported any more."""
    return (
        Entry.objects.filter(ended_at__isnull=True, valid_until__lte=now, registration__expired_at__isnull=True)
        .exclude(registration__in=due_to_expire(now=now))
        .order_by("valid_until", "id")
    )


def expiring_between(*, start: dt.datetime, end: dt.datetime) -> QuerySet[Registration]:
    """Valid registrations of holders whose full term ends in [start, end)."""
    return (
        _of_holders()
        .filter(
            valid_until__gte=start,
            valid_until__lt=end,
            expired_at__isnull=True,
            struck_out_at__isnull=True,
            provisional_until__isnull=True,
        )
        .order_by("valid_until", "id")
    )


def provisional_ending_between(*, start: dt.datetime, end: dt.datetime) -> QuerySet[Registration]:
    """Valid provisional registrations that end in [start, end)."""
    return Registration.objects.filter(
        provisional_until__gte=start, provisional_until__lt=end, expired_at__isnull=True, struck_out_at__isnull=True
    ).order_by("provisional_until", "id")


def at_share_of_term(*, percent: int, start: dt.datetime, end: dt.datetime) -> QuerySet[Entry]:
    """Active entries, one for each endpoint, of which this share of the term was over in [start, end), the longest over
    first. The grace is no part of the term."""
    moment = ExpressionWrapper(
        F("valid_from") + (F("registration__valid_until") - F("valid_from")) * (percent / 100),
        output_field=DateTimeField(),
    )
    found = Entry.objects.filter(ended_at__isnull=True, part_of__isnull=True, valid_from__lte=end)
    # Nobody proves again what was never proved: it ends by itself.
    found = found.exclude(UNPROVED)
    found = found.annotate(moment=moment)
    return found.filter(moment__gte=start, moment__lt=end).order_by("moment", "id").select_related("registration")


def rerouted_since(*, start: dt.datetime) -> QuerySet[Change]:
    """Changes by which another network was found to announce an entry that is still active; one for each endpoint."""
    of_line = Q(about__isnull=True, entry__ended_at__isnull=True, entry__part_of__isnull=True)
    active = of_line | Q(about__isnull=False, about__ended_at__isnull=True, about__part_of__isnull=True)
    found = Change.objects.filter(active, act="reroute", at__gte=start)
    return found.order_by("id").select_related("entry__registration", "about__registration")


def active_by_id(ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Entry]:
    """Those of these entries that have not ended, with their registrations."""
    found = Entry.objects.filter(pk__in=list(ids), ended_at__isnull=True).select_related("registration")
    return {entry.pk: entry for entry in found}


def entries_by_feed_id(ids: Iterable[str]) -> dict[str, Entry]:
    """Those of these that are still there, by the name that the feed knows them by."""
    found = Entry.objects.filter(feed_id__in=list(ids)).select_related("registration")
    return {entry.feed_id: entry for entry in found}


def entry_by_id(id: uuid.UUID) -> Entry | None:
    return Entry.objects.filter(pk=id).select_related("registration").first()


def active_by_feed_id(feed_id: str) -> Entry | None:
    return Entry.objects.filter(feed_id=feed_id, ended_at__isnull=True).first()


def changes() -> QuerySet[Change]:
    """Every change, in the order of its number. For one entry that is the order in which its changes were committed."""
    return Change.objects.order_by("id")


def expired_since(*, start: dt.datetime) -> QuerySet[Registration]:
    """Registrations of holders that the clock has expired at `start` or later, oldest first."""
    return _of_holders().filter(expired_at__gte=start).order_by("expired_at", "id")


FORGOTTEN = "forgotten:"


def ended_before(moment: dt.datetime | None) -> QuerySet[Registration]:
    """Registrations of holders that left the register before then, entries and all, and whose holder is still known."""
    if moment is None:
        return Registration.objects.none()
    over = Q(struck_out_at__lt=moment) | Q(expired_at__lt=moment)
    lasting = Entry.objects.filter(registration=OuterRef("pk")).filter(
        Q(ended_at__isnull=True) | Q(ended_at__gte=moment)
    )
    found = _of_holders().filter(over).exclude(origin__startswith=FORGOTTEN).exclude(Exists(lasting))
    return found.order_by("created_at", "id")


def is_held_since(origins: Iterable[str], moment: dt.datetime) -> bool:
    """Whether a registration of one of these origins stands, or left the register at this moment or later."""
    found = Registration.objects.filter(origin__in=list(origins))
    return found.exclude(Q(struck_out_at__lt=moment) | Q(expired_at__lt=moment)).exists()


def entries_to_forget(*, before: dt.datetime | None, changing_before: dt.datetime) -> QuerySet[Entry]:
    """Entries that have ended and may go: of a holder who is forgotten, or that a registration which stands has left
    before then; of an address that changes by itself, sooner. None of which another entry is a part, or the line."""
    stands = Q(registration__expired_at__isnull=True, registration__struck_out_at__isnull=True)
    left = stands & Q(kind="dynamic", ended_at__lt=changing_before)
    if before is not None:
        left |= stands & Q(ended_at__lt=before) | Q(registration__origin__startswith=FORGOTTEN)
    found = Entry.objects.filter(left, ended_at__isnull=False, parts__isnull=True, carried__isnull=True)
    about = Change.objects.filter(about=OuterRef("pk")).exclude(entry=OuterRef("pk"))
    found = found.exclude(kind=rules.CANARY).exclude(Exists(about))
    return found.select_related("registration").order_by("ended_at", "id")


# -- still right? ---------------------------------------------------------------------------------------------------


def yearly_question_of(registration: Registration) -> YearlyQuestion | None:
    """The last one; None of one that was never asked about, or that is not on the register any more."""
    return YearlyQuestion.objects.filter(registration=registration, registration__in=not_ended()).first()


def open_yearly_question_of(registration: Registration) -> YearlyQuestion | None:
    question = yearly_question_of(registration)
    return question if question is not None and question.settled_at is None else None


def to_ask_whether_right(*, silent_since: dt.datetime, term_beyond: dt.datetime) -> QuerySet[Registration]:
    """Valid registrations of holders who have said nothing since then, and were not asked since, with so much of their
    term left. For the clock alone: there is no list of them."""
    found = not_ended().exclude(category=rules.CANARY).filter(last_word_at__lte=silent_since)
    found = found.filter(valid_until__gt=term_beyond, suspended_at__isnull=True, provisional_until__isnull=True)
    unasked = Q(yearly_question__isnull=True) | Q(yearly_question__asked_at__lte=silent_since)
    return found.filter(unasked).order_by("last_word_at", "id")


def to_ask_whether_right_again(*, now: dt.datetime, term_beyond: dt.datetime) -> QuerySet[YearlyQuestion]:
    """Questions whose next letter is due, of what is still valid and not about to be renewed."""
    valid = not_ended().filter(valid_until__gt=term_beyond, suspended_at__isnull=True)
    found = YearlyQuestion.objects.filter(next_at__lte=now, registration__in=valid)
    return found.select_related("registration").order_by("next_at", "pk")


def asked_and_settled(*, since: dt.datetime) -> tuple[int, int]:
    """How many were asked since then, and how many of these questions were settled."""
    found = YearlyQuestion.objects.filter(asked_at__gte=since).aggregate(asked=Count("pk"), settled=Count("settled_at"))
    return found["asked"], found["settled"]


def networks_by_feed_id(feed_ids: Iterable[str]) -> dict[str, list[int]]:
    """Of those of these lines that stand: the networks that announce them, or the one they were checked against."""
    rows = Entry.objects.filter(feed_id__in=list(feed_ids), ended_at=None).values_list("feed_id", "asn", "asns")
    return {feed_id: asns or ([asn] if asn else []) for feed_id, asn, asns in rows}


def standing_feed_ids() -> QuerySet[Entry, Any]:
    """Of all that stands, for a query."""
    return Entry.objects.filter(ended_at=None).values("feed_id")
