"""The acts of the publisher. Those that write the feed's files need its online keys; one process at a time does."""

import contextlib
import datetime as dt
import logging
import re
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction

from rahdari.journal import actions as journal
from rahdari.proof import Access, Credential, CredentialKind, token_digest
from rahdari.proof import Receipt as GivenReceipt
from rahdari.proof.access import FILE_NAME, encode_access

from . import editions, files, folder, queries, rules, streams
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
from .editions import DatabaseBehindFeed
from .envelope import FeedUnusable, NoKeys, Repository
from .files import FileDiffers
from .folder import Checkpoint, no_checkpoint
from .keys import KeySet, KeysExist, KeyUnusable, ThresholdUnusable
from .models import Edition, Following, Operator, Receipt
from .offline import DraftUnusable, SignaturesMissing
from .rules import ReceiptStanding

__all__ = [
    "DatabaseBehindFeed",
    "DraftUnusable",
    "FeedUnusable",
    "FileDiffers",
    "KeySet",
    "KeyUnusable",
    "KeysExist",
    "NoKeys",
    "OperatorExists",
    "RoleUnknown",
    "SignaturesMissing",
    "SlugUnusable",
    "ThresholdUnusable",
    "change_rights",
    "create_operator",
    "custodians_of",
    "cut_edition",
    "draft_bulk",
    "draft_renewal",
    "draft_rotation",
    "make_feed_keys",
    "publish_editions",
    "record_receipt",
    "refresh_timestamp",
    "renew_offline",
    "replace_key",
    "replace_token",
    "sign_here",
    "stop_operator",
    "take_up",
    "trusted_keys",
    "write_access",
]

log = logging.getLogger("rahdari.publish")
_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,48}[a-z0-9])?", re.ASCII)
# A metadata version may be asked for as long as a timestamp that names it lasts.
KEPT_METADATA = rules.TIMESTAMP_LASTS


class OperatorExists(Exception):
    """There is an operator of this slug. `.slug`"""

    def __init__(self, slug: str) -> None:
        super().__init__(slug)
        self.slug = slug


