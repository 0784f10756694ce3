"""The run of `bench/line`."""

import argparse
import datetime as dt
import ipaddress
import os
import subprocess
import sys
import tempfile
import time
import zlib
from pathlib import Path
from typing import Any

from bench import measure
from rahdari.feed import TERMS
from tests.journeys import stack as stacks
from tests.journeys.stack import PROGRAM, Stack, wait_for

AGENTS = (1, 10)
PATIENCE = 30.0


class Agent:
    """A real agent with its files, followed from outside by the time at which they change."""

    def __init__(self, stack: Stack, folder: Path, slug: str) -> None:
        folder.mkdir(parents=True)
        self.entries = folder / "entries.json"
        added = stack.command("operator", "add", slug, "--name", f"Sample operator {slug}", "--gateway")
        if added.returncode:
            raise SystemExit(added.stderr or added.stdout)
        welcome = folder / "welcome.txt"
        welcome.write_text(added.stdout)
        config = folder / "agent.toml"
        environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
        subprocess.run(
            [
                *PROGRAM, "agent", "init", "--config", config, "--welcome", welcome, "--state", folder / "state",
                "--json", self.entries, "--csv", folder / "entries.csv", "--accept-terms", TERMS,
            ],
            check=True, env=environment, capture_output=True, text=True,
        )  # fmt: skip
        self.log = (folder / "log").open("w")
        self.process = subprocess.Popen(
            [*PROGRAM, "agent", "run", "--config", config], env=environment, stdout=self.log, stderr=subprocess.STDOUT
        )

    def changed_at(self) -> int:
        try:
            return self.entries.stat().st_mtime_ns
        except FileNotFoundError:
            return 0

    def holds(self, address: str) -> bool:
        try:
            return f'"{address}' in self.entries.read_text()
        except FileNotFoundError:
            return False

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)
        self.log.close()


def main(given: argparse.Namespace) -> None:
    about = measure.conditions()
    rounds = 10 if given.quick else 100
    rows: list[dict[str, Any]] = []
    with (
        tempfile.TemporaryDirectory(prefix="rahdari-bench-") as name,
        stacks.running_register(Path(name) / "data") as stack,
    ):
        os.environ.update(stack.environment())
        import django

        django.setup()
        grants = Grants()
        agents: list[Agent] = []
        try:
            for count in AGENTS:
                while len(agents) < count:
                    agents.append(Agent(stack, Path(name) / f"agent-{len(agents)}", f"bench-{len(agents)}"))
                grants.one(agents)  # warm: the agents have connected, everything is loaded
                seconds: list[float] = []
                slowest: list[float] = []
                for _ in range(rounds):
                    taken = grants.one(agents)
                    seconds += taken
                    slowest.append(max(taken))
                rows.append(
                    {
                        "agents": count,
                        "grants": rounds,
                        "p50 s": measure.percentile(seconds, 0.50),
                        "p99 s": measure.percentile(seconds, 0.99),
                        "max s": max(seconds),
                        "last agent p50 s": measure.percentile(slowest, 0.50),
                        "last agent p99 s": measure.percentile(slowest, 0.99),
                        "entries": grants.made,
                    }
                )
        finally:
            for agent in agents:
                agent.stop()
    measure.report(rows, given=given, about=about, experiment="line")


class Grants:
    """Cases that an officer grants. Each address is a new one of a documentation range."""

    def __init__(self) -> None:
        from django.utils import timezone

        from rahdari.people import actions as people
        from rahdari.people.models import Role

        self.made = 0
        now = timezone.now()
        self.officer = people.register_person(
            email="officer@bench.example", language="en", name="Sample Officer", now=now
        )
        people.appoint(user=self.officer, role=Role.OFFICER, actor="system:bench", now=now)

    def one(self, agents: list[Agent]) -> list[float]:
        """Grant one case; return for each agent the seconds from the commit to the renamed file."""
        from django.utils import timezone

        from rahdari.checks import queries as checks
        from rahdari.decide import assignment, granting

        case, address = self._case()
        assignment.take_case(case=case, officer=self.officer, now=timezone.now())
        for check in checks.checks_of(case.application.subject):
            if check.required and check.outcome != "passed":
                assignment.record_check(
                    case=case, officer=self.officer, check=check.pk, outcome="passed", how="Sample", now=timezone.now()
                )
        before = [agent.changed_at() for agent in agents]
        granting.grant(case=case, officer=self.officer, text="", now=timezone.now())
        start = time.time_ns()
        self.made += 1
        taken: list[float | None] = [None] * len(agents)
        until = time.monotonic() + PATIENCE
        while None in taken:
            if time.monotonic() > until:
                raise SystemExit(f"{address} did not arrive within {PATIENCE:.0f} s")
            for at, agent in enumerate(agents):
                changed = agent.changed_at()
                if taken[at] is None and changed != before[at]:
                    before[at] = changed
                    if agent.holds(address):
                        taken[at] = (changed - start) / 1e9
            time.sleep(0.002)
        return [each for each in taken if each is not None]

    def _case(self) -> tuple[Any, str]:
        from django.conf import settings
        from django.utils import timezone

        from rahdari import policy
        from rahdari.apply import drafts, parts, sending
        from rahdari.apply.models import Application
        from rahdari.control import challenges
        from rahdari.control import queries as proofs
        from rahdari.control.models import Method
        from rahdari.decide import queries as decisions
        from rahdari.people import actions as people

        now = timezone.now()
        # The directory knows no network for this half of the documentation prefix: an officer decides.
        address = str(ipaddress.ip_address("2001:db8:8000::1") + self.made)
        person = people.register_person(
            email=f"applicant-{self.made}@bench.example", language="en", name=f"Sample Applicant {self.made}", now=now
        )
        facts: dict[str, Any] = {"actor": f"person:{person.pk}", "now": now}
        application = drafts.start_application(applicant=person, service="vpn_freelancer", fixed_address="yes", **facts)
        facts["application"] = application
        drafts.save_person(name=person.name, cnic=f"35202{zlib.crc32(str(person.pk).encode()) % 10**8:08d}", **facts)
        drafts.save_contact(name="Sample Contact", mobile="+923001234567", **facts)
        drafts.save_evidence(kind="client_email", text="From studio@client.example: we work with you.", **facts)
        endpoint = parts.add_endpoint(block=address, runs="wireguard", **facts)
        challenge = challenges.open_challenge(
            subject=endpoint.subject,
            block=ipaddress.ip_network(address),
            method=Method.LINK,
            valid_for=dt.timedelta(days=7),
            now=now,
        )
        challenges.open_link(token=proofs.link_token(challenge), address=ipaddress.ip_address(address), now=now)
        facts["application"] = Application.objects.get(pk=application.pk)
        sending.submit_application(policy=policy.current(settings.POLICY_FILE), **facts)
        case = wait_for("the worker to open a case", lambda: decisions.case_of(application), patience=PATIENCE)
        return case, address


if __name__ == "__main__":
    sys.exit("Run bench/line.")
