"""From committed changes to signed files, so that a kill at any point loses nothing and doubles nothing.

    1  cut        one transaction: the changes that wait, an edition of each stream that they concern, its delta, and
                  what is signed of it, with its versions
    2  write      the deltas: files with names of their own, never changed
    3  sign       the roles of these streams are written, then the repositories that lead to them; with an operator's
                  timestamp it is published to that operator
    4  mark       one transaction: published_at, what is named no more, and the wake-up of whoever waits for it
    5  beside     streams that are new, snapshots, wide merged deltas, operators that come or change: going on with 1 to
                  4 meanwhile

After a kill, 2 to 4 are done again for every edition that is not marked, before anything new is cut. 2 finds its files
or writes the same bytes again; 3 signs higher versions of the same statements; 4 was not done; 5 stands in the database
until it is done.
"""

import datetime as dt
import functools
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from django.db import connection, transaction

from rahdari.db.wake import Channel, wake

from . import cutting, files, queries, rules, signing, streams
from .envelope import FeedUnusable, Repository
from .folder import Checkpoint, no_checkpoint
from .models import Delegation, Edition, File, Operator, Stream

log = logging.getLogger("rahdari.publish")
# The connection on which this process has held the whole folder against the database.
_compared: dict[str, object] = {}


class DatabaseBehindFeed(Exception):
    """The database knows less than was published: it was restored from an older day, or it is another one.

    `.on_disk` is what is published to `.operator`, `.in_database` the last edition the database knows (None: none).
    Nothing is signed, since agents would have to go back.
    """

    def __init__(self, operator: str, on_disk: tuple[str, int], in_database: tuple[str, int] | None) -> None:
        knows = f"goes to edition {in_database[1]} of session {in_database[0][:8]}" if in_database else "has none of it"
        super().__init__(
            f"the database is older than the feed. To {operator} edition {on_disk[1]} of session {on_disk[0][:8]} was "
            f"published, and the database {knows}. What was published stays in force and fresh"
        )
        self.operator, self.on_disk, self.in_database = operator, on_disk, in_database


# -- cutting and publishing ----------------------------------------------------------------------------------------


def cut(*, repository: Repository, now: dt.datetime, checkpoint: Checkpoint = no_checkpoint) -> list[Edition]:
    """Cut what waits. Raises DatabaseBehindFeed, and then nothing was cut."""
    return cutting.cut(now=now, checkpoint=checkpoint, guard=functools.partial(_stands, repository))


def cut_and_publish(
    *, repository: Repository, now: dt.datetime, waits: cutting.Waiting, checkpoint: Checkpoint
) -> int | None:
    """All four steps for what waits; return how many editions were published, and None when nothing was cut. What
    cannot be named yet waits.

    What is signed is noted in the transaction that cuts. Raises DatabaseBehindFeed, and then nothing was cut.
    """
    stands: list[signing.Standing] = []
    step = _Step([])

    def guard(concerned: Sequence[Stream]) -> None:
        stands.append(_stands(repository, concerned))

    def sign(made: cutting.Cut) -> None:
        # Streams that were opened are followed by nobody yet.
        step.take(repository, made, stands[0] if stands else signing.Standing([], {}), now, fresh=True)

    made = cutting.cut(now=now, checkpoint=checkpoint, guard=guard, waits=waits, beside=sign)
    return step.finish(repository, now, checkpoint) if made else None


def publish(*, repository: Repository, now: dt.datetime, checkpoint: Checkpoint) -> int:
    """Steps 2 to 4 for every edition that is not marked; return how many were. What cannot be named yet waits."""
    waiting = list(queries.editions_to_publish().select_related("stream", "session"))
    if not waiting:
        return 0
    step = _Step([])
    with transaction.atomic():
        stands = signing.standing(concerned={edition.stream for edition in waiting})
        step.take(repository, cutting.Cut(waiting, _deltas_of(waiting)), stands, now)
    return step.finish(repository, now, checkpoint)


