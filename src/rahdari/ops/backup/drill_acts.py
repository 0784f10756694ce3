"""What happens in the register of a rehearsal: entries, editions and documents, by the rooms' own acts.

python -P -m rahdari.ops.backup.drill_acts FIRST LAST --data DIR       one of each for each number
"""

import argparse
import datetime as dt
import ipaddress
import os
import uuid
from pathlib import Path


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


def act(number: int) -> None:
    from django.utils import timezone

    from rahdari.publish import actions as publishing
    from rahdari.register import actions as register
    from rahdari.register.rules import NewEntry
    from rahdari.vault import files

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
    files.store(b"A paper of a rehearsal.", aad=f"drill:{number}")
    publishing.cut_edition(now=now)
    publishing.publish_editions(now=now)


if __name__ == "__main__":
    main()
