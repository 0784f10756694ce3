"""A report of an address, from the request to the register.

1) the same as before: it is valid for longer, nothing else changes  2) may it change now  3) did it come from the line
it speaks of, or is it proved  4) whose is the address  5) list it, and let the old one stay for the overlap
A rival's claim never ends an address that is being reported from that very address; it shortens one that is not.
"""

import datetime as dt
import ipaddress
import uuid
from dataclasses import dataclass, replace

from django.conf import settings
from django.db import transaction

from rahdari.address import directory, format_block
from rahdari.apply import parts, subjects
from rahdari.apply import queries as applications
from rahdari.apply.rules import About
from rahdari.control import attempts, challenges, reported_proofs
from rahdari.control import queries as proofs
from rahdari.control.models import Method
from rahdari.db.queues import each_of
from rahdari.journal import actions as journal
from rahdari.policy import DyndnsRules
from rahdari.register import address_changes, changes
from rahdari.register.models import Entry, Registration
from rahdari.register.rules import new_endpoint
from rahdari.web import limits

from . import queries, rules
from .hosts import host_subject
from .models import AddressClaim, AddressReport, DynamicHost, ReportedAddress
from .rules import By, ReportOutcome

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Block = ipaddress.IPv4Network | ipaddress.IPv6Network
# What a page shows needs no finer clock, and a client that repeats itself every few seconds costs no write.
NOTED_EVERY = dt.timedelta(minutes=1)
CLAIM_LASTS = dt.timedelta(hours=1)


@dataclass(frozen=True)
class Heard:
    """What became of one address of a report."""

    outcome: ReportOutcome
    address: str
    # Of one that came too often: how long until one is taken.
    wait: dt.timedelta = dt.timedelta(0)

    @property
    def is_taken(self) -> bool:
        return self.outcome in rules.TAKEN


def report(*, host: DynamicHost, block: Block | str, source: Address | None, by: str, now: dt.datetime) -> Heard:
    """Take the report that the connection has this address. `source` is where the report came from; None for a proof
    that was made otherwise. A text is what was reported and is no address that could be registered.
    """
    if isinstance(block, str) or not rules.is_public(block, allowed=settings.ALLOWED_SPECIAL_RANGES):
        text = block if isinstance(block, str) else format_block(block)
        return _noted(host, ReportOutcome.NOT_PUBLIC, text, by, now)
    text = format_block(block)
    in_force = queries.rules_in_force()
    reported = ReportedAddress.objects.select_related("entry").filter(host=host, family=block.version).first()
    is_there = source is None or rules.is_from(block, source)
    # 1)
    if reported is not None and reported.block == block and _is_listed(host, reported):
        _go_on(host, reported, is_there=is_there, in_force=in_force, now=now)
        return _noted(host, ReportOutcome.SAME, text, by, now)
    # 2)
    rate = in_force.change_burst
    per = int(in_force.change_every.total_seconds()) * rate
    allowance = limits.take(f"dyndns.change:{host.pk}:{block.version}", rate=rate, per=per)
    if not allowance.allowed:
        return replace(_noted(host, ReportOutcome.TOO_OFTEN, text, by, now), wait=allowance.wait)
    # 3)
    if not is_there and not _is_proved(host, block, now):
        return _noted(host, ReportOutcome.NOT_PROVED, text, by, now)
    # 4) and 5)
    outcome = _take(host, block, source, in_force, now)
    return _noted(host, outcome, text, by, now)


def _is_listed(host: DynamicHost, reported: ReportedAddress) -> bool:
    """Before it is registered there is nothing to list; afterwards an entry that stands."""
    return host.registration_id is None or (reported.entry is not None and reported.entry.ended_at is None)


def _go_on(
    host: DynamicHost, reported: ReportedAddress, *, is_there: bool, in_force: DyndnsRules, now: dt.datetime
) -> None:
    until = now + in_force.length
    silent = rules.has_run_out(until=reported.until, rival_until=reported.rival_until, now=now)
    if reported.reported_at + NOTED_EVERY > now and not silent and reported.rival_until is None:
        return
    reported.reported_at, reported.until, reported.notified_at = now, until, None
    if is_there:
        reported.rival_until = None
    reported.save(update_fields=["reported_at", "until", "notified_at", "rival_until"])
    if host.paused_until is not None:
        DynamicHost.objects.filter(pk=host.pk).update(paused_until=None)
    _prove_renewals(host, now)
    entry, registration = reported.entry, host.registration
    if entry is None or registration is None or entry.valid_until >= registration.stays_until:
        return
    if rules.wants_extending(
        entry_until=entry.valid_until, reported_until=until, length=in_force.length, grace=in_force.grace
    ):
        address_changes.extend_entry(entry=entry, until=until + in_force.grace, now=now)


