"""A program that makes what a journey of the office begins with, and lets time pass, in the environment of a running
installation. Its words are acts, one after the other; each that makes an application prints its number.

granted NUMBER LANGUAGE        a sample freelancer with a registration of two addresses
waiting NUMBER LANGUAGE DAYS   one whose application came so many days ago and waits for an officer
ready NUMBER LANGUAGE          one of today; an officer found out its network, and left it
drawn NUMBER                   chance has drawn what was decided about this sample freelancer
later APPLICATION DAYS         as if so many days had passed since the notice about it
"""

import datetime as dt
import sys

import django

django.setup()

import psycopg  # noqa: E402
from django.conf import settings  # noqa: E402

from rahdari.apply import access, parts  # noqa: E402
from rahdari.apply.models import Application  # noqa: E402
from rahdari.checks import queries as checks  # noqa: E402
from rahdari.decide import assignment, decided, unreached_addresses  # noqa: E402
from rahdari.decide import queries as cases  # noqa: E402
from rahdari.ops import postgres, samples  # noqa: E402
from rahdari.people import demonstration  # noqa: E402
from rahdari.people import queries as people  # noqa: E402
from rahdari.people.models import User  # noqa: E402
from rahdari.sampling.models import SecondLook  # noqa: E402

NOW = dt.datetime.now(dt.UTC)
# What tells of a notice and a hearing when it was or will be.
TIMES = {
    "decide_notice": (
        "case_id",
        "sent_at answer_due_at answered_at hearing_asked_at decide_by".split(),
    ),
    "decide_hearing": ("case_id", ["set_at", "starts_at"]),
}


def granted(number: str, language: str) -> None:
    def make(user: User) -> None:
        draft = samples.draft(user, f"203.0.113.{number}", int(number), NOW)
        facts = samples.facts_of(user, NOW)
        parts.add_endpoint(application=draft, block=f"2001:db8::{number}", runs="wireguard", **facts)
        samples.proved_and_sent(draft, NOW)

    samples.unless_there(int(number), NOW, make, language=language)
    print(application_of(number).reference)


def waiting(number: str, language: str, days: str) -> None:
    then = NOW - dt.timedelta(days=int(days))

    def make(user: User) -> None:
        samples.proved_and_sent(samples.draft(user, f"2001:db8:8000::{number}", int(number), then), then)

    samples.unless_there(int(number), then, make, language=language)
    print(application_of(number).reference)


def ready(number: str, language: str) -> None:
    waiting(number, language, "0")
    found, officer = application_of(number), samples.officer()
    case = samples.taken(found, NOW)
    facts = {"officer": officer, "now": NOW}
    unreached_addresses.name_network(case=case, operator="sample-fibre", **facts)
    check = next(each for each in checks.checks_of(found.subject) if each.outcome == "failed")
    assignment.record_check(case=case, check=check.pk, outcome="passed", how="Asked by telephone.", **facts)
    assignment.hand_over(case=case, to=None, **facts)


def drawn(number: str) -> None:
    """Before everything else that chance may have drawn."""
    case = cases.case_of(application_of(number))
    decision = cases.decision_of(case) if case is not None else None
    assert decision is not None
    ago = NOW - dt.timedelta(days=1)
    SecondLook.objects.create(decision=decision, by_rule=decided.is_by_rule(decision), drawn_at=ago)


def later(reference: str, days: str) -> None:
    """A notice and a hearing are never rewritten, but by the owner of the database, for a test."""
    case = cases.case_of(Application.objects.get(reference=reference))
    assert case is not None
    owner = postgres.known_url(settings.DATA, role=postgres.OWNER)
    assert owner is not None
    with psycopg.connect(owner) as connection:
        for table, (of, columns) in TIMES.items():
            earlier = ", ".join(f"{column} = {column} - %(days)s * interval '1 day'" for column in columns)
            connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            connection.execute(
                f"UPDATE {table} SET {earlier} WHERE {of} = %(case)s", {"days": int(days), "case": case.pk}
            )
            connection.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def application_of(number: str) -> Application:
    user = people.person_by_email(demonstration.sample_email(int(number)))
    assert user is not None
    return access.applications_of(user).get()


words = iter(sys.argv[1:])
ACTS = {"granted": (granted, 2), "waiting": (waiting, 3), "ready": (ready, 2), "drawn": (drawn, 1), "later": (later, 2)}
for word in words:
    act, needs = ACTS[word]
    act(*(next(words) for _ in range(needs)))
