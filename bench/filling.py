"""A register of any size, filled by SQL and then published by the product itself.

What `register.enter` keeps, this keeps too: a registration with a reference for every eight entries, an entry with its
change, the change's place among those that wait (by the product's own trigger), one row in the journal. Only the way is
another: rows are made in the database, and indexes and constraints are built over all of them at the end, where they
are held against every row. The publisher then cuts and signs as it does for one.

Entry n has the address `host(n)` of `bench.peers`, or for other contents one of `ADDRESS`. A filled register is kept in
the work folder, and goes on from there the next time.
"""

import datetime as dt
import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench import place

# By what stands in the register: an expression of `n`, and how many there can be.
ADDRESS = {
    "hosts": ("set_masklen(inet '10.0.0.0' + ((n * 4241473 + 77777) % 16777216), 32)", 1 << 24),
    "prefixes": ("set_masklen(inet '10.0.0.0' + 16 * ((n * 262147 + 777) % 1048576), 28)", 1 << 20),
    "v6": ("set_masklen(inet '2001:db8::' + ((n * 4241473 + 77777) % 4294967296), 128)", 1 << 32),
}
NETWORKS = 30  # entry n belongs to network FIRST_NETWORK + n % NETWORKS
FIRST_NETWORK = 64500
IN_A_REGISTRATION = 8
# From here on indexes are built at the end.
LARGE = 100_000
# Of more than that the publisher is not left to cut ten thousand at a time.
VERY_LARGE = 1_000_000
# Grants are entered behind all that can be filled; of prefixes there are fewer.
GRANTS_FROM = {"hosts": 12_000_000, "v6": 12_000_000, "prefixes": 1_000_000}
FILLED, GRANTED = "vpn_company", "vpn_freelancer"
GATEWAY = "bench-gateway"
TABLES = ("register_registration", "register_entry", "register_change", "publish_pendingchange")


def address_of(number: int, what: str = "hosts") -> str:
    """The same in Python."""
    import ipaddress

    if what == "hosts":
        return f"{ipaddress.IPv4Address((10 << 24) + (number * 4241473 + 77777) % (1 << 24))}/32"
    if what == "prefixes":
        return f"{ipaddress.IPv4Address((10 << 24) + 16 * ((number * 262147 + 777) % (1 << 20)))}/28"
    return f"{ipaddress.IPv6Address('2001:db8::') + (number * 4241473 + 77777) % (1 << 32)}/128"


def folder_of(size: int, what: str) -> Path:
    """Where it is kept: apart for each state of the feed's format. `rahdari up` brings its tables up to date."""
    hasher = hashlib.sha256()
    for path in sorted((place.ROOT / "src" / "rahdari" / "feed").glob("*.py")):
        hasher.update(path.read_bytes())
    return place.WORK / "filled" / f"{what}-{size}-{hasher.hexdigest()[:10]}"


@contextmanager
def register(size: int, what: str = "hosts") -> Iterator[Any]:
    """A running register (`tests.journeys.stack`) with at least so many entries, published. Django is set up on it."""
    from rahdari.ops import postgres
    from tests.journeys import stack as stacks

    if size > GRANTS_FROM[what]:
        raise SystemExit(f"At most {GRANTS_FROM[what]} {what} can be filled in.")
    data = folder_of(size, what)
    if data.exists() and not (data / "filled.json").exists():
        place.say(f"removing {data}, which was not filled to its end")
        shutil.rmtree(data)
    data.parent.mkdir(parents=True, exist_ok=True)
    for left in data.parent.glob(f"{what}-{size}-*"):
        if left != data:
            # Of another state of the format.
            shutil.rmtree(left, ignore_errors=True)
    fresh = not data.exists()
    stack = stacks.start(data, stacks.free_port(), word="up", settings="rahdari.settings.demo")
    place.watch(stack.process.pid)
    try:
        # Filling takes indexes off and empties what waits: only the owner of the tables may.
        os.environ.update(stack.environment() | {"DATABASE_URL": str(postgres.known_url(data, role=postgres.OWNER))})
        import django

        django.setup()
        if fresh:
            made = stack.command("feed", "keys", "--offline", str(data / "offline"))
            if made.returncode:
                raise RuntimeError(made.stdout + made.stderr)
            fill(size, what)
            (data / "filled.json").write_text(json.dumps({"entries": size, "what": what}))
        else:
            _retire_operators()
        settle()
        yield stack
    finally:
        _close_connections()
        stacks.stop(stack)
        place.forget(stack.process.pid)