def _is_proved(host: DynamicHost, block: Block, now: dt.datetime) -> bool:
    """Whether the address was proved since it was claimed; else a proof is asked for, and looked for."""
    with transaction.atomic():
        claim = (
            AddressClaim.objects.select_for_update()
            .filter(host=host, family=block.version, closed_at__isnull=True, block=str(block))
            .first()
        )
        if claim is None:
            AddressClaim.objects.filter(host=host, family=block.version, closed_at__isnull=True).update(closed_at=now)
            claim = AddressClaim.objects.create(host=host, family=block.version, block=str(block), at=now)
    if proofs.proof_of(claim.subject, block) is not None:
        AddressClaim.objects.filter(pk=claim.pk).update(closed_at=now)
        return True
    for method in (Method.LINK, Method.HTTP):
        challenge = challenges.open_challenge(
            subject=claim.subject, block=block, method=method, valid_for=CLAIM_LASTS, now=now, actor=host_subject(host)
        )
        if method == Method.HTTP:
            try:
                attempts.ask_for_a_look(challenge=challenge, now=now)
            except (attempts.TooSoonToLook, attempts.TooManyLooks, challenges.ChallengeNotPending):
                continue
    return False


def _take(
    host: DynamicHost, block: Block, source: Address | None, in_force: DyndnsRules, now: dt.datetime
) -> ReportOutcome:
    with transaction.atomic():
        host = DynamicHost.objects.select_for_update(of=("self",)).select_related("registration").get(pk=host.pk)
        reported = ReportedAddress.objects.select_related("entry").filter(host=host, family=block.version).first()
        entry: Entry | None = None
        if host.registration is not None:
            listed = _list(host, host.registration, reported, block, in_force, now)
            if isinstance(listed, ReportOutcome):
                return listed
            entry = listed
        else:
            _prove(host, block, source, now)
        fields = {
            "block": block,
            "entry": entry,
            "since": now if reported is None or reported.block != block else reported.since,
            "reported_at": now,
            "until": now + in_force.length,
            "rival_until": None,
            "notified_at": None,
        }
        ReportedAddress.objects.update_or_create(host=host, family=block.version, defaults=fields)
        _prove_renewals(host, now)
        AddressClaim.objects.filter(host=host, family=block.version, closed_at__isnull=True).update(closed_at=now)
        if host.paused_until is not None:
            DynamicHost.objects.filter(pk=host.pk).update(paused_until=None)
    return ReportOutcome.CHANGED


def _prove(host: DynamicHost, block: Block, source: Address | None, now: dt.datetime) -> None:
    """An application that is not decided: the report proves control of the connection that it asks for."""
    endpoint = subjects.endpoint_by_subject(host.subject)
    if endpoint is None:
        return
    first = not proofs.is_proved(host.subject, endpoint.network)
    endpoint = parts.hear_address(endpoint=endpoint, block=block, first=first, now=now)
    reported_proofs.prove_by_report(subject=host.subject, block=endpoint.network, source=source, now=now)


def _prove_renewals(host: DynamicHost, now: dt.datetime) -> None:
    """A registered connection is reported: that proves it for applications that renew or change its registration."""
    if host.registration is None:
        return
    for about in (About.RENEWAL, About.CHANGE):
        application = applications.under_way_for(host.registration, about)
        for row in applications.endpoints_of(application) if application is not None else ():
            if row.is_dynamic and row.continues == host.subject:
                reported_proofs.prove_by_report(subject=row.subject, block=row.network, source=None, now=now)


def _list(
    host: DynamicHost,
    registration: Registration,
    reported: ReportedAddress | None,
    block: Block,
    in_force: DyndnsRules,
    now: dt.datetime,
) -> Entry | ReportOutcome:
    """The entry with the new address, or why there is none. Whoever left the address, or fell silent, makes room."""
    for _ in range(5):
        try:
            return _entered(host, registration, reported, block, in_force, now)
        except changes.BlockAlreadyEntered as error:
            in_the_way = error.entry
        if in_the_way is None or in_the_way.holder == host.holder:
            return ReportOutcome.YOURS
        outcome = _make_room(in_the_way.part_of or in_the_way, in_force, now)
        if outcome is not None:
            return outcome
    return ReportOutcome.HELD


def _entered(
    host: DynamicHost,
    registration: Registration,
    reported: ReportedAddress | None,
    block: Block,
    in_force: DyndnsRules,
    now: dt.datetime,
) -> Entry:
    origin_of = directory.current().origin(block)
    before = reported.entry if reported is not None else None
    # Where the directory knows nothing of the new address, it is the same connection, and so the same operator's.
    asn = origin_of.asn if origin_of is not None else before.asn if before is not None else None
    origin = f"dyndns:{host.pk}:{block.version}:{uuid.uuid4()}"
    until = now + in_force.length + in_force.grace
    if before is not None and before.registration_id == registration.pk:
        return address_changes.move_entry(
            entry=before,
            block=block,
            asn=asn,
            origin=origin,
            until=until,
            overlap_until=now + in_force.overlap,
            actor=host_subject(host),
            now=now,
        )
    new = new_endpoint(origin, block, host.parts, asn, kind="dynamic", until=until)
    return address_changes.add_entry(registration=registration, new=new, actor=host_subject(host), now=now)


