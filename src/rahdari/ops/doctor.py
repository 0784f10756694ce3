"""`rahdari doctor`: looks at an installation, and says in plain words what is wrong and how to mend it.

Invariants: it changes nothing; each finding that is wrong ends with what to do; one broken thing does not keep the
others from being looked at. Ends with 0 when nothing is wrong (a `note` is not), else with 1.
"""

import datetime as dt
import http.client
import itertools
import json
import os
import re
import shutil
import smtplib
import socket
import stat
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from rahdari import optional
from rahdari.ops import datafolder, drop_root, held_keys, processes, tables
from rahdari.ops.checks import NOTE, OK, WRONG, Finding, Inspection
from rahdari.ops.doctor_backup import check_backup
from rahdari.ops.doctor_feed import check_feed, check_feed_keys
from rahdari.ops.doctor_files import check_files
from rahdari.ops.doctor_front import check_front
from rahdari.ops.doctor_letters import check_letters
from rahdari.ops.doctor_loops import check_loops
from rahdari.ops.doctor_policy import check_policy, check_rules_of_the_last
from rahdari.ops.doctor_queues import check_queues
from rahdari.ops.doctor_replicas import check_replicas
from rahdari.ops.doctor_settings import check_resolvers, check_settings
from rahdari.ops.doctor_standbys import check_standbys
from rahdari.ops.doctor_tables import check_constraints, check_owner
from rahdari.ops.doctor_watch import check_watch
from rahdari.ops.errors import Told

LEAST_FREE = 2 * 1024**3
OLDEST_DIRECTORY = dt.timedelta(days=180)
CLOCK_TOLERANCE = 5.0
OLDEST_POSTGRES = 150000


def check_python(patient: Inspection) -> Iterator[Finding]:
    yield Finding(OK, "Python", f"{'.'.join(map(str, sys.version_info[:3]))} at {sys.executable}")


def check_folder(patient: Inspection) -> Iterator[Finding]:
    about = "data folder"
    try:
        label = datafolder.read_label(patient.data)
    except Told as error:
        yield Finding(WRONG, about, str(error))
        return
    if label is None and has_keys(patient.data):
        yield Finding(
            WRONG,
            about,
            f"{patient.data} has keys, and no file `version`: it was brought back without it. See in docs/restore.md "
            "what belongs to a backup, bring that back too, then run: rahdari prepare",
        )
        return
    if label is None:
        yield Finding(WRONG, about, f"{patient.data} is not one yet. Start `rahdari up --data {patient.data}` once.")
        return
    if label.format > datafolder.FORMAT:
        yield Finding(WRONG, about, str(datafolder.NewerFolder(patient.data, label.written_by)))
        return
    status = patient.data.stat()
    # The group may look: where each process has a user of its own, it is theirs (docs/install.md).
    if stat.S_IMODE(status.st_mode) & 0o027:
        yield Finding(WRONG, about, f"others may look into {patient.data}. Run: chmod g-w,o= {patient.data}")
    elif os.geteuid() not in (0, status.st_uid):
        yield Finding(WRONG, about, f"{patient.data} belongs to the user {status.st_uid}; run this as that user.")
    else:
        yield Finding(OK, about, f"{patient.data} ({label.kind}, written by Rahdari {label.written_by})")


def has_keys(data: Path) -> bool:
    return (data / "keys" / "fields.key").is_file()


def check_disk(patient: Inspection) -> Iterator[Finding]:
    usage = shutil.disk_usage(patient.data)
    free = f"{usage.free / 1024**3:.1f} GiB free at {patient.data}"
    if usage.free < LEAST_FREE:
        yield Finding(WRONG, "disk", f"only {free}. Make room: PostgreSQL stops when the disk is full.")
    else:
        yield Finding(OK, "disk", free)


def check_keys(patient: Inspection) -> Iterator[Finding]:
    from rahdari.vault import keys

    folder = patient.data / "keys"
    problems = keys.problems(folder)
    signing = folder / "django.key"
    if signing.exists() and stat.S_IMODE(signing.stat().st_mode) & 0o077:
        problems.append(f"others may read {signing}. Run: chmod 600 {signing}")
    for problem in problems:
        yield Finding(WRONG, "keys", problem)
    if not problems:
        yield Finding(
            OK, "keys", f"{', '.join(keys.NAMES)} in {folder}. Is there a copy elsewhere? See docs/secrets.md."
        )


def check_apps(patient: Inspection) -> Iterator[Finding]:
    """Nothing is said when the settings will do. What follows needs our code loaded, also without a database."""
    import django
    from django.core.exceptions import ImproperlyConfigured

    try:
        django.setup()
    except ImproperlyConfigured as error:
        yield Finding(WRONG, "settings", str(error))