def _stands(repository: Repository, concerned: Sequence[Stream]) -> signing.Standing:
    """How those stand who are led to these streams. Raises DatabaseBehindFeed."""
    stands = signing.standing(concerned=concerned)
    check_not_behind(repository, stands.operators, known=stands.known)
    return stands


@dataclass
class _Step:
    """Editions on their way: signed and noted, in the transaction in which they are cut if they are new (`take`); then
    written and marked (`finish`)."""

    editions: Sequence[Edition]
    deltas: Sequence[File] = ()
    signed: signing.Signed = field(default_factory=signing.Signed)
    # Those that are published with it.
    ready: Sequence[Edition] = ()

    def take(
        self,
        repository: Repository,
        made: cutting.Cut,
        stands: signing.Standing,
        now: dt.datetime,
        *,
        fresh: bool = False,
    ) -> None:
        self.editions, self.deltas = made
        self.signed = signing.prepare(
            repository=repository,
            concerned=[edition.stream for edition in made.editions],
            now=now,
            stands=stands,
            fresh=made.editions if fresh else (),
            at_hand=made.files,
        )
        # A session that has no snapshot yet would lead agents nowhere.
        waiting = stands.streams.keys() - {stream.pk for stream in self.signed.streams}
        self.ready = [edition for edition in made.editions if edition.stream_id not in waiting]
        files.order_snapshots(of=[edition.stream for edition in made.editions if edition not in self.ready], now=now)

    def finish(self, repository: Repository, now: dt.datetime, checkpoint: Checkpoint) -> int:
        write = functools.partial(files.write_kept, repository=repository, checkpoint=checkpoint)
        deltas = [functools.partial(write, file=file) for file in self.deltas]
        if not self.ready:
            signing.side_by_side(deltas)
            return 0
        self.signed.write(checkpoint, beside=deltas)
        checkpoint("signed")
        with transaction.atomic():
            _mark(self.ready, now)
            _drop(self.signed.streams, self.signed.named, now)
            wake(Channel.PUBLISHED)
            checkpoint("mark: before commit")
        checkpoint("mark: committed")
        files.order_snapshots(of=[edition.stream for edition in self.ready], now=now)
        return len(self.ready)


def _deltas_of(editions: Sequence[Edition]) -> list[File]:
    ends = {(edition.session_id, edition.sequence) for edition in editions}
    found = File.objects.filter(
        session__in={session for session, _ in ends},
        to_sequence__in={sequence for _, sequence in ends},
        width__gt=0,
        dropped_at=None,
    ).exclude(sha256="")
    return [file for file in found if (file.session_id, file.to_sequence) in ends]


def _mark(editions: Sequence[Edition], now: dt.datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE publish_edition SET published_at = %s WHERE id = ANY(%s) AND published_at IS NULL",
            [now, [edition.pk for edition in editions]],
        )


_DROP = """
UPDATE publish_file f SET dropped_at = %s
  FROM publish_session s
 WHERE s.id = f.session_id AND s.stream_id = ANY(%s) AND f.dropped_at IS NULL
   AND CASE WHEN f.sha256 = '' THEN s.closed_at IS NOT NULL ELSE f.id <> ALL(%s) END
"""


def _drop(signed: Sequence[Stream], named: Sequence[int], now: dt.datetime) -> None:
    """What the metadata of these streams name no more; with it what was never written of a session that is over."""
    if signed:
        with connection.cursor() as cursor:
            cursor.execute(_DROP, [now, [stream.pk for stream in signed], list(named)])


# -- beside --------------------------------------------------------------------------------------------------------


