"""A program for tests: what several machines need of an installation, and people who apply by programs.

python machines_world.py MANY     keys of the feed, an operator and an edition; so many people, each with a token; and
                                  some with a browser that is signed in
"""

import datetime as dt
import ipaddress
import json
import os
import sys
import uuid
from pathlib import Path
from typing import Any

PROGRAM = __file__
BROWSERS = 6
NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)


def main(many: int) -> None:
    import django

    from rahdari.ops import datafolder

    # With the key of this folder, as the servers: else they know no session that is made here.
    os.environ.update(datafolder.environment(Path(os.environ["RAHDARI_DATA"])))
    django.setup()

    from django.conf import settings

    from rahdari.api import keys
    from rahdari.api.rules import Scope
    from rahdari.people import actions as people
    from rahdari.publish import actions as publish
    from rahdari.register import actions as register
    from rahdari.register.rules import NewEntry

    publish.make_feed_keys(offline=Path(settings.DATA) / "feed-offline", now=NOW)
    operator = publish.create_operator(slug="sample-edge", name="Sample Edge", asns=[64500], now=NOW)
    register.enter(
        origin=f"application:{uuid.uuid4()}",
        holder=uuid.uuid4(),
        category="vpn_freelancer",
        endpoints=[NewEntry(f"endpoint:{uuid.uuid4()}", ipaddress.ip_network("203.0.113.9/32"), "udp", 51820, 64500)],
        valid_from=NOW,
        valid_until=NOW + dt.timedelta(days=365),
        actor="rule:1",
        now=NOW,
        kind="static",
    )
    publish.publish_editions(now=NOW)
    tokens = []
    for number in range(many):
        person = people.register_person(email=f"freelancer-{number}@several.example", now=NOW)
        scopes = [Scope("applications:read"), Scope("applications:write")]
        _, token = keys.make_token(
            owner=person, name="several", scopes=scopes, valid_for=dt.timedelta(days=30), now=NOW
        )
        tokens.append(token)
    browsers = [
        signed_in(people.register_person(email=f"visitor-{number}@several.example", now=NOW))
        for number in range(BROWSERS)
    ]
    print(json.dumps({"operator": operator, "tokens": tokens, "browsers": browsers}))


def signed_in(person: Any) -> str:
    from django.conf import settings
    from django.test import Client

    client = Client()
    client.force_login(person)
    return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"


if __name__ == "__main__":
    main(int(sys.argv[1]))