def check_publisher_let_in(patient: Inspection) -> Iterator[Finding]:
    """Whether the database lets in the publisher's user, where that is another than the pages'. Only root can try."""
    from rahdari.ops import start

    if not (url := patient.environment.get("DATABASE_URL")) or not drop_root.divided(patient.data):
        return
    main = drop_root.account(patient.data)
    if (users := drop_root.users(main)) is None:
        return
    try:
        start.check_publisher_is_let_in(url, drop_root.Other(main.pw_name, main.pw_uid, main.pw_gid, (users.data,)))
    except start.PublisherNotLetIn:
        return  # Nor are the pages: `database` says so.
    try:
        start.check_publisher_is_let_in(url, users.feed)
    except start.PublisherNotLetIn as error:
        yield Finding(WRONG, "database", str(error))
    else:
        yield Finding(OK, "database", f"the publisher is let in as the user {users.feed.name}")


def check_database(patient: Inspection) -> Iterator[Finding]:
    import psycopg

    url = patient.environment.get("DATABASE_URL")
    if not url:
        yield Finding(WRONG, "database", "there is none yet. Start `rahdari up`, or set DATABASE_URL.")
        return
    try:
        with psycopg.connect(url, connect_timeout=5, target_session_attrs="read-write") as connection:
            number = connection.info.server_version
            row = connection.execute("SELECT current_setting('server_encoding'), extract(epoch FROM now())").fetchone()
            available = connection.execute(
                "SELECT installed_version FROM pg_available_extensions WHERE name = 'btree_gist'"
            ).fetchone()
            lost = held_keys.lost(held_keys.noted(connection), patient.data / "keys")
    except (psycopg.Error, ValueError) as error:
        why = str(error).strip().split("\n", 1)[0]
        embedded = "/postgres/run" in url or "%2Fpostgres%2Frun" in url
        way = (
            "The embedded one runs with `rahdari up`: start that." if embedded else "Start it, or correct DATABASE_URL."
        )
        yield Finding(WRONG, "database", f"it does not answer ({why}). {way}")
        return
    version = f"PostgreSQL {number // 10000}.{number % 10000}"
    if number < OLDEST_POSTGRES:
        yield Finding(WRONG, "database", f"{version} is too old. Move to PostgreSQL 15 or later.")
        return
    encoding, database_time = row or ("", 0)
    if encoding != "UTF8":
        yield Finding(WRONG, "database", f"its encoding is {encoding}. Make it anew with ENCODING 'UTF8'.")
    if not available:
        yield Finding(WRONG, "database", "the extension btree_gist is not there. Install PostgreSQL's contrib package.")
    yield Finding(OK, "database", version)
    # Of one that is not there at all `check_keys` tells.
    for path in (patient.data / "keys" / f"{name}.key" for name in lost):
        if path.exists():
            text = f"{path} is not the key with which this database was written, or only an older one. Restore keys "
            yield Finding(WRONG, "keys", f"{text}and database of one day; docs/restore.md.")
    has_gist = available is not None and available[0] is not None
    if abs(float(database_time) - time.time()) > CLOCK_TOLERANCE:
        away = abs(float(database_time) - time.time())
        yield Finding(
            WRONG, "clock", f"the database's clock and ours differ by {away:.0f} s. Run a time service on both."
        )
    yield from check_migrations(patient, has_gist=has_gist)


def check_migrations(patient: Inspection, *, has_gist: bool) -> Iterator[Finding]:
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    connection.ensure_connection()
    try:
        tables.judge(connection.connection)
    except Told as error:
        yield Finding(WRONG, "tables", str(error))
        return
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        yield Finding(WRONG, "tables", f"{len(missing)} steps behind this release. Run: rahdari prepare")
    else:
        yield Finding(OK, "tables", "as this release wants them")
        yield from check_constraints(has_gist=has_gist)
        yield from check_owner()
        yield from check_replicas()
        yield from check_rules_of_the_last(patient)
        yield from check_loops(others_run=patient.is_running or bool(ours_at(patient)))
        yield from check_queues()
        yield from check_letters()
        yield from check_watch()
        yield from check_backup(patient)
        for check in optional.given(__package__, "check_rows"):
            yield from check()
        yield from check_operators(patient)


