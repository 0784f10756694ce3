"""A program for tests: makes operators, entries and editions in an installation, as the register and the publisher do.

python restore_world.py enter FIRST LAST [HOURS]     one edition for each number from FIRST on, below LAST, HOURS ago
"""

import datetime as dt
import ipaddress
import sys
import uuid

PROGRAM = __file__
NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)


def main(act: str, first: int = 0, last: int = 0, hours: int = 0) -> None:
    import django

    django.setup()

    from rahdari.publish import actions, queries

    now = NOW - dt.timedelta(hours=hours)
    if queries.operator_by_slug("sample-fibre") is None:
        actions.create_operator(slug="sample-fibre", name="Sample Fibre", asns=[64500], now=now)
        actions.publish_editions(now=now)
    for number in range(first, last):
        enter(number, now)
        actions.cut_edition(now=now)
        # As often as the publisher comes round when much comes at once, and at no round number.
        if number % 16 == 7:
            actions.publish_editions(now=now)
    actions.publish_editions(now=now)


def enter(number: int, now: dt.datetime) -> None:
    from rahdari.register import actions as register
    from rahdari.register.rules import NewEntry

    block = ipaddress.ip_network(f"10.0.{number // 256}.{number % 256}/32")
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


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
