"""Who applies while the database changes hands: applications written, proved and sent by the rooms' own acts.

python -P -m rahdari.ops.failover.applicants NUMBER LEDGER --data DIR
python -P -m rahdari.ops.failover.applicants --begin --data DIR        before them: the feed's keys, its operators

Invariants: what was answered is written down outside the database, with fsync, before anything follows from it; what
was not answered is sent again as it was, with the same key, until it is. TERM: the application under way is sent, those
that were sent are waited for, and that is all.
"""

import argparse
import datetime as dt
import ipaddress
import itertools
import json
import os
import signal
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rahdari.apply.models import Application

# Between two tries: a person is slower.
PAUSE = 0.1
# So long those that were sent are waited for at the end, in seconds.
PATIENCE = 900
# So often a person looks what became of an application, in seconds.
LOOKS_APART = 1.0
# Of RFC 3849, and in the part whose network the sample directory knows: the rule decides.
FIRST_ADDRESS = int(ipaddress.ip_address("2001:db8:7000::"))
# Each applies for so many.
ADDRESSES = 3
GRANTED = "granted"
type Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass
class Ledger:
    """One line for each answer: the act, its subject, when it was answered, and when it was tried."""

    path: Path

    def write(self, act: str, subject: str, tried: list[str]) -> None:
        with self.path.open("a") as file:
            file.write(json.dumps({"act": act, "subject": subject, "at": time.time(), "tried": tried}) + "\n")
            file.flush()
            os.fsync(file.fileno())


@dataclass
class Applicants:
    number: int
    ledger: Ledger
    stop: threading.Event
    waiting: dict[uuid.UUID, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        first = FIRST_ADDRESS + (self.number << 32)
        self.addresses: Iterator[Address] = map(ipaddress.ip_address, itertools.count(first))

    def run(self) -> None:
        made, looked = 0, time.monotonic()
        while not self.stop.is_set():
            self.apply(made)
            made += 1
            if time.monotonic() - looked > LOOKS_APART:
                self.look_for_grants()
                looked = time.monotonic()
        until = time.monotonic() + PATIENCE
        while self.waiting and time.monotonic() < until:
            time.sleep(LOOKS_APART)
            self.look_for_grants()
        if self.waiting:
            raise SystemExit(f"{len(self.waiting)} applications that were sent were not granted in {PATIENCE} s.")

    def apply(self, at: int) -> None:
        from rahdari.apply import drafts, sending
        from rahdari.apply import queries as applications
        from rahdari.apply.rules import StepKey, steps_of
        from rahdari.people import actions as people

        policy = applications.policy_in_force()
        service = next(each for each in policy.services.values() if each.holder == "person" and each.open)
        steps, sent = steps_of(service), uuid.uuid4()
        email, name = f"rehearsal-{self.number}-{at}@sample.example", f"Sample Applicant {self.number}-{at}"

        user = self.until_answered(
            "people.registered_person",
            lambda now: people.register_person(email=email, name=name, now=now),
            lambda user: f"person:{user.pk}",
        )
        actor = f"person:{user.pk}"

        def on_file(act: str, do: Callable[..., Any], subject: Callable[[Any], str] | None = None) -> Any:
            named = subject or (lambda _: str(application.subject))
            return self.until_answered(act, lambda now: do(actor=actor, now=now), named)

        application: Application = self.until_answered(
            "apply.started",
            lambda now: drafts.start_application(
                applicant=user, service=service.key, fixed_address="yes", send_token=sent, actor=actor, now=now
            ),
            lambda made: str(made.subject),
        )
        if StepKey.CONTACT in steps:
            on_file(
                "apply.saved_contact",
                lambda **by: drafts.save_contact(application=application, name=name, mobile="+923000000001", **by),
            )
        if StepKey.EVIDENCE in steps:
            text = "From studio@client.example: we work with them."
            on_file(
                "apply.saved_evidence",
                lambda **by: drafts.save_evidence(application=application, kind="client_email", text=text, **by),
            )
        for _ in range(ADDRESSES):
            self.prove(application, next(self.addresses), on_file)
        on_file(
            "apply.submitted", lambda **by: sending.submit_application(application=application, policy=policy, **by)
        )
        self.waiting[application.pk] = [_now().isoformat()]

    def prove(self, application: "Application", address: Address, on_file: Callable[..., Any]) -> None:
        from rahdari.apply import parts
        from rahdari.apply import queries as applications
        from rahdari.control import challenges
        from rahdari.control import queries as proofs
        from rahdari.control.models import Method

        policy, key = applications.policy_in_force(), uuid.uuid4()
        endpoint = on_file(
            "apply.added_endpoint",
            lambda **by: parts.add_endpoint(
                application=application, block=str(address), runs="wireguard", id=key, policy=policy, **by
            ),
            subject=lambda made: made.subject,
        )
        challenge = self.until_answered(
            "control.opened_challenge",
            lambda now: challenges.open_challenge(
                subject=endpoint.subject,
                block=endpoint.network,
                method=Method.LINK,
                valid_for=policy.limits.challenge_valid,
                now=now,
            ),
            lambda made: str(made.subject),
        )
        token = proofs.link_token(challenge)
        self.until_answered(
            "control.proved",
            lambda now: challenges.open_link(token=token, address=address, now=now),
            lambda _: str(challenge.subject),
        )

    def look_for_grants(self) -> None:
        """Whoever applied sees on a page that it is granted: that was said, too, and may not be lost."""
        from rahdari.apply import access

        def look(now: dt.datetime) -> list[uuid.UUID]:
            granted = access.every().filter(pk__in=list(self.waiting), status=GRANTED).order_by("pk")
            return list(granted.values_list("pk", flat=True))

        for pk in self.until_answered("", look, lambda _: ""):
            self.ledger.write(GRANTED, f"application:{pk}", self.waiting.pop(pk))

    def until_answered(self, act: str, do: Callable[[dt.datetime], Any], subject: Callable[[Any], str]) -> Any:
        """What it gives, once it is answered and written down. A look has no name, and is not."""
        from django.db import connections

        from rahdari.db.connections import begin
        from rahdari.ops.loops import AWAY

        tried: list[str] = []
        while True:
            now = _now()
            tried.append(now.isoformat())
            try:
                begin()
                done = do(now)
            except AWAY:
                connections.close_all()
                time.sleep(PAUSE)
                continue
            if act:
                self.ledger.write(act, subject(done), tried)
            return done


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("number", type=int, nargs="?", default=0)
    parser.add_argument("ledger", type=Path, nargs="?")
    parser.add_argument("--begin", action="store_true")
    parser.add_argument("--data", type=Path, required=True)
    options = parser.parse_args()
    from rahdari.ops import datafolder

    os.environ.update(datafolder.environment(options.data))
    import django

    django.setup()
    if options.begin:
        from rahdari.ops import seed

        seed.make_feed_keys(_now())
        seed.make_operators(_now())
        return
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda number, frame: stop.set())
    Applicants(options.number, Ledger(options.ledger), stop).run()


if __name__ == "__main__":
    main()