def check_operators(patient: Inspection) -> Iterator[Finding]:
    """What the publisher waits for, and which operators do not have what was published."""
    from django.utils import timezone

    from rahdari.publish import operator_lag
    from rahdari.publish import queries as publish

    status = publish.feed_status()
    if status.behind:
        yield Finding(
            WRONG,
            "feed",
            "more was published than the database knows: it was restored from an older day. Nothing new is signed; see "
            "docs/restore.md.",
        )
    waiting = publish.holds_waiting()
    if waiting:
        yield Finding(NOTE, "holds", f"{waiting} mass removals wait for a second officer: rahdari feed holds")
    lags = operator_lag.operators_with_lag(timezone.now())
    behind = [each for each in lags if str(each.state) in ("behind", "drift", "incomplete")]
    for each in behind:
        how = {"behind": "is behind", "drift": "holds another set", "incomplete": "could not load the set everywhere"}
        ours = str(each.state) == "behind" and feed_says(patient).endswith(UNREAD)
        mend = "The register is at fault: see `served`." if ours else "Tell its people."
        yield Finding(NOTE, "operators", f"{each.operator.slug} {how[str(each.state)]}. {mend}")
    for each in lags:
        if each.unsupported:
            text = f"{each.operator.slug} has not accepted the terms of the feed: docs/feed-operators.md."
            yield Finding(NOTE, "operators", text)
        if each.complement:
            text = f"{each.operator.slug} drops what is not listed, says its agent: docs/feed-operators.md."
            yield Finding(NOTE, "operators", text)
    silent = sum(str(each.state) == "never" for each in lags)
    if silent:
        yield Finding(NOTE, "operators", f"{silent} have not been heard from yet")
    if lags and not behind and not silent:
        # Not yet too late.
        open_ = sum(bool(each.behind) for each in lags)
        waits = f"; {open_} have yet to say that the newest edition is in force" if open_ else ""
        yield Finding(OK, "operators", f"all {len(lags)} are in sync{waits}")


def check_directory(patient: Inspection) -> Iterator[Finding]:
    path = patient.data / "directory" / "networks.csv"
    if not path.exists():
        yield Finding(OK, "directory", "the one that came with this release; `rahdari directory import` brings a newer")
        return
    age = dt.timedelta(seconds=time.time() - path.stat().st_mtime)
    if age > OLDEST_DIRECTORY:
        yield Finding(NOTE, "directory", f"imported {age.days} days ago. Networks change hands: import a newer file.")
    else:
        yield Finding(OK, "directory", f"imported {age.days} days ago")


def ports_of(patient: Inspection) -> dict[str, int]:
    return {"pages": patient.port, "feed": patient.port + 1, "lookups": patient.port + 2}


def ours_at(patient: Inspection) -> set[str]:
    """With single units nobody holds the folder: what answers there says whose it is."""
    return {what for what, port in ports_of(patient).items() if answers_as_ours(patient.host, port, what)}


def check_ports(patient: Inspection) -> Iterator[Finding]:
    ports, ours = ports_of(patient), ours_at(patient)
    running = patient.is_running
    for what, port in ports.items():
        try:
            processes.check_port(patient.host, port)
        except processes.PortTaken as error:
            if running or what in ours:
                yield Finding(OK, "ports", f"{port} answers ({what})")
            else:
                yield Finding(WRONG, "ports", str(error))
        except Told as error:
            yield Finding(WRONG, "ports", str(error))
        else:
            state, text = OK, f"{port} is free ({what})"
            if running:
                state, text = WRONG, f"nothing answers at {port} ({what}), though `rahdari up` runs. Look at its lines."
            elif ours:
                text = (
                    f"nothing answers at {port} ({what}), and others of ours run. Start it, unless it runs elsewhere."
                )
                state = NOTE
            yield Finding(state, "ports", text)


UNREAD = "of the feed cannot be read"
FEED_IS = (b"ready", b"no edition yet", UNREAD.encode())
# What only we answer, to whoever asks from this machine.
ASKED = {"pages": ("/metrics", b"rahdari_info"), "feed": ("/healthz", b""), "lookups": ("/metrics", b"rahdari_lookup_")}


def answers_as_ours(host: str, port: int, what: str) -> bool:
    path, sign = ASKED[what]
    try:
        status, body, kind = fetched(host, port, path)
    except (OSError, http.client.HTTPException):
        return False
    if what == "feed":
        return body.strip().endswith(FEED_IS) and kind.startswith("text/plain")
    return status == http.HTTPStatus.OK and sign in body


def fetched(host: str, port: int, path: str) -> tuple[int, bytes, str]:
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read(1 << 20), response.headers.get("Content-Type", "")
    finally:
        connection.close()


