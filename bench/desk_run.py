"""The run of `bench/desk`."""

import datetime as dt
import os
import random
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from bench import copied_cases, filling, measure, place

OPEN = 5_000
TARGET_MS = 100
PAGE = 25
# Officers among whom the cases that are taken are shared out.
OFFICERS = 40


def main(about: str | None) -> None:
    parser = measure.parser(about)
    parser.add_argument("--open", type=int, default=OPEN, help=f"so many open cases ({OPEN})")
    parser.add_argument("--registrations", type=int, help="so many registrations (ten for each open case)")
    parser.add_argument("--decided", type=int, help="so many decided cases (half as many as open ones)")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="fill the database there, or go on with it")
    parser.add_argument("--replay", action="store_true", help="run the decided cases through a draft, and no more")
    parser.add_argument("--only", default="", help="only pages whose name has this in it")
    given = parser.parse_args()
    decided = given.open // 2 if given.decided is None else given.decided
    registrations = given.registrations or 10 * given.open
    if registrations < given.open + decided:
        raise SystemExit("Each decided case needs a registration of its own.")
    place.end_cleanly_on_signals()
    conditions = measure.conditions()
    with desk(given.keep, given.open, decided, registrations, readable=not given.replay) as found:
        if given.replay:
            print(found.replayed(decided))
            return
        rows = [
            found.measured(page, ask, 10 if given.quick else 50)
            for page, ask in found.pages().items()
            if given.only in page
        ]
    measure.report(rows, given=given, about=conditions, experiment="desk")
    slowest = max(rows, key=lambda row: row["cpu p95 ms"])
    print(f"slowest: {slowest['page']}, {slowest['cpu p95 ms']:.0f} ms (target: {TARGET_MS})")


@contextmanager
def desk(
    keep: Path | None, open_cases: int, decided: int, registrations: int, *, readable: bool = True
) -> Iterator["Desk"]:
    """A filled one. What is kept is a data folder: the database, and the keys that seal it. `readable`: so that a page
    of any case can be asked for."""
    with ExitStack() as stack:
        folder = keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rahdari-bench-")))
        stack.enter_context(database(folder))
        found, filled = Desk(open_cases), folder / "filled"
        if not filled.exists():
            found.fill(open_cases, decided, registrations, readable=readable)
            filled.touch()
        found.look_around()
        yield found


@contextmanager
def database(folder: Path) -> Iterator[None]:
    """Tables, keys and static files, for pages in this process; from then on Django can be imported."""
    folder.mkdir(exist_ok=True, parents=True)
    data = folder / "data"
    data.mkdir(mode=0o700, exist_ok=True)
    with ExitStack() as stack:
        os.environ["DJANGO_SETTINGS_MODULE"] = "rahdari.settings.test"
        from rahdari.ops.postgres import running_postgres

        os.environ["DATABASE_URL"] = stack.enter_context(running_postgres(data, throwaway=True))
        import django
        from django.conf import settings
        from django.core.management import call_command

        django.setup()
        from rahdari.vault import keys
        from tests.builders.shared import known_networks

        stack.enter_context(known_networks())
        kept = folder / "keys"
        if kept.exists():
            shutil.copytree(kept, Path(settings.DATA) / "keys")
        else:
            keys.make_missing(Path(settings.DATA) / "keys")
            shutil.copytree(Path(settings.DATA) / "keys", kept)
        call_command("migrate", verbosity=0)
        call_command("collectstatic", verbosity=0, interactive=False)
        yield


@dataclass
class Count:
    """What one page costs. Processor time is that of this process and of its server process, in seconds."""

    queries: int = 0
    rows: int = 0
    cpu: list[float] = field(default_factory=list)
    of_postgres: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)


