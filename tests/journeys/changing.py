"""A program that acts for one freelancer whose address changes, in the environment of a running installation.

apply PORT     a complete application for a changing address; prints the connection's name and its password
send REFERENCE
near_end RD    as if the registration ended in 30 days
renew RD       begin the renewal and send it; prints its reference
shown RD       the end of the term, and the addresses that are listed, one a line
"""

import datetime as dt
import sys

import django

django.setup()

from rahdari.address import parse_parts  # noqa: E402
from rahdari.apply import drafts, parts, renewal, sending, subjects  # noqa: E402
from rahdari.apply import queries as applications  # noqa: E402
from rahdari.apply.models import Application  # noqa: E402
from rahdari.dyndns import hosts  # noqa: E402
from rahdari.people import actions as people  # noqa: E402
from rahdari.register import queries as register  # noqa: E402
from rahdari.register.models import Registration  # noqa: E402

NOW = dt.datetime.now(dt.UTC)


def begin(port: int) -> None:
    person = people.register_person(email="changing@sample.example", now=NOW)
    actor = f"person:{person.pk}"
    draft = drafts.start_application(
        applicant=person, service="vpn_freelancer", fixed_address="no", actor=actor, now=NOW
    )
    common = {"application": draft, "actor": actor, "now": NOW}
    drafts.save_person(name="Sample Freelancer 90", **common)
    drafts.save_evidence(kind="client_email", text="From studio@client.example: we work with you.", **common)
    endpoint = parts.add_endpoint(
        block="127.0.190.1", runs="wireguard", parts=parse_parts(f"udp {port}"), kind="dynamic", **common
    )
    asked = {"subject": endpoint.connection, "holder": draft.holder_ref, "parts": endpoint.parts}
    host = hosts.make_host(**asked, actor=actor, now=NOW)
    print(draft.reference, host.name, hosts.make_token(host=host, actor=actor, now=NOW).text)


def send(draft: Application) -> None:
    policy = applications.policy_in_force()
    actor = f"person:{draft.applicant_id}"
    sending.submit_application(application=draft, policy=policy, actor=actor, now=NOW)
    print(draft.reference)


def registration(reference: str) -> Registration:
    found = register.registration_by_reference(reference)
    assert found is not None
    return found


def near_end(reference: str) -> None:
    until = NOW + dt.timedelta(days=30)
    stays = until + dt.timedelta(days=30)
    Registration.objects.filter(reference=reference).update(valid_until=until, grace_until=stays)


def renew(reference: str) -> None:
    found = registration(reference)
    last = subjects.last_granted_for(found)
    assert last is not None
    actor = f"person:{last.applicant_id}"
    draft = renewal.apply_again(registration=found, applicant=last.applicant, about="renewal", actor=actor, now=NOW)
    send(draft)


def shown(reference: str) -> None:
    found = registration(reference)
    print(found.valid_until.isoformat())
    for entry in register.entries_of(found):
        if entry.ended_at is None:
            print(entry.block)


def of(reference: str) -> None:
    """The number of the registration that came of an application; nothing while there is none."""
    application = Application.objects.get(reference=reference)
    found = Registration.objects.filter(origin=application.subject).first()
    print(found.reference if found else "")


word, value = sys.argv[1:3]
if word == "apply":
    begin(int(value))
elif word == "send":
    send(Application.objects.get(reference=value))
else:
    {"near_end": near_end, "renew": renew, "shown": shown, "of": of}[word](value)