def feed_says(patient: Inspection) -> str:
    """What the process that serves the feed says of itself; empty when nothing of ours answers there."""
    try:
        _, body, kind = fetched(patient.host, patient.port + 1, "/healthz")
    except (OSError, http.client.HTTPException):
        return ""
    return body.decode("utf-8", "replace").strip() if kind.startswith("text/plain") else ""


def check_served(patient: Inspection) -> Iterator[Finding]:
    """Whether what serves the feed can read it: it is another user than the publisher, and this may be root."""
    said = feed_says(patient)
    if said.endswith(UNREAD):
        whose = (
            "operators do not get what is in them. Its log names them. Restart `rahdari up`, which gives them to whom "
        )
        whose += "they belong; with single units see `A user for each process` in docs/install.md."
        yield Finding(WRONG, "served", f"{said} by the process that serves it: {whose}")
    elif said == "ready":
        yield Finding(OK, "served", "what operators are to get can be read by the process that serves it")


def check_lookups(patient: Inspection) -> Iterator[Finding]:
    """Whether what answers operators' questions holds all that it is to answer from."""
    if not answers_as_ours(patient.host, patient.port + 2, "lookups"):
        return  # Nothing of ours answers there: `ports` says so.
    try:
        status, _, _ = fetched(patient.host, patient.port + 2, "/healthz")
        _, page, _ = fetched(patient.host, patient.port + 2, "/metrics")
    except (OSError, http.client.HTTPException):
        return
    troubles = re.search(rb"^rahdari_lookup_troubles (\d+)$", page, re.MULTILINE)
    if troubles and int(troubles[1]):
        text = f"{int(troubles[1])} parts of the feed cannot be read by the lookups: they answer from what they had. "
        yield Finding(WRONG, "lookups", text + "The lines of `lookup` name them; docs/alerts.md.")
    elif status == http.HTTPStatus.OK:
        yield Finding(OK, "lookups", "all entries are held")
    else:
        text = "not all entries are held, so operators are answered 503. A large register takes ten seconds to read; "
        yield Finding(NOTE, "lookups", text + "if this stays, the lines of `lookup` say why.")


def check_mail(patient: Inspection) -> Iterator[Finding]:
    if patient.is_demo:
        yield Finding(OK, "mail", f"shown in the terminal and kept in {patient.data / 'mail'}")
        return
    host = patient.environment.get("RAHDARI_SMTP_HOST", "127.0.0.1")
    port = int(patient.environment.get("RAHDARI_SMTP_PORT", "25"))
    try:
        with socket.create_connection((host, port), timeout=5) as connection:
            connection.settimeout(5)
            greeting = connection.recv(200).decode(errors="replace").strip()
    except OSError as error:
        why = error.strerror or str(error)
        yield Finding(WRONG, "mail", f"{host} port {port} does not answer ({why}). Set RAHDARI_SMTP_HOST and _PORT.")
        return
    if greeting.startswith("220"):
        if patient.environment.get("RAHDARI_SMTP_TLS") == "1" and not has_starttls(host, port):
            yield Finding(
                WRONG,
                "mail",
                f"{host} port {port} has no STARTTLS, and RAHDARI_SMTP_TLS wants it: no letter goes out. Take the "
                "server's port for submission (587 mostly), or leave RAHDARI_SMTP_TLS out on this machine alone.",
            )
        else:
            yield Finding(OK, "mail", f"{host} port {port} answers")
    else:
        yield Finding(WRONG, "mail", f"{host} port {port} is no mail server (it said {greeting[:60]!r}).")
    sender = patient.environment.get("RAHDARI_MAIL_FROM", "")
    if not sender or sender.endswith(".example"):
        why = f"is {sender}" if sender else "is not set"
        yield Finding(NOTE, "mail", f"RAHDARI_MAIL_FROM {why}: letters come from an address that does not exist.")


def has_starttls(host: str, port: int) -> bool:
    try:
        with smtplib.SMTP(host, port, timeout=5) as connection:
            connection.ehlo()
            return connection.has_extn("starttls")
    except (OSError, smtplib.SMTPException):
        return False


def check_clock(patient: Inspection) -> Iterator[Finding]:
    label = patient.data / "version"
    if label.exists() and label.stat().st_mtime > time.time() + CLOCK_TOLERANCE:
        yield Finding(WRONG, "clock", "it stands before the last start of this installation. Set it right.")
    else:
        yield Finding(OK, "clock", f"{dt.datetime.now(dt.UTC):%Y-%m-%d %H:%M:%S} UTC")