class Desk:
    """An officer at a desk whose cases are copies of a few."""

    def __init__(self, open_cases: int) -> None:
        from django.test import Client
        from django.utils import timezone

        from rahdari.people import queries as people
        from rahdari.people.models import Role
        from tests.builders import cases as builders

        self.now = timezone.now()
        self.open = open_cases
        found = sorted(
            {post.user for post in people.all_posts() if post.role == Role.OFFICER}, key=lambda one: one.name
        )
        found += [builders.an_officer(f"Sample Officer {number}") for number in range(len(found), OFFICERS)]
        self.officer, *self.others = found
        self.client = Client()
        self.client.force_login(self.officer)

    # -- what there is ---------------------------------------------------------------------------------------------

    def fill(self, open_cases: int, decided: int, registrations: int, *, readable: bool) -> None:
        from django.db import connection

        luck = random.Random(906)
        filling.registrations(registrations)
        waiting, closed = self._models(self.now - dt.timedelta(hours=3))
        copied_cases.copy(waiting, count=open_cases, start=0, luck=luck, readable=readable)
        copied_cases.copy(closed, count=decided, start=open_cases, luck=luck, readable=readable)
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")

    def _models(self, at: dt.datetime) -> tuple[list[copied_cases.Model], list[copied_cases.Model]]:
        """Files as the product's acts make them, and how many in a hundred are like each."""
        from rahdari.checks import queries as checks
        from rahdari.decide import assignment, granting, queries, questions, refusals
        from rahdari.workflow.entering import enter_grants
        from tests.builders import cases as builders

        builders.a_gateway()
        then, other, third = at + dt.timedelta(hours=1), self.others[0], self.others[1]

        def taken(officer: Any = other, **more: Any) -> Any:
            return assignment.take_case(case=builders.a_case(now=at, **more), officer=officer, now=at)

        def asked() -> Any:
            return questions.ask_question(case=taken(), officer=other, code="Q4", text="Sample", now=at)

        def noticed() -> Any:
            return refusals.propose_refusal(case=taken(), officer=other, codes=["R3"], text="Sample", now=at)

        def answered() -> Any:
            return refusals.answer_notice(notice=noticed(), answer="Sample", actor="person:x", now=then)

        def passed() -> Any:
            case = taken(is_denied=False)
            for check in checks.checks_of(case.application.subject):
                if check.outcome != "passed":
                    assignment.record_check(
                        case=case, officer=other, check=check.pk, outcome="passed", how="Sample", now=then
                    )
            return case

        def waiting_for_somebody() -> Any:
            """The operator was asked on the way, and has not answered."""
            case = taken(is_denied=False)
            found = next(check for check in checks.checks_of(case.application.subject) if check.outcome == "failed")
            found.outcome, found.answered_at, found.finding, found.reason_code = "waiting", None, "", ""
            found.save()
            return case

        def returned() -> Any:
            decision = granting.grant(case=passed(), officer=other, text="Sample", now=then)
            return granting.return_grant(decision=decision, why="overlap", now=then)

        question = asked()
        questions.answer_question(question=question, answer="Sample", actor="person:x", now=then)
        refused = refusals.second_refusal(case=answered().case, officer=third, because="Sample", now=then)
        granted = granting.grant(case=passed(), officer=other, text="Sample", now=then)
        enter_grants(then)

        def model(case: Any, share: int, officers: Any = (None,)) -> copied_cases.Model:
            return copied_cases.Model(queries.cases().get(pk=case.pk), share, officers)

        waiting = [
            model(builders.a_case(now=at), 34), model(builders.a_case(now=at, is_denied=False), 12),
            model(builders.a_case(now=at, also="198.51.100.251"), 6), model(taken(), 10, self.others),
            model(waiting_for_somebody(), 4, self.others),
            model(taken(self.officer), 1, [self.officer]), model(asked().case, 15, self.others),
            model(question.case, 8, self.others), model(noticed().case, 4, self.others),
            model(answered().case, 2, self.others), model(passed(), 3, self.others), model(returned(), 1, self.others),
        ]  # fmt: skip
        return waiting, [model(granted.case, 8), model(refused.case, 2)]

    # -- what is asked ---------------------------------------------------------------------------------------------

    def look_around(self) -> None:
        """The cases and the numbers that the pages are asked with."""
        from rahdari.decide.models import Case
        from rahdari.register.models import Registration

        def one(**which: Any) -> str:
            found = Case.objects.filter(**which).order_by("id").values_list("application__reference", flat=True)
            return str(found[len(found) // 2])

        mine = {"status": "open", "assigned_to": self.officer, "waits_for": "officer"}
        self.cases = {
            "a case": one(status="open", assigned_to=None, questions=None), "a case of mine": one(**mine),
            "a case, asked": one(status="open", waits_for="applicant", notices=None),
            "a case, for a second": one(status="open", waits_for="second"),
            "a case, returned": one(status="open", decisions__voided_at__isnull=False),
        }  # fmt: skip
        self.decided = one(status="decided", decisions__outcome="granted")
        self.registration = Registration.objects.filter(decisions__case__application__reference=self.decided).get()
        self.after = Case.objects.filter(**mine).select_related("application").order_by("id")[0]

    def pages(self) -> dict[str, Callable[[], Any]]:
        from django.urls import reverse

        from rahdari import policy
        from rahdari.decide import desk

        last, found = {}, {}

        def queue(name: str, **asked: Any) -> None:
            found[f"queue, {name}"] = lambda: self.client.get(reverse("decide:queue"), asked)

        for view in desk.VIEWS:
            queue(view, view=view)
            shown = desk.desk(officer=self.officer, filters=desk.Filters(view=view), now=self.now)
            last[view] = -(-shown.total // PAGE)
            queue(f"{view}, in the middle", view=view, page=max(1, last[view] // 2))
            queue(f"{view}, last", view=view, page=last[view])
        for each in policy.current(None).queues:
            queue(f"of the policy, {each.key}", queue=each.key)
        for checks in ("failed", "waiting", "passed"):
            queue(f"checks {checks}", checks=checks)
            queue(f"late, checks {checks}, in the middle", view="late", checks=checks, page=last["late"] // 4)
        for who in ("me", "nobody"):
            queue(f"with {who}", who=who)
        for service in ("vpn_freelancer", "vpn_company"):
            queue(service, service=service)
        queue("all filters", view="late", service="vpn_freelancer", checks="failed", who="nobody", q="sample", page=9)
        queue("a name that all have", q="sample")
        queue("a name that all have, the last page of it", q="sample person", page=last["open"])
        queue("one name", q="sample person 77")
        queue("a name nobody has", q="nobody")
        queue("a number", q=self.cases["a case"])
        queue("beginnings of a number", q="2611 0001")
        queue("an address", q="2001:db8::4d")
        found["queue, a decided number"] = lambda: self.client.get(
            reverse("decide:queue"), {"q": self.registration.reference.lower()}
        )
        proposals = -(-desk.proposals(officer=self.officer, page=1, now=self.now).total // PAGE)
        for name, page in ("", 1), (", in the middle", max(1, proposals // 2)), (", last", proposals):
            found[f"approvals{name}"] = lambda page=page: self.client.get(reverse("decide:approvals"), {"page": page})
        for name, reference in self.cases.items():
            found[name] = partial(self.client.get, reverse("decide:case", args=[reference]))
        at = reverse("decide:case", args=[self.decided])
        self.client.post(f"{at}why/", {"why": self._a_reason()})
        found["a case, decided"] = lambda: self.client.get(at)
        application = self.after.application
        found["decided cases, a name"] = lambda: self._search(application.name)
        found["decided cases, an address"] = lambda: self._search(application.endpoints.get().address_text)
        found["reaching no operator"] = lambda: self.client.get(reverse("decide:unreached"))
        found["decide and open next"] = self._decide
        return found

    def _a_reason(self) -> str:
        from rahdari.decide import words

        return str(list(words.WHY_AGAIN)[-1])

    def _search(self, asked: str) -> Any:
        from django.urls import reverse

        at = reverse("decide:search_from_case", args=[self.after.application.reference])
        return self.client.post(at, {"asked": asked})

    def _decide(self) -> Any:
        """Ask the applicant of a case that is the officer's: the next one is taken and opened."""
        from django.urls import reverse

        mine = re.search(r"cases/([^/]+)/", getattr(self, "next", "")) or [None, self.after.application.reference]
        address = reverse("decide:decide", args=[mine[1]])
        answer = self.client.post(address, {"decision": "ask", "code": "Q4", "text": "Sample"}, follow=True)
        self.next = answer.redirect_chain[-1][0]
        return answer

    def measured(self, page: str, ask: Callable[[], Any], rounds: int) -> dict[str, Any]:
        from django.db import connection

        count = Count()

        def counting(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
            answer = execute(sql, params, many, context)
            count.queries += 1
            count.rows += max(0, context["cursor"].rowcount)
            return answer

        ask()
        with connection.execute_wrapper(counting):
            answer = ask()
        assert answer.status_code in (200, 302), (page, answer.status_code)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            spent = Path(f"/proc/{cursor.fetchone()[0]}/schedstat")
        for _ in range(rounds):
            began = time.perf_counter(), time.process_time(), seconds(spent)
            ask()
            ended = time.perf_counter(), time.process_time(), seconds(spent)
            whole, web, postgres = (after - before for before, after in zip(began, ended, strict=True))
            count.whole.append(whole)
            count.cpu.append(web + postgres)
            count.of_postgres.append(postgres)
        return {
            "page": page,
            "open cases": self.open,
            "cpu p50 ms": measure.percentile(count.cpu, 0.50) * 1e3,
            "cpu p95 ms": measure.percentile(count.cpu, 0.95) * 1e3,
            "cpu of postgres p50 ms": measure.percentile(count.of_postgres, 0.50) * 1e3,
            "queries": count.queries,
            "rows": count.rows,
            "p50 ms": measure.percentile(count.whole, 0.50) * 1e3,
            "p95 ms": measure.percentile(count.whole, 0.95) * 1e3,
        }

    def replayed(self, decided: int) -> str:
        """What `rahdari policy replay` costs: under the rules as they are, but without the check of the network."""
        import json

        from django.db import connection

        from rahdari import policy
        from rahdari.db.connections import backend_of
        from rahdari.decide import replay

        data = json.loads(policy.freeze(policy.current(None)))
        for service in data["services"].values():
            service["checks"] = [check for check in service["checks"] if check["kind"] != "origin"]
        spent = Path(f"/proc/{backend_of(connection)}/schedstat")
        began = time.perf_counter(), time.process_time(), seconds(spent)
        found = replay.replay(policy.thaw(json.dumps(data)), now=self.now, limit=decided)
        ended = time.perf_counter(), time.process_time(), seconds(spent)
        whole, ours, postgres = (after - before for before, after in zip(began, ended, strict=True))
        return (
            f"replay of {found.cases:,} cases: {whole:.1f} s; processor {ours:.1f} s, of PostgreSQL {postgres:.1f} s; "
            f"{found.same:,} the same, {len(found.moved):,} another way, {found.unknown:,} left out"
        )


def seconds(spent: Path) -> float:
    """Of processor time by one process, as the kernel has it in nanoseconds."""
    return int(spent.read_text().split()[0]) / 1e9
