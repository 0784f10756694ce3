"""The acts of the publisher. Those that write the feed's files need its online keys; one process at a time does."""

import contextlib
import datetime as dt
import logging
import re
import time
from collections.abc import Sequence
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

from rahdari.db.wake import Channel, wake
from rahdari.errors import RahdariError
from rahdari.feed import Access
from rahdari.feed.access import FILE_NAME, encode_access
from rahdari.journal import actions as journal
from rahdari.register import actions as register

from . import credentials, cutting, editions, files, folder, queries, rules, streams
from .ceremony import (
    RoleUnknown,
    custodians_of,
    draft_bulk,
    draft_renewal,
    draft_rotation,
    make_feed_keys,
    renew_offline,
    replace_key,
    sign_here,
    take_up,
    trusted_keys,
)
from .credentials import CertificateUnusable, CredentialTaken, NoSuchCredential
from .editions import DatabaseBehindFeed
from .envelope import FeedUnusable, NoKeys, Repository
from .files import FileDiffers
from .folder import Checkpoint, no_checkpoint
from .holds import HoldDecided, approve_hold, cancel_hold, reopen_hold, statements_of
from .keys import KeySet, KeysExist, KeyUnusable, ThresholdUnusable
from .models import Credential, Delegation, Edition, Operator, RemovalHold
from .offline import Draft, DraftUnusable, SignaturesMissing
from .receipts import KeyRefused, NoSuchKey, Recorded, enrol_key, record_receipt, revoke_key
from .restoring import NotBehind, SequenceTooLow, open_new_sessions
from .streams import forget_listings
from .watching import watch_operators

__all__ = [
    "CertificateUnusable",
    "CredentialTaken",
    "DatabaseBehindFeed",
    "Draft",
    "DraftUnusable",
    "FeedUnusable",
    "FileDiffers",
    "HoldDecided",
    "KeyRefused",
    "KeySet",
    "KeyUnusable",
    "KeysExist",
    "NoKeys",
    "NoSuchCredential",
    "NoSuchKey",
    "NotBehind",
    "OperatorExists",
    "Recorded",
    "RoleUnknown",
    "SequenceTooLow",
    "SignaturesMissing",
    "SlugUnusable",
    "ThresholdUnusable",
    "approve_hold",
    "cancel_hold",
    "change_rights",
    "create_operator",
    "custodians_of",
    "cut_edition",
    "draft_bulk_for",
    "draft_renewal",
    "draft_rotation",
    "end_credential",
    "enrol_key",
    "forget_listings",
    "give_certificate",
    "make_feed_keys",
    "open_new_sessions",
    "publish_editions",
    "record_receipt",
    "refresh_timestamp",
    "relist",
    "renew_offline",
    "reopen_hold",
    "replace_key",
    "replace_token",
    "revoke_key",
    "set_number_prefixes",
    "sign_here",
    "stop_operator",
    "take_up",
    "trusted_keys",
    "watch_operators",
    "write_access",
]

log = logging.getLogger("rahdari.publish")
_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,48}[a-z0-9])?", re.ASCII)
# A metadata version may be asked for as long as a timestamp that names it lasts.
KEPT_METADATA = rules.TIMESTAMP_LASTS


class OperatorExists(RahdariError):
    """There is an operator of this slug. `.slug`"""

    says = "{slug}"
    slug: str


class SlugUnusable(RahdariError):
    """No slug: small letters, digits and dashes, at most 50. `.slug`"""

    says = "{slug}"
    slug: str


def _repository() -> Repository:
    return Repository(Path(settings.DATA))


# -- editions ----------------------------------------------------------------------------------------------------


def cut_edition(*, now: dt.datetime, checkpoint: Checkpoint = no_checkpoint) -> list[Edition]:
    """Cut the changes that wait: an edition of each stream they concern. Raises DatabaseBehindFeed."""
    return editions.cut(repository=_repository(), now=now, checkpoint=checkpoint)


