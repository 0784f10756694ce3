"""A program that runs two publishers and kills the one at work: once at every kind of checkpoint. The other takes over.

Called by test_standby with the data folder and DATABASE_URL. Both are `run_publisher`, in processes of their own that
end without a word (`os._exit`) where they are told; a new one then waits beside the one that took over. After each
kill, and when all is published again, what every operator sees is held against itself, and an operator's verifier that
has followed from the first edition on takes it. Prints what happened as JSON.
"""

import datetime as dt
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "rahdari.settings.test"
django.setup()

from django.db import connection, connections  # noqa: E402

from rahdari.ops import loops  # noqa: E402
from rahdari.publish import queries  # noqa: E402
from rahdari.publish.models import Operator  # noqa: E402
from rahdari.web.metrics_access import name_of_loop  # noqa: E402
from tests.builders.publishing import Follower  # noqa: E402
from tests.publish.crash_driver_points import CHECKPOINTS  # noqa: E402
from tests.publish.crash_world import begin, change, look  # noqa: E402
from tests.waiting import until  # noqa: E402

KILLED = 9
AT_WORK, WAITING = name_of_loop("publisher"), f"{name_of_loop('publisher')}, waiting"


class Publishers:
    """Two of them, always."""

    def __init__(self, folder: Path) -> None:
        self.time, self.end_at, self.log = folder / "time", folder / "end-at", folder / "publishers.log"
        self.end_at.write_text("")
        self.processes: set[int] = set()

    def start(self) -> None:
        connections.close_all()
        child = os.fork()
        if child:
            self.processes.add(child)
            return
        try:
            log = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            os.dup2(log, 1)
            os.dup2(log, 2)
            self._publish()
        finally:
            os._exit(1)

    def _publish(self) -> None:
        publishers, one_at_a_time = self, threading.Lock()

        class AtTheTimeTold(loops.PublisherRound):
            def __call__(self, now: dt.datetime) -> None:
                super().__call__(dt.datetime.fromisoformat(publishers.time.read_text()))

            unasked = __call__

        def end(at: str) -> None:
            with one_at_a_time:
                if self.end_at.read_text() == at:
                    self.end_at.write_text("")
                    os._exit(KILLED)

        loops.PublisherRound, loops.PUBLISHER_BEAT = AtTheTimeTold, 0.05  # type: ignore[misc]
        loops.run_publisher(end)

    def one_died(self) -> bool:
        child, status = os.waitpid(-1, os.WNOHANG)
        if child == 0:
            return False
        if os.waitstatus_to_exitcode(status) != KILLED:
            raise SystemExit(f"a publisher ended with {status}: {self.log.read_text()[-3000:]}")
        self.processes.remove(child)
        return True

    def have_done_all(self) -> bool:
        waits = queries.something_to_cut(now=dt.datetime.fromisoformat(self.time.read_text()))
        return not (waits or waits.unpublished or waits.beside)

    def stop(self) -> None:
        for child in self.processes:
            with suppress(ProcessLookupError):
                os.kill(child, 9)
            os.waitpid(child, 0)


def names() -> list[str]:
    """The publishers that the database knows."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT application_name FROM pg_stat_activity WHERE application_name LIKE %s"
            " AND datname = current_database() ORDER BY 1",
            [f"{AT_WORK}%"],
        )
        return [name for (name,) in cursor.fetchall()]


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """By a process of its own: this one is forked, and must have one thread."""
    command = [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        port = server.stdout.readline().split(" port ")[1].split()[0]
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.kill()


def main(data: Path) -> None:
    repository = begin(data)
    publishers = Publishers(data)
    killed_at, looks, number = set[str](), list[dict[str, list[object]]](), 0
    publishers.time.write_text(change(number).isoformat())
    publishers.start()
    publishers.start()
    root = (repository.metadata / "1.root.json").read_bytes()
    with served(repository.path) as url:
        until(publishers.have_done_all, publishers.log)
        agent = Follower(url, Operator.objects.get(slug="gateway"), data / "agent", root)
        wanted = ""

        def one_died() -> bool:
            if not publishers.one_died():
                return False
            killed_at.add(wanted)
            # The one that waited goes on with what was left.
            look_and_sync()
            until(publishers.have_done_all, publishers.log)
            publishers.start()
            return True

        def look_and_sync() -> None:
            looks.append(look(repository))
            agent.sync()

        def two_are_there() -> bool:
            # One may have died at the very end of what it had to do.
            one_died()
            return names() == [AT_WORK, WAITING]

        try:
            for wanted in CHECKPOINTS:
                for _ in range(16):
                    until(two_are_there, publishers.log)
                    if wanted in killed_at:
                        break
                    number += 1
                    publishers.end_at.write_text(wanted)
                    publishers.time.write_text(change(number).isoformat())
                    until(lambda: one_died() or publishers.have_done_all(), publishers.log)
                    look_and_sync()
                    publishers.end_at.write_text("")
                else:
                    raise SystemExit(f"no run passed {wanted}")
        finally:
            publishers.stop()
    print(json.dumps({"killed_at": sorted(killed_at), "runs": number, "looks": looks, "has": len(agent.entries)}))


main(Path(sys.argv[1]))
