"""The part of the doctor that looks at the replicas of the database which pages are read from."""

from collections.abc import Iterator

from rahdari.ops.checks import NOTE, OK, WRONG, Finding

KNOWS = "SELECT pg_is_in_recovery(), (SELECT system_identifier FROM pg_control_system())"
BEHIND = """
SELECT EXISTS (SELECT FROM pg_stat_wal_receiver), (%s::pg_lsn - pg_last_wal_replay_lsn())::bigint,
       coalesce(extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()), 0)::int
"""
# What is written while the doctor looks.
SOME = 1024**2


def check_replicas() -> Iterator[Finding]:
    """How far behind the primary each of them lies."""
    from django.db import Error, connection

    from rahdari.db import replicas

    for replica in replicas.replicas():
        about = f"{replica.name} of RAHDARI_DATABASE_REPLICAS"
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_current_wal_flush_lsn()::text, (SELECT system_identifier FROM pg_control_system())"
            )
            written, ours = cursor.fetchone()
        try:
            with replica.connection.cursor() as cursor:
                cursor.execute(KNOWS)
                follows_some, whose = cursor.fetchone()
                if follows_some and whose == ours:
                    cursor.execute(BEHIND, [written])
                    follows, bytes, seconds = cursor.fetchone()
        except Error as error:
            why = str(error).strip().split("\n", 1)[0]
            yield Finding(WRONG, "replicas", f"{about} does not answer ({why}). Start it, or take it out.")
            continue
        finally:
            replica.close()
        if whose != ours:
            text = f"{about} is of another database, and would be read all the same. Take it out."
            yield Finding(WRONG, "replicas", text)
        elif not follows_some:
            yield Finding(NOTE, "replicas", f"{about} is a primary, and is not read. Name the replicas alone.")
        elif not follows:
            text = f"{about} follows nobody, and is not read. Its log says why; look at primary_conninfo."
            yield Finding(WRONG, "replicas", text)
        elif bytes > SOME:
            said = f"{about} lies {bytes // SOME} MiB behind, its last transaction is {seconds} s old"
            yield Finding(NOTE, "replicas", f"{said}: what it lacks is read from the primary. docs/several-machines.md")
        else:
            yield Finding(OK, "replicas", f"{about} has what the primary has")