class SlugUnusable(Exception):
    """No slug: small letters, digits and dashes, at most 50. `.slug`"""

    def __init__(self, slug: str) -> None:
        super().__init__(slug)
        self.slug = slug


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
        write_access(now=now)
        try:
            repository.ensure()
        except NoKeys as error:
            log.debug("nothing is published: no keys in %s", error.path)
            return 0
        editions.compare(repository=repository)
        started, count = time.monotonic(), 0

        def publish_waiting(at_most: int) -> None:
            nonlocal count
            # A snapshot may take a minute, and what is published meanwhile shall say when.
            at = now + dt.timedelta(seconds=int(time.monotonic() - started))
            count += editions.publish(repository=repository, now=at, checkpoint=checkpoint)
            for _ in range(at_most):
                if not queries.something_to_cut(now=at):
                    return
                if not editions.cut(repository=repository, now=at, checkpoint=checkpoint):
                    return
                count += editions.publish(repository=repository, now=at, checkpoint=checkpoint)

        while True:
            # Not all of a long backlog at once: wide deltas and snapshots keep the way through it short.
            publish_waiting(rules.LIVE_NARROW // 2)
            went_on = editions.go_on(
                repository=repository, now=now, meanwhile=lambda: publish_waiting(1), checkpoint=checkpoint
            )
            if not went_on and not queries.changes_waiting():
                write_access(now=now)
                return count


def refresh_timestamp(*, now: dt.datetime) -> bool:
    """Sign again what is due (timestamps every five minutes), and erase what nobody needs any more.

    The statements stay the same: this works from what is published, and also while the database is behind it.
    Returns whether something was signed. Raises FeedUnusable, KeyUnusable.
    """
    repository = _repository()
    if not queries.feed_keys_exist() or not repository.metadata.exists():
        return False
    with folder.only_writer(repository.path):
        if not editions.refresh(repository=repository, now=now):
            return False
        files.erase(repository=repository, now=now)
        editions.erase_metadata(repository=repository, kept=KEPT_METADATA)
        streams.tidy_retired()
    return True


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
    token = secrets.token_urlsafe(32)
    with transaction.atomic():
        operator, created = Operator.objects.get_or_create(
            slug=slug,
            defaults={
                "name_en": name,
                "name_ur": name_ur,
                "asns": sorted(set(asns)),
                "gateway": gateway,
                "token_hash": token_digest(token),
                "created_at": now,
            },
        )
        if not created:
            raise OperatorExists(slug)
        streams.want(operator, now=now)
        journal.record(
            act="publish.operator_added",
            actor=actor,
            subject=f"operator:{operator.slug}",
            now=now,
            detail={"asns": operator.asns, "gateway": gateway},
        )
        _wake_publisher()
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
        _wake_publisher()
    return operator


def _wake_publisher() -> None:
    with connection.cursor() as cursor:
        cursor.execute("NOTIFY rahdari_publish")


def replace_token(*, operator: Operator, actor: str, now: dt.datetime) -> str:
    """Give an operator another token; the old one ends at once."""
    token = secrets.token_urlsafe(32)
    with transaction.atomic():
        operator.token_hash = token_digest(token)
        operator.save(update_fields=["token_hash"])
        journal.record(act="publish.token_replaced", actor=actor, subject=f"operator:{operator.slug}", now=now)
        transaction.on_commit(lambda: write_access(now=now))
    return token


def stop_operator(*, operator: Operator, actor: str, now: dt.datetime) -> None:
    """End an operator's access. Its receipts stay."""
    with transaction.atomic():
        operator.active, operator.due = False, True
        operator.save(update_fields=["active", "due"])
        Following.objects.filter(operator=operator, left_at=None).update(left_at=now)
        _wake_publisher()
        journal.record(act="publish.operator_stopped", actor=actor, subject=f"operator:{operator.slug}", now=now)
        transaction.on_commit(lambda: write_access(now=now))


def write_access(*, now: dt.datetime) -> None:
    """Bring the file by which the pushing process lets operators in up to date (see `proof.access`).

    Done when an operator changes, and by the publisher at every round: a kill in between is mended within seconds.
    """
    path = Path(settings.DATA) / FILE_NAME
    sessions = queries.sessions_by_operator(now=now)
    wanted = encode_access(
        [
            Access(
                each.slug,
                each.repository,
                (Credential(CredentialKind.TOKEN, each.token_hash),),
                tuple(sessions.get(each.pk, ())),
            )
            for each in queries.active_operators()
        ]
    )
    with contextlib.suppress(FileNotFoundError):
        if path.read_bytes() == wanted:
            return
    folder.write_whole(path, wanted, mode=0o600)


# -- receipts ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Recorded:
    """`new` is False when the same receipt was there already."""

    receipt: Receipt
    new: bool

    @property
    def standing(self) -> ReceiptStanding:
        return ReceiptStanding(self.receipt.standing)


def record_receipt(*, operator: Operator, receipt: GivenReceipt, now: dt.datetime) -> Recorded:
    """Keep an operator's receipt, with our answer to it. The same one twice is one."""
    # An edition that is signed and not yet marked may already be in force, so `published_at` is not asked for.
    edition = Edition.objects.filter(session=receipt.session, sequence=receipt.sequence).first()
    standing = rules.receipt_standing(
        digest=receipt.digest,
        published_digest=edition.digest if edition else None,
        all_targets_ok=all(target.ok for target in receipt.targets),
    )
    row, new = Receipt.objects.get_or_create(
        operator=operator,
        body_sha256=receipt.sha256,
        defaults={
            "stream_id": edition.stream_id if edition else None,
            "session": receipt.session,
            "sequence": receipt.sequence,
            "digest": receipt.digest,
            "applied_at": receipt.applied,
            "received_at": now,
            "targets": receipt.as_json()["targets"],
            "standing": standing,
        },
    )
    if new and standing is ReceiptStanding.DRIFT:
        log.warning("operator %s holds another set than edition %s", operator.slug, receipt.sequence)
    return Recorded(row, new)
