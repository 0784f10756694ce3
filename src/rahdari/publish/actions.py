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
from django.db import transaction

from rahdari.journal import actions as journal
from rahdari.proof import Access, token_digest
from rahdari.proof import Receipt as GivenReceipt
from rahdari.proof.access import FILE_NAME, encode_access

from . import editions, folder, queries, rules
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
from .editions import DatabaseBehindFeed, FileDiffers
from .envelope import FeedUnusable, NoKeys, Repository
from .folder import Checkpoint, no_checkpoint
from .keys import KeySet, KeysExist, KeyUnusable, ThresholdUnusable
from .models import Edition, Operator, Receipt
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


def cut_edition(*, now: dt.datetime, checkpoint: Checkpoint = no_checkpoint) -> Edition | None:
    """Cut the next edition from the changes that wait; None when none do. Raises DatabaseBehindFeed."""
    editions.check_not_behind(_repository())
    return editions.cut(now=now, checkpoint=checkpoint)


def publish_editions(*, now: dt.datetime, checkpoint: Checkpoint = no_checkpoint) -> int:
    """Publish what is cut, then cut and publish until nothing waits; return how many editions were published.

    Without keys nothing is done, and all changes wait. Raises DatabaseBehindFeed, FeedUnusable, KeyUnusable.
    """
    repository = _repository()
    with folder.only_writer(repository.path):
        write_access()
        try:
            repository.ensure()
        except NoKeys as error:
            log.debug("nothing is published: no keys in %s", error.path)
            return 0
        editions.check_not_behind(repository)
        started, count = time.monotonic(), 0

        def publish_waiting(at_most: int, now: dt.datetime) -> None:
            nonlocal count
            cut = list(queries.editions_to_publish())
            for _ in range(at_most):
                if not cut and queries.something_to_cut():
                    edition = editions.cut(now=now, checkpoint=checkpoint)
                    cut = [edition] if edition is not None else []
                if not cut:
                    return
                editions.publish(repository=repository, editions=cut, now=now, checkpoint=checkpoint)
                count += len(cut)
                cut = []

        def publish_meanwhile() -> None:
            # A snapshot may take a minute, and what is published meanwhile shall say when.
            publish_waiting(1, now + dt.timedelta(seconds=time.monotonic() - started))

        while True:
            # Not all of a long backlog at once: the more editions without a snapshot, the more deltas are named.
            publish_waiting(rules.LIVE_DELTAS - rules.SNAPSHOT_EVERY, now)
            editions.publish_due_snapshot(
                repository=repository, now=now, meanwhile=publish_meanwhile, checkpoint=checkpoint
            )
            if not queries.something_to_cut():
                return count


def refresh_timestamp(*, now: dt.datetime) -> bool:
    """Sign again what is due (the timestamp every five minutes), and erase what nobody needs any more.

    The statement stays the same: this works from what is published, and also while the database is behind it.
    Returns whether something was signed. Raises FeedUnusable, KeyUnusable.
    """
    repository = _repository()
    if not queries.feed_keys_exist():
        return False
    with folder.only_writer(repository.path):
        published = repository.published() if repository.metadata.exists() else None
        if published is None:
            return False
        half_gone = (
            published.expires["feed"] - now < rules.FEED_LASTS / 2
            or published.expires["snapshot"] - now < rules.SNAPSHOT_LASTS / 2
        )
        if half_gone or repository.newest("targets") != published.offline_targets_version:
            repository.sign(
                head=published.head,
                targets=published.targets,
                versions=editions.reserve_versions(repository),
                now=now,
            )
        elif abs(now - published.signed_at) >= rules.TIMESTAMP_EVERY:
            version = editions.reserve_timestamp_version(repository)
            repository.sign_timestamp(head=published.head, version=version, now=now)
        else:
            return False
        _erase_unreferenced(repository, now)
    return True


def _erase_unreferenced(repository: Repository, now: dt.datetime) -> None:
    for edition in queries.editions_to_erase(unreferenced_since=now - rules.KEPT_UNREFERENCED):
        # The files first: killed in between, they are found gone the next time.
        # By name without the hash, so that a snapshot is found too that was placed and, for a kill, never noted.
        for path in filter(None, (edition.delta_path, edition.snapshot_path)):
            parent, _, name = path.rpartition("/")
            for place in (repository.targets / parent).glob(f"*.{name}"):
                place.unlink(missing_ok=True)
        Edition.objects.filter(pk=edition.pk).update(erased_at=now, delta=b"")
    repository.erase_old_metadata(kept=KEPT_METADATA)
    # Nobody else writes here: what is unfinished was left by a process that was killed.
    for left in repository.path.rglob(f".*{folder.UNFINISHED}"):
        left.unlink(missing_ok=True)


# -- operators ---------------------------------------------------------------------------------------------------


def create_operator(
    *,
    slug: str,
    name: str,
    asns: Sequence[int],
    now: dt.datetime,
    name_ur: str = "",
    actor: str = "system:operator-add",
) -> str:
    """Add an operator; return its token, which is shown this once. Raises OperatorExists, SlugUnusable."""
    if not _SLUG.fullmatch(slug):
        raise SlugUnusable(slug)
    token = secrets.token_urlsafe(32)
    with transaction.atomic():
        operator, created = Operator.objects.get_or_create(
            slug=slug,
            defaults={
                "name_en": name,
                "name_ur": name_ur,
                "asns": list(asns),
                "token_hash": token_digest(token),
                "created_at": now,
            },
        )
        if not created:
            raise OperatorExists(slug)
        journal.record(act="publish.operator_added", actor=actor, subject=f"operator:{operator.slug}", now=now)
        transaction.on_commit(write_access)
    return token


def replace_token(*, operator: Operator, actor: str, now: dt.datetime) -> str:
    """Give an operator another token; the old one ends at once."""
    token = secrets.token_urlsafe(32)
    with transaction.atomic():
        operator.token_hash = token_digest(token)
        operator.save(update_fields=["token_hash"])
        journal.record(act="publish.token_replaced", actor=actor, subject=f"operator:{operator.slug}", now=now)
        transaction.on_commit(write_access)
    return token


def stop_operator(*, operator: Operator, actor: str, now: dt.datetime) -> None:
    """End an operator's access. Its receipts stay."""
    with transaction.atomic():
        operator.active = False
        operator.save(update_fields=["active"])
        journal.record(act="publish.operator_stopped", actor=actor, subject=f"operator:{operator.slug}", now=now)
        transaction.on_commit(write_access)


def write_access() -> None:
    """Bring the file by which the pushing process lets operators in up to date (see `proof.access`).

    Done when an operator changes, and by the publisher at every round: a kill in between is mended within seconds.
    """
    path = Path(settings.DATA) / FILE_NAME
    wanted = encode_access([Access(each.slug, each.token_hash) for each in queries.active_operators()])
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
    edition = Edition.objects.defer("delta").filter(pk=receipt.sequence, session=receipt.session).first()
    standing = rules.receipt_standing(
        digest=receipt.digest,
        published_digest=edition.digest_after if edition else None,
        all_targets_ok=all(target.ok for target in receipt.targets),
    )
    row, new = Receipt.objects.get_or_create(
        operator=operator,
        body_sha256=receipt.sha256,
        defaults={
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