def resume(
    *,
    repository: Repository,
    now: dt.datetime,
    meanwhile: Callable[[], None],
    admit: Callable[[], None],
    checkpoint: Checkpoint,
) -> bool:
    """One step of what is done beside publishing; whether there was one.

    Streams that are new are filled, one file that is to be written is, operators that came or changed are led to their
    streams. `meanwhile` is called every so often, and may publish what came; `admit` before anybody is led to files of
    a session that they could not fetch before.
    """
    if streams.present().exclude(filled_to=None).exists():
        opened = streams.fill(now=now, meanwhile=meanwhile)
        checkpoint("filled")
        return bool(opened)
    for operator in Operator.objects.filter(active=False, due=True):
        repository.of(operator.repository).erase()
        Operator.objects.filter(pk=operator.pk).update(due=False)
    for operator in _coming():
        files.order_snapshots(of=list(streams.of_rights(operator)), now=now)
    take_in = functools.partial(_take_in, repository=repository, now=now, admit=admit, checkpoint=checkpoint)
    # First those for whom all is there; and while a snapshot is written, which takes minutes in a large register.
    if take_in():
        return True

    def publish_and_take_in() -> None:
        meanwhile()
        take_in()

    written = files.write_next(repository=repository, meanwhile=publish_and_take_in, checkpoint=checkpoint)
    if written is not None:
        if written.width == 0:
            # Nothing leads into a session before its first snapshot is there.
            admit()
            _name_if_first(repository, written, now, checkpoint)
        return True
    return False


def _coming() -> list[Operator]:
    return list(Operator.objects.filter(active=True, due=True))


def _take_in(*, repository: Repository, now: dt.datetime, admit: Callable[[], None], checkpoint: Checkpoint) -> bool:
    """Lead operators that came or changed to the streams of their rights where these are there; whether one moved."""
    coming = [operator for operator in _coming() if streams.can_be_named(list(streams.of_rights(operator)))]
    if not coming:
        return False
    moved = streams.join(now=now)
    admit()
    checkpoint("joined")
    return _sign_coming(repository, coming, now, checkpoint) or moved


def _name_if_first(repository: Repository, snapshot: File, now: dt.datetime, checkpoint: Checkpoint) -> None:
    """A snapshot is named from the next signature on; but at once where agents could not begin without it."""
    stream = snapshot.session.stream
    others = File.objects.filter(session=snapshot.session, width=0, dropped_at=None).exclude(sha256="")
    led = stream.signed_edition is not None and stream.signed_edition.session_id == snapshot.session_id
    # Operators may have moved on while it was written, and the stream gone with the last of them.
    if led and streams.present().filter(pk=stream.pk).exists() and not others.exclude(pk=snapshot.pk).exists():
        named = signing.sign(repository=repository, concerned=[stream], now=now, checkpoint=checkpoint)
        _drop([stream], named, now)


def _sign_coming(repository: Repository, coming: Sequence[Operator], now: dt.datetime, checkpoint: Checkpoint) -> bool:
    """Sign the repositories of operators that came or changed, once they follow the streams of their rights."""
    led = [
        operator
        for operator in coming
        if set(streams.followed_by(operator).values_list("pk", flat=True))
        == set(streams.of_rights(operator).values_list("pk", flat=True))
        and streams.can_be_named(list(streams.of_rights(operator)))
    ]
    if not led:
        return False
    theirs = list(Stream.objects.filter(followings__operator__in=led, followings__left_at=None).distinct())
    fresh = [stream for stream in theirs if not stream.signed_version]
    named = signing.sign(repository=repository, concerned=fresh, operators=led, now=now, checkpoint=checkpoint)
    _drop(fresh, named, now)
    Operator.objects.filter(pk__in=[operator.pk for operator in led]).update(due=False)
    streams.retire_unwanted(now)
    return True


def renew_signatures(*, repository: Repository, now: dt.datetime) -> None:
    """Sign everything once more: all streams that are followed, and all repositories.

    Killed in the middle, the publisher goes on with it. Nothing is published yet: nothing is done.
    """
    with transaction.atomic():
        Stream.objects.exclude(signed_version=0).update(signed_version=0)
        Operator.objects.filter(active=True, followings__left_at=None, followings__isnull=False).update(due=True)
    coming = list(Operator.objects.filter(active=True, due=True))
    _sign_coming(repository, coming, now, no_checkpoint)