def fill(size: int, what: str, *, start: int = 0, quietly: bool = False) -> dict[str, float]:
    """Entries `start` to `start + size`, published when it returns; the seconds of both halves."""
    from django.db import connection, transaction
    from django.utils import timezone

    from rahdari.journal.models import JournalEntry
    from rahdari.publish import actions as publishing
    from rahdari.publish import queries as published

    now = timezone.now().replace(microsecond=0)
    if published.operator_by_slug(GATEWAY) is None:
        # Somebody must follow, or there are no files.
        publishing.create_operator(slug=GATEWAY, name="Sample Gateway", asns=[], gateway=True, now=now)
    told = (lambda text: None) if quietly else place.say
    told(f"filling the register with {size} entries ({what})")
    began = time.monotonic()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL maintenance_work_mem = '1GB'")
        cursor.execute("SET LOCAL synchronous_commit = on")
        rebuilt = take_indexes(cursor, *TABLES[:3]) if size >= LARGE else []
        _registrations(cursor, size, start, now)
        _entries(cursor, size, start, what, now)
        for statement in rebuilt:
            cursor.execute(statement)
        # No act of the product's.
        JournalEntry.objects.create(
            act="bench.loaded", actor="system:bench", subject="register:all", at=now, detail={"entries": size}
        )
        cursor.execute("NOTIFY rahdari_publish")
    if size >= LARGE:
        with connection.cursor() as cursor:
            for table in TABLES:
                cursor.execute(f"ANALYZE {table}")
    filled = time.monotonic() - began
    told(f"filled in {filled:.0f} s; the publisher goes to work")
    began = time.monotonic()
    if size > VERY_LARGE:
        list_at_once()
    settle()
    return {"fill s": filled, "publish s": time.monotonic() - began}


def registrations(count: int) -> None:
    """So many of one entry each, of which nobody is told: for what is measured without a feed."""
    from django.db import connection, transaction
    from django.utils import timezone

    now = timezone.now().replace(microsecond=0)
    place.say(f"filling the register with {count} registrations")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL maintenance_work_mem = '512MB'")
        rebuilt = take_indexes(cursor, *TABLES[:3]) if count >= LARGE else []
        _registrations(cursor, count, 0, now, each=1)
        _entries(cursor, count, 0, "hosts", now, each=1)
        for statement in rebuilt:
            cursor.execute(statement)
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE publish_pendingchange")


def list_at_once() -> None:
    """Put all that waits into the stream of everything, and open another session with that set, as after a restore.

    What the publisher would cut in hundreds of editions, and no agent would read: the session begins with a snapshot,
    which the publisher writes and signs as ever.
    """
    from django.db import connection, transaction
    from django.utils import timezone

    from rahdari.db.locks import Lock, hold
    from rahdari.feed import SetDigest
    from rahdari.publish import rules, streams
    from rahdari.publish.models import Session

    with transaction.atomic(), connection.cursor() as cursor:
        hold(Lock.STREAMS)
        session = Session.objects.select_for_update().get(
            stream__role="feed-static", stream__everything=True, stream__retired_at=None, closed_at=None
        )
        cursor.execute("SET LOCAL maintenance_work_mem = '1GB'")
        rebuilt = take_indexes(cursor, "publish_listing")
        cursor.execute(
            "INSERT INTO publish_listing (stream_id, entry_id, change_id, from_sequence, leaving) "
            "SELECT %s, c.entry_id, c.id, %s, '' FROM publish_pendingchange w JOIN register_change c "
            "ON c.id = w.change_id ORDER BY c.id",
            [session.stream_id, session.sequence + 1],
        )
        listed = cursor.rowcount
        for statement in rebuilt:
            cursor.execute(statement)
        cursor.execute("DECLARE waiting NO SCROLL CURSOR FOR SELECT c.snapshot::text FROM publish_pendingchange w "
                       "JOIN register_change c ON c.id = w.change_id")  # fmt: skip
        digest = SetDigest(bytes(session.state))
        while True:
            cursor.execute("FETCH 20000 FROM waiting")
            if not (rows := cursor.fetchall()):
                break
            digest.add_all(rules.entry_of(json.loads(snapshot)).canonical for (snapshot,) in rows)
        cursor.execute("CLOSE waiting")
        cursor.execute("TRUNCATE publish_pendingchange")
        session.entries, session.state = session.entries + listed, digest.state
        session.save(update_fields=["entries", "state"])
        streams.open_session(stream=session.stream, sequence=session.sequence + 1, now=timezone.now())
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE publish_listing")
        cursor.execute("NOTIFY rahdari_publish")


def next_to_fill() -> int:
    """The number of the first entry that is not there; registrations are filled whole."""
    from rahdari.register.models import Registration

    return Registration.objects.filter(category=FILLED).count() * IN_A_REGISTRATION


def settle(patience: float = 1800) -> None:
    """Wait until nothing waits to be published."""
    from django.db import connection

    def quiet() -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT NOT EXISTS (SELECT 1 FROM publish_pendingchange)")
            return bool(cursor.fetchone()[0])

    place.wait_for("the publisher", quiet, patience=patience, every=0.2)