def _make_room(entry: Entry, in_force: DyndnsRules, now: dt.datetime) -> ReportOutcome | None:
    """None when what stood in the way has ended. It ends when its holder left the address, or is silent."""
    if entry.kind != "dynamic":
        if not entry.was_left:
            return ReportOutcome.HELD
        address_changes.end_entry(entry=entry, why="yield", now=now)
        return None
    other = ReportedAddress.objects.select_for_update().filter(entry=entry).first()
    if other is None or rules.has_run_out(until=other.until, rival_until=other.rival_until, now=now):
        address_changes.end_entry(entry=entry, why="yield", now=now)
        return None
    if other.rival_until is None:
        other.rival_until = min(other.until, now + in_force.rival_wait)
        other.save(update_fields=["rival_until"])
        journal.record(act="dyndns.claimed_by_a_rival", actor="rule:dyndns", subject=f"host:{other.host_id}", now=now)
    return ReportOutcome.RIVAL


def _noted(host: DynamicHost, outcome: ReportOutcome, address: str, by: str, now: dt.datetime) -> Heard:
    """Note what was reported; the same again is counted on the row that is there."""
    last = AddressReport.objects.filter(host=host, by=by).order_by("-last_at", "-id").first()
    if last is not None and (last.address, last.outcome) == (address, outcome):
        if last.last_at + NOTED_EVERY <= now:
            last.last_at, last.count = now, last.count + 1
            last.save(update_fields=["last_at", "count"])
    else:
        AddressReport.objects.create(host=host, address=address, by=By(by), outcome=outcome, at=now, last_at=now)
    return Heard(outcome, address)


def note_old_token(*, host: DynamicHost, by: str, now: dt.datetime) -> None:
    """A router still shows a token that was replaced: its holder sees that on the page."""
    _noted(host, ReportOutcome.OLD_TOKEN, "", by, now)


# -- steps of the line ----------------------------------------------------------------------------------------------


def list_reported(*, host: DynamicHost, now: dt.datetime) -> int:
    """The connection has just been registered: list the addresses that it reported. Returns how many are listed."""
    registration, in_force = host.registration, queries.rules_in_force()
    if registration is None:
        return 0
    listed = 0
    for reported in queries.reported_addresses_of(host):
        if _is_listed(host, reported) or reported.until + in_force.grace <= now:
            continue
        with transaction.atomic():
            found = _list(host, registration, reported, reported.network, in_force, now)
            if isinstance(found, ReportOutcome):
                _noted(host, found, format_block(reported.network), By.ROUTER, now)
                continue
            reported.entry = found
            reported.save(update_fields=["entry"])
            listed += 1
    return listed


@each_of(queries.claims_waiting)
def take_proved_claims(claim: AddressClaim, now: dt.datetime) -> bool:
    """Addresses that were reported from elsewhere and are proved now; those that nobody proved are let go."""
    if proofs.proof_of(claim.subject, claim.network) is not None:
        return report(host=claim.host, block=claim.network, source=None, by=By.LINK, now=now).is_taken
    if claim.at + CLAIM_LASTS <= now:
        AddressClaim.objects.filter(pk=claim.pk, closed_at__isnull=True).update(closed_at=now)
    return False


def mark_notified(*, reported: ReportedAddress, now: dt.datetime) -> bool:
    """Whether nobody has told the holder of this silence before."""
    first = bool(ReportedAddress.objects.filter(pk=reported.pk, notified_at__isnull=True).update(notified_at=now))
    if first:
        journal.record(act="dyndns.fell_silent", actor="clock", subject=host_subject(reported.host), now=now)
    return first


def drop_lapsed(*, reported: ReportedAddress, now: dt.datetime) -> None:
    """Its entry has ended: the next report begins anew."""
    gone, _each = ReportedAddress.objects.filter(pk=reported.pk, entry=reported.entry).delete()
    if gone:
        journal.record(act="dyndns.lapsed", actor="clock", subject=host_subject(reported.host), now=now)


def forget_reports(*, now: dt.datetime, limit: int = 5_000) -> int:
    """Reports older than the policy keeps them."""
    old = list(queries.reports_to_forget(now=now).values_list("pk", flat=True)[:limit])
    return AddressReport.objects.filter(pk__in=old).delete()[0] if old else 0
