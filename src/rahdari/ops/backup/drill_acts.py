"""What happens in the register of a rehearsal: entries, editions and documents, by the rooms' own acts.

python -P -m rahdari.ops.backup.drill_acts FIRST LAST --data DIR       an entry and an edition for each number
"""

import argparse
import datetime as dt
import io
import ipaddress
import os
import uuid
from pathlib import Path

# With each so manieth an application is begun, and a paper kept with it: a file is judged in a process of its own.
PAPER_EACH = 5


def with_paper(first: int, last: int) -> list[int]:
    return [number for number in range(first, last) if number % PAPER_EACH == 0]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("first", type=int)
    parser.add_argument("last", type=int)
    parser.add_argument("--data", type=Path, required=True)
    options = parser.parse_args()
    from rahdari.ops import datafolder

    os.environ.update(datafolder.environment(options.data))
    import django

    django.setup()
    for number in range(options.first, options.last):
        act(number)
    for number in with_paper(options.first, options.last):
        apply_with_paper(number)


def act(number: int) -> None:
    from django.utils import timezone

    from rahdari.publish import actions as publishing
    from rahdari.register import actions as register
    from rahdari.register.rules import NewEntry

    now = timezone.now()
    # Of RFC 2544: addresses of measurements, nobody's.
    block = ipaddress.ip_network(f"198.18.{number // 256}.{number % 256}/32")
    register.enter(
        origin=f"application:{uuid.uuid4()}",
        holder=uuid.uuid4(),
        category="vpn_freelancer",
        endpoints=[NewEntry(f"endpoint:{uuid.uuid4()}", block, "udp", 51820, 64500)],
        valid_from=now,
        valid_until=now + dt.timedelta(days=365),
        actor="rule:1",
        now=now,
        kind="static",
    )
    publishing.cut_edition(now=now)
    publishing.publish_editions(now=now)


def apply_with_paper(number: int) -> None:
    from django.utils import timezone
    from PIL import Image

    from rahdari.apply import drafts, parts, rules
    from rahdari.apply import queries as applications
    from rahdari.people import actions as people

    now, policy = timezone.now(), applications.policy_in_force()
    service = next(each for each in policy.services.values() if each.holder == "person" and each.open and each.evidence)
    person = people.register_person(email=f"rehearsal-{number}@sample.example", now=now)
    actor = f"person:{person.pk}"
    application = drafts.start_application(applicant=person, service=service.key, actor=actor, now=now)
    paper = io.BytesIO()
    Image.new("RGB", (600, 400), (number % 256, 0, 0)).save(paper, "PNG")
    parts.attach_document(
        application=application,
        rule=rules.EVIDENCE_RULE,
        name="sample-contract.png",
        content=paper.getvalue(),
        actor=actor,
        now=now,
    )


if __name__ == "__main__":
    main()
