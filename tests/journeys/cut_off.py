"""A program for holders who are cut off, in the environment of a running installation.

number FREELANCER MOBILE   their mobile number was confirmed long ago; prints the number of their registration
papers REGISTRATION        the change that was begun is proved and sent
later REGISTRATION         as if 31 days had passed since an address was listed before its proof
"""

import datetime as dt
import sys

import django

django.setup()

import psycopg  # noqa: E402
from django.conf import settings  # noqa: E402

from rahdari.apply import queries as applications  # noqa: E402
from rahdari.ops import postgres, samples  # noqa: E402
from rahdari.people import demonstration  # noqa: E402
from rahdari.people import queries as people  # noqa: E402
from rahdari.register import queries as register  # noqa: E402
from rahdari.register.models import Registration  # noqa: E402
from rahdari.sms import codes  # noqa: E402
from rahdari.sms.models import ContactNumber  # noqa: E402

NOW = dt.datetime.now(dt.UTC)


def number(freelancer: str, mobile: str) -> None:
    user = people.person_by_email(demonstration.sample_email(int(freelancer)))
    assert user is not None
    known = {"number": mobile, "index": codes.index_of(mobile), "confirmed_at": NOW - dt.timedelta(days=40)}
    ContactNumber.objects.update_or_create(person=user.pk, defaults=known)
    print(register.registrations_of(holders=[user.holder_ref]).get().reference)


def _registration(reference: str) -> Registration:
    found = register.registration_by_reference(reference)
    assert found is not None
    return found


def papers(reference: str) -> None:
    draft = applications.under_way_for(_registration(reference), "change")
    assert draft is not None
    print(samples.proved_and_sent(draft, NOW).reference)


def later(reference: str) -> None:
    """What was given is never rewritten, but by the owner of the database, for a test."""
    owner = postgres.known_url(settings.DATA, role=postgres.OWNER)
    assert owner is not None
    known = {"id": _registration(reference).pk}
    with psycopg.connect(owner) as connection:
        connection.execute("ALTER TABLE urgent_urgententry DISABLE TRIGGER USER")
        earlier = ", ".join(
            f"{name} = {name} - interval '31 days'" for name in ("asked_at", "known_at", "given_at", "until")
        )
        connection.execute(f"UPDATE urgent_urgententry SET {earlier} WHERE registration_id = %(id)s", known)
        connection.execute("ALTER TABLE urgent_urgententry ENABLE TRIGGER USER")
        connection.execute(
            "UPDATE register_entry SET valid_from = valid_from - interval '31 days', "
            "valid_until = valid_until - interval '31 days' "
            "WHERE registration_id = %(id)s AND origin LIKE 'urgent:%%'",
            known,
        )
        connection.execute("NOTIFY rahdari_workflow")


ACTS = {"number": (number, 2), "papers": (papers, 1), "later": (later, 1)}
words = iter(sys.argv[1:])
for word in words:
    act, needs = ACTS[word]
    act(*(next(words) for _ in range(needs)))