def wait_for_snapshot(size: int) -> None:
    """A register that was just filled has its first snapshot in the making. A small one has none until an hour is over:
    its deltas are less than what the publisher makes a new snapshot for."""
    from django.db import connection

    if size < LARGE:
        return

    with connection.cursor() as cursor:
        cursor.execute("NOTIFY rahdari_publish")

    def there() -> bool:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT EXISTS (SELECT 1 FROM publish_file f JOIN publish_session s ON f.session_id = s.id "
                "JOIN publish_stream t ON s.stream_id = t.id WHERE t.role = 'feed-static' AND t.everything "
                "AND s.closed_at IS NULL AND f.width = 0 AND f.sha256 <> '' AND f.dropped_at IS NULL "
                "AND f.operations >= s.entries * 0.9)"
            )
            return bool(cursor.fetchone()[0])

    try:
        place.wait_for("a snapshot", there, patience=1200, every=0.5)
    except RuntimeError:
        place.say("there is no snapshot of nearly all entries: the agent comes by deltas")


def _registrations(cursor: Any, size: int, start: int, now: dt.datetime, *, each: int = IN_A_REGISTRATION) -> None:
    from rahdari.register import reference

    count = -(-size // each)
    cursor.execute("SELECT reference FROM register_registration")
    used = {row[0] for row in cursor.fetchall()}
    cursor.execute("CREATE TEMPORARY TABLE given (n bigint, reference text) ON COMMIT DROP")
    with cursor.copy("COPY given FROM STDIN") as copy:
        for number in range(count):
            while (made := reference.make()) in used:
                pass
            used.add(made)
            copy.write_row((start // each + number, made))
    given = ("id", "reference", "holder", "category", "origin", "valid_from", "valid_until", "created_at")
    empty = _left_empty("Registration", given)
    cursor.execute(
        f"INSERT INTO register_registration ({', '.join((*given, *empty))}) "
        f"SELECT md5('registration ' || n)::uuid, reference, md5('holder ' || n)::uuid, '{FILLED}', "
        f"'application:' || md5('application ' || n)::uuid, %s, %s, %s{", ''" * len(empty)} FROM given ORDER BY n",
        [now, now + dt.timedelta(days=365), now],
    )


def _entries(cursor: Any, size: int, start: int, what: str, now: dt.datetime, *, each: int = IN_A_REGISTRATION) -> None:
    block, network = ADDRESS[what][0], f"{FIRST_NETWORK} + n % {NETWORKS}"
    # Written into the statement, not given to it: an operator % would have to be doubled.
    first, last = (f"timestamptz '{at.isoformat()}'" for at in (now, now + dt.timedelta(days=365)))
    given = ("id", "registration_id", "feed_id", "origin", "holder", "block", "protocol", "port", "asn", "asns", "kind")
    given += ("valid_from", "valid_until")
    empty = _left_empty("Entry", given)
    cursor.execute(
        f"INSERT INTO register_entry ({', '.join((*given, *empty))}) SELECT md5('entry ' || n)::uuid, "
        f"md5('registration ' || n / {each})::uuid, md5('feed ' || n), "
        f"'endpoint:' || md5('endpoint ' || n)::uuid, md5('holder ' || n / {each})::uuid, "
        f"({block})::cidr, 'udp', 51820, {network}, ARRAY[{network}], 'static', {first}, {last}{", ''" * len(empty)} "
        f"FROM generate_series({start}::bigint, {start + size - 1}::bigint) n"
    )
    cursor.execute(
        "INSERT INTO register_change (entry_id, act, at, snapshot, asns) "
        "SELECT id, 'enter', %s, jsonb_build_object('id', feed_id, 'prefix', block::text, 'protocol', protocol, "
        "'port', port, 'not_before', to_char(valid_from AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), "
        "'not_after', to_char(valid_until AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')), asns "
        "FROM register_entry JOIN generate_series(%s::bigint, %s::bigint) n ON id = md5('entry ' || n)::uuid",
        [now, start, start + size - 1],
    )


def _left_empty(model: str, given: tuple[str, ...]) -> list[str]:
    """The columns of text that the product would leave empty."""
    from django.apps import apps

    fields = apps.get_model("register", model)._meta.concrete_fields
    return [field.column for field in fields if field.column not in given and not field.null and field.blank]


def take_indexes(cursor: Any, *tables: str) -> list[str]:
    """Drop what is not a primary key; return the statements that bring it back."""
    again = []
    for table in tables:
        cursor.execute(
            "SELECT conname, pg_get_constraintdef(oid), contype FROM pg_constraint "
            "WHERE conrelid = %s::regclass AND contype IN ('u', 'x', 'f')",
            [table],
        )
        for name, definition, _ in cursor.fetchall():
            cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
            again.append(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}')
        cursor.execute(
            "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index "
            "WHERE indrelid = %s::regclass AND NOT indisprimary",
            [table],
        )
        for name, definition in cursor.fetchall():
            cursor.execute(f"DROP INDEX {name}")
            again.append(definition)
    return again


def _retire_operators() -> None:
    """Those of an earlier run that was killed would be signed for with every change."""
    from django.utils import timezone

    from rahdari.publish import actions as publishing
    from rahdari.publish import queries as published

    for operator in published.active_operators():
        if operator.slug.startswith("bench-") and operator.slug != GATEWAY:
            publishing.stop_operator(operator=operator, actor="system:bench", now=timezone.now())


def _close_connections() -> None:
    from django.db import connections

    connections.close_all()
