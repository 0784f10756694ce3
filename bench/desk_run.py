"""The run of `bench/desk`."""

import datetime as dt
import ipaddress
import os
import random
import tempfile
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bench import measure, place

OPEN = (100, 1_000, 5_000)
TARGET_MS = 100


def main(about: str | None) -> None:
    parser = measure.parser(about)
    parser.add_argument("--cases", metavar="N,N", help="so many open cases each (100,1000,5000; --quick: 5000)")
    given = parser.parse_args()
    sizes = measure.sizes(given.cases, OPEN[-1:] if given.quick else OPEN)
    conditions = measure.conditions()
    with tempfile.TemporaryDirectory(prefix="rahdari-bench-") as folder:
        data = Path(folder) / "data"
        data.mkdir(mode=0o700)
        os.environ |= {"RAHDARI_DATA": str(data), "DJANGO_SETTINGS_MODULE": "rahdari.settings.test"}
        from rahdari.ops.postgres import running_postgres

        with running_postgres(data) as url:
            os.environ["DATABASE_URL"] = url
            rows = run(sorted(sizes), 20 if given.quick else 100)
    measure.report(rows, given=given, about=conditions, experiment="desk")
    slowest = max(rows, key=lambda row: row["p50 ms"])
    print(f"slowest: {slowest['page']} at {slowest['open cases']}, {slowest['p50 ms']:.0f} ms (target: {TARGET_MS})")


def run(sizes: Sequence[int], rounds: int) -> list[dict[str, Any]]:
    import django
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection
    from django.test.utils import setup_test_environment

    django.setup()
    setup_test_environment()
    from rahdari.vault import keys

    keys.make_missing(Path(settings.DATA) / "keys")
    call_command("migrate", verbosity=0)
    call_command("collectstatic", verbosity=0, interactive=False)
    desk = Desk()
    rows = []
    for size in sizes:
        desk.fill(size)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        # Each round of a decision uses up a case that is free to take.
        rows += [desk.measured(page, ask, min(rounds, size // 4)) for page, ask in desk.pages().items()]
    return rows


class Desk:
    """An officer at a desk whose cases are copies of one."""

    def __init__(self) -> None:
        from django.test import Client
        from django.utils import timezone

        from tests.builders import cases as builders

        self.now = timezone.now()
        self.officer = builders.an_officer("Sample Officer")
        self.other = builders.an_officer("Another Sample Officer")
        self.model = builders.a_case(now=self.now - dt.timedelta(hours=1))
        self.luck = random.Random(906)
        self.open = 1
        self.client = Client()
        self.client.force_login(self.officer)

    def fill(self, size: int) -> None:
        from django.db import transaction

        from rahdari.apply.models import Application, Endpoint
        from rahdari.checks.models import Check
        from rahdari.decide import queue_columns
        from rahdari.decide.models import Case, CaseQuestion, Notice

        place.say(f"filling the desk up to {size} open cases")
        made: dict[type, list[Any]] = {kind: [] for kind in (Application, Endpoint, Check, Case, CaseQuestion, Notice)}
        application = Application.objects.get(pk=self.model.application_id)
        endpoint = application.endpoints.get()
        checks = list(Check.objects.filter(subject=application.subject))
        for number in range(self.open, size):
            received = self.now - dt.timedelta(minutes=self.luck.randrange(60 * 24 * 4))
            mine = self._copy(application, reference=f"A-2611-{number:04}-BNCH", send_token=uuid.uuid4())
            mine.name, mine.submitted_at = f"Sample Person {number}", received
            mine.about, mine.registration = "new", None
            line = self._copy(endpoint, application=mine)
            line.block = ipaddress.ip_network(int(ipaddress.ip_address("2001:db8::")) + number)
            case = self._copy(self.model, application=mine, started_at=received, opened_at=received, kept_under="")
            case.assigned_to = self.luck.choice([None, None, None, self.other, self.officer])
            made[Application].append(mine)
            made[Endpoint].append(line)
            made[Case].append(case)
            for check in checks:
                target = line.subject if check.target == endpoint.subject else check.target
                made[Check].append(self._copy(check, subject=mine.subject, target=target))
            if number % 10 == 0:
                due = self.now + dt.timedelta(days=9)
                asked = CaseQuestion(case=case, code="Q4", asked_by=self.other, asked_at=received, due_at=due)
                made[CaseQuestion].append(asked)
            elif number % 50 == 1:
                due = self.now + dt.timedelta(days=9)
                told = Notice(case=case, codes=["R3"], text="Sample", proposed_by=self.other, sent_at=received)
                told.answer_due_at, told.answered_at, told.answer = due, self.now, "Sample"
                made[Notice].append(told)
        with transaction.atomic():
            for kind, rows in made.items():
                kind.objects.bulk_create(rows, batch_size=500)  # type: ignore[attr-defined]
        while queue_columns.refresh_stale(now=self.now, at_most=500):
            pass
        self.open = size

    def _copy(self, row: Any, **changed: Any) -> Any:
        made = type(row)(**{field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields})
        made.pk = uuid.uuid4()
        for name, value in changed.items():
            setattr(made, name, value)
        return made

    def pages(self) -> dict[str, Callable[[], Any]]:
        from django.urls import reverse

        queue, middle = reverse("decide:queue"), self.open // 60
        address = reverse("decide:case", args=[self.model.application.reference])
        return {
            "queue": lambda: self.client.get(queue),
            "queue, in the middle": lambda: self.client.get(queue, {"page": middle}),
            "queue, late": lambda: self.client.get(queue, {"view": "late"}),
            "queue, one check failed": lambda: self.client.get(queue, {"checks": "failed"}),
            "queue, by a name": lambda: self.client.get(queue, {"q": "sample person 77"}),
            "queue, by an address": lambda: self.client.get(queue, {"q": "2001:db8::4d"}),
            "approvals": lambda: self.client.get(reverse("decide:approvals")),
            "a case": lambda: self.client.get(address),
            "decide and open next": self._decide,
        }

    def _decide(self) -> Any:
        """Ask the applicant of a case that was just taken: the next one is opened."""
        from django.urls import reverse

        from rahdari.decide import assignment, desk

        free = desk.next_for(officer=self.officer, now=self.now, after=self.model, filters=desk.Filters())
        assert free is not None, "no case is left to decide"
        taken = assignment.take_case(case=free, officer=self.officer, now=self.now)
        address = reverse("decide:decide", args=[taken.application.reference])
        began = time.perf_counter()
        answer = self.client.post(address, {"decision": "ask", "code": "Q4", "text": "Sample"}, follow=True)
        self.taken = time.perf_counter() - began
        return answer

    def measured(self, page: str, ask: Callable[[], Any], rounds: int) -> dict[str, Any]:
        from django.db import connection

        queries = 0

        def counting(execute: Callable[..., Any], *given: Any) -> Any:
            nonlocal queries
            queries += 1
            return execute(*given)

        times = []
        with connection.execute_wrapper(counting):
            answer = ask()
        assert answer.status_code == 200, (page, answer.status_code)
        for _ in range(rounds):
            began = time.perf_counter()
            ask()
            whole = time.perf_counter() - began
            times.append(self.taken if ask == self._decide else whole)
        return {
            "page": page,
            "open cases": self.open,
            "queries": queries,
            "p50 ms": measure.percentile(times, 0.50) * 1e3,
            "p99 ms": measure.percentile(times, 0.99) * 1e3,
        }