def publish_editions(*, now: dt.datetime, checkpoint: Checkpoint = no_checkpoint) -> int:
    """Publish what is cut, then cut and publish until nothing waits; return how many editions were published.

    Without keys nothing is done, and all changes wait. Raises DatabaseBehindFeed, FeedUnusable, KeyUnusable.
    """
    repository = _repository()
    with folder.only_writer(repository.path):
        try:
            repository.ensure()
        except NoKeys as error:
            log.debug("nothing is published: no keys in %s", error.path)
            return 0
        editions.compare(repository=repository)
        started, count = time.monotonic(), 0

        def publish_waiting(at_most: int) -> cutting.Waiting:
            nonlocal count
            # A snapshot may take a minute, and what is published meanwhile shall say when.
            at = now + dt.timedelta(seconds=int(time.monotonic() - started))
            waits = queries.something_to_cut(now=at)
            if waits.unpublished:
                count += editions.publish(repository=repository, now=at, checkpoint=checkpoint)
                waits = queries.something_to_cut(now=at)
            for _ in range(at_most):
                if not waits:
                    break
                published = editions.cut_and_publish(repository=repository, now=at, waits=waits, checkpoint=checkpoint)
                if published is None:
                    break
                count += published
                waits = queries.something_to_cut(now=at)
            return waits

        def meanwhile() -> None:
            publish_waiting(1)

        while True:
            # Not all of a long backlog at once: wide deltas and snapshots keep the way through it short.
            waits = publish_waiting(rules.LIVE_NARROW // 2)
            went_on = waits.beside and editions.resume(
                repository=repository,
                now=now,
                meanwhile=meanwhile,
                admit=lambda: write_access(now=now),
                checkpoint=checkpoint,
            )
            if not went_on and not waits.changes:
                if not count:
                    # Nothing waited, so nobody waits for this; a kill before it is mended within seconds.
                    write_access(now=now)
                return count


def refresh_timestamp(*, now: dt.datetime, checkpoint: Checkpoint = no_checkpoint) -> bool:
    """Sign again what is due (timestamps every five minutes), and erase what nobody needs any more.

    The statements stay the same: this works from what is published, and also while the database is behind it.
    Returns whether something was signed. Raises FeedUnusable, KeyUnusable.
    """
    repository = _repository()
    if not queries.feed_keys_exist() or not repository.metadata.exists():
        return False
    with folder.only_writer(repository.path):
        if not editions.refresh(repository=repository, now=now, checkpoint=checkpoint):
            return False
        files.erase(repository=repository, now=now)
        editions.erase_metadata(repository=repository, kept=KEPT_METADATA)
        streams.tidy_retired()
    return True


def relist(*, now: dt.datetime) -> int:
    """Bring who gets which entry into line with the directory in use; return how many entries have other networks.

    The line does the same by itself, in parts. The new networks' operators get them with the next editions, the others
    keep them for the overlap and until these have acknowledged.
    """
    return register.follow_directory(now=now)


# -- operators ---------------------------------------------------------------------------------------------------


def create_operator(
    *,
    slug: str,
    name: str,
    asns: Sequence[int],
    now: dt.datetime,
    name_ur: str = "",
    gateway: bool = False,
    actor: str = "system:operator-add",
) -> str:
    """Add an operator; return its token, which is shown this once. A gateway gets every entry, whatever its networks.

    Raises OperatorExists, SlugUnusable.
    """
    if not _SLUG.fullmatch(slug):
        raise SlugUnusable(slug)
    with transaction.atomic():
        operator, created = Operator.objects.get_or_create(
            slug=slug,
            defaults={
                "name_en": name,
                "name_ur": name_ur,
                "asns": sorted(set(asns)),
                "gateway": gateway,
                "created_at": now,
                # Above whatever its agents hold, should this operator have been here before a backup was restored.
                "snapshot_version": int(now.timestamp()),
                "timestamp_version": int(now.timestamp()),
            },
        )
        if not created:
            raise OperatorExists(slug)
        token = credentials.add_token(operator=operator, now=now)
        streams.want(operator, now=now)
        journal.record(
            act="publish.operator_added",
            actor=actor,
            subject=f"operator:{operator.slug}",
            now=now,
            detail={"asns": operator.asns, "gateway": gateway},
        )
        wake(Channel.PUBLISH)
        transaction.on_commit(lambda: write_access(now=now))
    return token


def change_rights(*, operator: Operator, asns: Sequence[int], gateway: bool, actor: str, now: dt.datetime) -> Operator:
    """Give an operator the entries of other networks, or of all. It keeps what it has until the new ones are ready."""
    with transaction.atomic():
        operator = Operator.objects.select_for_update().get(pk=operator.pk)
        wanted = sorted(set(asns))
        if (operator.asns, operator.gateway) == (wanted, gateway):
            return operator
        operator.asns, operator.gateway, operator.due = wanted, gateway, True
        operator.save(update_fields=["asns", "gateway", "due"])
        streams.want(operator, now=now)
        journal.record(
            act="publish.rights_changed",
            actor=actor,
            subject=f"operator:{operator.slug}",
            now=now,
            detail={"asns": wanted, "gateway": gateway},
        )
        wake(Channel.PUBLISH)
    return operator


@transaction.atomic
def set_number_prefixes(*, operator: Operator, prefixes: Sequence[str], actor: str, now: dt.datetime) -> Operator:
    """Note that an operator has mobile numbers, and how they begin; none: it is asked about no number any more."""
    operator = Operator.objects.select_for_update().get(pk=operator.pk)
    wanted = sorted(set(prefixes))
    if operator.number_prefixes == wanted:
        return operator
    operator.number_prefixes = wanted
    operator.save(update_fields=["number_prefixes"])
    journal.record(
        act="publish.number_prefixes_set",
        actor=actor,
        subject=f"operator:{operator.slug}",
        now=now,
        detail={"prefixes": wanted},
    )
    return operator


def replace_token(
    *, operator: Operator, old_ends_at: dt.datetime | None = None, name: str = "", actor: str, now: dt.datetime
) -> str:
    """Give an operator another token. The others end at once, or at `old_ends_at`."""
    with transaction.atomic():
        token = credentials.give_token(operator=operator, old_ends_at=old_ends_at, name=name, actor=actor, now=now)
        transaction.on_commit(lambda: write_access(now=now))
    return token


def give_certificate(*, operator: Operator, data: bytes, name: str = "", actor: str, now: dt.datetime) -> Credential:
    """Let an operator in by a client certificate. Raises CertificateUnusable, CredentialTaken."""
    with transaction.atomic():
        row = credentials.give_certificate(operator=operator, data=data, name=name, actor=actor, now=now)
        transaction.on_commit(lambda: write_access(now=now))
    return row


def end_credential(
    *, operator: Operator, number: int, ends_at: dt.datetime | None = None, actor: str, now: dt.datetime
) -> Credential:
    """End one credential, now or at a time to come. Raises NoSuchCredential."""
    with transaction.atomic():
        row = credentials.end_credential(operator=operator, number=number, ends_at=ends_at, actor=actor, now=now)
        transaction.on_commit(lambda: write_access(now=now))
    return row


def stop_operator(*, operator: Operator, actor: str, now: dt.datetime) -> None:
    """End an operator's access: to the feed, and to what it is asked. Its receipts stay. Twice changes nothing."""
    with transaction.atomic():
        if operator.active:
            operator.active, operator.due = False, True
            operator.save(update_fields=["active", "due"])
            Delegation.objects.filter(operator=operator, left_at=None).update(left_at=now)
            wake(Channel.PUBLISH)
            journal.record(act="publish.operator_stopped", actor=actor, subject=f"operator:{operator.slug}", now=now)
        import_string(settings.OPERATOR_STOPPED)(operator=operator.slug, actor=actor, now=now)
        transaction.on_commit(lambda: write_access(now=now))


def draft_bulk_for(*, holds: Sequence[RemovalHold], now: dt.datetime) -> Draft:
    """Bulk statements for the custodians to sign, so that agents let the removals of these holds go.

    Raises NoKeys, FeedUnusable.
    """
    return draft_bulk(statements=statements_of(holds, now=now), sessions=queries.known_sessions(), now=now)


def write_access(*, now: dt.datetime) -> None:
    """Bring the file by which the pushing process lets operators in up to date (see `proof.access`).

    Done when an operator changes, and by the publisher at every round: a kill in between is mended within seconds.
    Where the publisher has a user of its own, nobody else writes the file.
    """
    path = Path(settings.DATA) / FILE_NAME
    sessions = queries.sessions_by_operator(now=now)
    wanted = encode_access(
        [
            Access(
                each.slug,
                each.repository,
                credentials.for_access_file(each),
                tuple(sessions.get(each.pk, ())),
            )
            for each in queries.active_operators().prefetch_related(credentials.still_holding(now))
        ]
    )
    with contextlib.suppress(FileNotFoundError, PermissionError):
        if path.read_bytes() == wanted:
            return
    try:
        folder.make_folder(path.parent, mode=0o750)
        folder.write_whole(path, wanted, mode=0o640)
    except PermissionError:
        wake(Channel.PUBLISH)