def refresh(*, repository: Repository, now: dt.datetime, checkpoint: Checkpoint = no_checkpoint) -> bool:
    """Sign again what is due: roles and snapshots when half their time is gone or something is to be named, timestamps
    every five minutes. The statements stay the same. Returns whether something was signed."""
    operators = list(
        Operator.objects.filter(active=True, followings__left_at=None, followings__isnull=False).distinct()
    )
    lost = signing.behind(repository, operators)
    well = [operator for operator in operators if operator.pk not in lost]
    followed = streams.present().filter(followings__operator__in=well, followings__left_at=None, signed_version__gt=0)
    streams_due = [
        stream
        for stream in followed.distinct()
        if stream.unnamed or stream.signed_expires_at is None or stream.signed_expires_at - now < rules.FEED_LASTS / 2
    ]
    if streams_due:
        named = signing.sign(repository=repository, concerned=streams_due, now=now, checkpoint=checkpoint)
        _drop(streams_due, named, now)
        files.order_snapshots(of=streams_due, now=now)
    version = repository.trusted().targets.signed.version if operators else 0
    snapshots, timestamps = [], []
    for operator in operators:
        said = signing.published(repository, operator)
        if said is None:
            continue
        if said.snapshot_expires - now < rules.SNAPSHOT_LASTS / 2 or said.targets_version != version:
            snapshots.append(operator)
        elif abs(now - said.signed_at) >= rules.TIMESTAMP_EVERY:
            timestamps.append(operator)
    sign = functools.partial(signing.sign_timestamps, repository=repository, now=now, checkpoint=checkpoint)
    sign(operators=snapshots, snapshots=True)
    sign(operators=timestamps)
    return bool(streams_due or snapshots or timestamps)


def erase_metadata(*, repository: Repository, kept: dt.timedelta) -> None:
    """Erase versions of online roles that no timestamp which still lasts can name."""
    for folder in repository.all():
        folder.erase_old(kept=kept)
    for stream in Stream.objects.exclude(signed_version=0):
        place = repository.stream(stream.folder)
        for path in place.glob(f"*.{stream.role}.json"):
            number = path.name.split(".")[0]
            if number.isdecimal() and int(number) < stream.signed_version:
                path.unlink(missing_ok=True)


# -- the folder and the database -----------------------------------------------------------------------------------


def compare(*, repository: Repository) -> None:
    """Hold all that is published against the database, once for each connection to it.

    What a power cut left torn is to be signed again. Raises DatabaseBehindFeed, FeedUnusable.
    """
    connection.ensure_connection()
    here = connection.connection
    if _compared.get(str(repository.path)) is here:
        return
    known = {operator.repository: operator for operator in Operator.objects.all()}
    for folder in repository.all():
        if folder.name not in known:
            said = folder.published()
            head = next(iter(said.stamp.heads.values()), None) if said else None
            unknown = f"an operator whom the database does not know ({folder.name})"
            raise DatabaseBehindFeed(unknown, (head.session, head.sequence) if head else ("", 0), None)
    active = [operator for operator in known.values() if operator.active]
    check_not_behind(repository, active)
    following = set(Delegation.objects.filter(left_at=None).values_list("operator", flat=True))
    torn = []
    for operator in active:
        if operator.pk in following and not operator.due:
            folder = repository.of(operator.repository)
            try:
                said = folder.published()
                if said is None:
                    raise FeedUnusable(folder.metadata / "timestamp.json", "it is not there")
                folder.check(said)
            except FeedUnusable as error:
                log.error("%s is signed again: %s", operator.slug, error)
                torn.append(operator.pk)
    Operator.objects.filter(pk__in=torn).update(due=True)
    _compared[str(repository.path)] = here


def check_not_behind(
    repository: Repository,
    operators: Iterable[Operator | signing.Led],
    *,
    known: Mapping[tuple[str, int], str] | None = None,
) -> None:
    """Raises DatabaseBehindFeed when what is published to one of these was not cut here."""
    by_number = {operator.pk: operator for operator in operators}
    for pk, (on_disk, in_database) in signing.behind(repository, by_number.values(), known=known).items():
        raise DatabaseBehindFeed(by_number[pk].slug, on_disk, in_database)