def check_judge(patient: Inspection) -> Iterator[Finding]:
    from rahdari.apply import screening

    walls = screening.walls()
    if walls:
        said = f"files of strangers are judged in a process that reaches no file and no network ({', '.join(walls)})"
        yield Finding(OK, "files", said)
    else:
        text = (
            "files of strangers are judged by a process with limits, but this kernel does not lock it in: it can read "
        )
        text += (
            "what the pages can. It wants Linux 5.13 with Landlock, or seccomp on x86_64 or aarch64; docs/doctor.md."
        )
        yield Finding(NOTE, "files", text)


def check_nft(patient: Inspection) -> Iterator[Finding]:
    path = shutil.which("nft", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if path:
        yield Finding(OK, "nftables", path)
    else:
        text = "nft is not here; only an operator's agent that fills firewall sets needs it: apt-get install nftables"
        yield Finding(NOTE, "nftables", text)


type Check = Callable[[Inspection], Iterable[Finding]]

CHECKS: tuple[Check, ...] = (
    check_python,
    check_folder,
    check_disk,
    check_clock,
    check_apps,
    check_keys,
    check_files,
    check_settings,
    check_resolvers,
    check_database,
    check_standbys,
    check_policy,
    check_feed_keys,
    check_feed,
    check_directory,
    *optional.given(__package__, "check"),
    check_ports,
    check_front,
    check_served,
    check_lookups,
    check_mail,
    check_judge,
    check_nft,
)


# Without a data folder there is nothing yet that these could look at.
NEED_A_FOLDER = (check_keys, check_files, check_database, check_feed_keys, check_feed)
# What only root sees, of all that runs as users of their own.
OF_ROOT = (check_feed_keys, check_publisher_let_in)


def examine(patient: Inspection, checks: "Sequence[Check] | None" = None) -> Iterator[Finding]:
    fresh = not (patient.data / "version").exists() and not has_keys(patient.data)
    for check in CHECKS if checks is None else checks:
        if fresh and check in NEED_A_FOLDER:
            continue
        about = check.__name__.removeprefix("check_")
        try:
            yield from check(patient)
        except Exception as error:
            yield Finding(WRONG, about, f"could not be looked at ({type(error).__name__}: {error}).")


def examine_as_root(patient: Inspection) -> Iterator[Finding]:
    """Each thing as the user whom it concerns: most as that of pages and worker, in a child that becomes it; what only
    root sees as root."""
    yield from in_a_child(patient, [check for check in CHECKS if check not in OF_ROOT])
    yield from examine(patient, OF_ROOT)


def in_a_child(patient: Inspection, checks: Sequence[Check]) -> Iterator[Finding]:
    """As the owner of the data folder, which the child becomes. Where it cannot, it looks as root, and says so."""
    reading, writing = os.pipe()
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        with open(writing, "w", encoding="utf-8") as told:
            code = 1
            try:
                for finding in itertools.chain(become_the_owner(patient), examine(patient, checks)):
                    told.write(json.dumps([finding.state, finding.about, finding.text]) + "\n")
                    told.flush()
                code = 0
            finally:
                told.close()
                os._exit(code)
    os.close(writing)
    with open(reading, encoding="utf-8") as said:
        for line in said:
            yield Finding(*json.loads(line))
    if (code := os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])) != 0:
        yield Finding(WRONG, "doctor", f"it ended before all was looked at (code {code}); the lines above say how far.")


def become_the_owner(patient: Inspection) -> Iterator[Finding]:
    try:
        user = drop_root.account(patient.data)
        groups = [users.data] if (users := drop_root.users(user)) else []
        drop_root.show([*drop_root.program_folders(), patient.data], (user.pw_uid, [user.pw_gid, *groups]))
    except drop_root.CannotLeaveRoot as error:
        yield Finding(NOTE, "doctor", f"it looks as root, who sees more than the processes do: {error.why}")
        return
    os.chdir("/")
    drop_root.become(user, groups=groups)


def run(*, host: str, port: int) -> int:
    data = Path(os.environ["RAHDARI_DATA"])
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", datafolder.SETTINGS[datafolder.REGISTER])
    wrong = 0
    patient = Inspection(data, dict(os.environ), host, port)
    is_for_another = os.geteuid() == 0 and data.stat().st_uid != 0
    for finding in (examine_as_root if is_for_another else examine)(patient):
        print(f"{finding.state:<6} {finding.about:<12} {finding.text}", flush=True)
        wrong += finding.state == WRONG
    if wrong:
        print(f"\n{wrong} of these {'is' if wrong == 1 else 'are'} wrong.")
    return 1 if wrong else 0
