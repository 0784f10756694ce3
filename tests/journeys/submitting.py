"""A program that applies for many people through the rooms' own acts, and begins each application anew after a crash.

Called with how many, in the environment of a running installation. Every act that it calls may be called twice: it
gives the same application, the same address, the same proof. Prints the reference of each application that
`submit_application` has confirmed: from then on it may not be lost.
"""

import datetime as dt
import ipaddress
import sys
import threading
import uuid

import django

django.setup()

from django.db import InterfaceError, OperationalError, connections  # noqa: E402

from rahdari.apply import drafts, parts, sending  # noqa: E402
from rahdari.apply import queries as applications  # noqa: E402
from rahdari.control import challenges  # noqa: E402
from rahdari.control import queries as proofs  # noqa: E402
from rahdari.control.models import Method  # noqa: E402
from rahdari.people import actions as people  # noqa: E402

# The database is killed as well: whoever asked it something waits for it and asks again.
AWAY = (OperationalError, InterfaceError)
PATIENCE = 600


def submit(number: int) -> str:
    now = dt.datetime.now(dt.UTC)
    person = people.register_person(email=f"freelancer-{number}@many.example", now=now)
    actor, policy = f"person:{person.pk}", applications.policy_in_force()
    draft = drafts.start_application(
        applicant=person,
        service="vpn_freelancer",
        fixed_address="yes",
        actor=actor,
        now=now,
        send_token=uuid.uuid5(uuid.NAMESPACE_URL, f"many:{number}"),
    )
    if draft.status == "draft":
        common = {"application": draft, "actor": actor, "now": now}
        drafts.save_person(name=f"Sample Freelancer {number}", **common)
        drafts.save_evidence(kind="client_email", text="From studio@client.example: we work with you.", **common)
        block = ipaddress.ip_network(f"127.1.{number}.9")
        endpoint = parts.add_endpoint(
            block=block,
            runs="wireguard",
            id=uuid.uuid5(uuid.NAMESPACE_URL, f"many:{number}:endpoint"),
            **common,
        )
        challenge = challenges.open_challenge(
            subject=endpoint.subject,
            block=block,
            method=Method.LINK,
            valid_for=policy.limits.challenge_valid,
            actor=actor,
            now=now,
        )
        challenges.open_link(token=proofs.link_token(challenge), address=block.network_address, now=now)
    sent = sending.submit_application(application=draft, policy=policy, actor=actor, now=now)
    return sent.reference


def main(many: int) -> None:
    pause = threading.Event()
    for number in range(1, many + 1):
        until = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=PATIENCE)
        while True:
            try:
                print(submit(number), flush=True)
                break
            except AWAY:
                connections.close_all()
                if dt.datetime.now(dt.UTC) > until:
                    raise
                pause.wait(0.2)


main(int(sys.argv[1]))
