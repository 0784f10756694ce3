"""What the programs that kill publishers do to the register between two kills, and what they hold against itself."""

import datetime as dt
from pathlib import Path

from django.conf import settings
from tuf.api.metadata import Metadata

from rahdari.feed import live_files
from rahdari.feed.repository import ROLES, head_of
from rahdari.publish import actions, folder, rules
from rahdari.publish.envelope import Repository
from rahdari.publish.models import Operator
from tests.builders.publishing import NOW, address, an_operator, entered, moved, struck_out


def begin(data: Path) -> Repository:
    """Two operators, and sizes at which every kind of file comes soon."""
    settings.DATA = data
    rules.ENTRIES_AT_A_TIME, rules.LISTINGS_AT_A_TIME, rules.MERGED_BY = 2, 3, 3
    rules.OPERATIONS_AT_ONCE, rules.LIVE_NARROW = 5, 6
    an_operator("first", asns=[64500])
    an_operator("gateway", gateway=True)
    return Repository(data)


def change(number: int) -> dt.datetime:
    """The register changes, operators come and get other rights. Returns the time at which that is."""
    now = NOW + number * rules.SNAPSHOT_EVERY / 2
    registration = entered(address(2 * number), address(2 * number + 1), asn=64500 + number % 2, now=NOW)
    moved(registration, address(5000 + number), asn=64500 + number % 3, now=now)
    if number % 3 == 0:
        struck_out(registration, now=now)
    if number % 11 == 4 and number < 40:
        # Rights that nobody has: a stream that is filled, and an operator that comes to it.
        an_operator(f"new-{number}", asns=[64500, 64501, 65000 + number])
    if number % 7 == 6:
        first = Operator.objects.get(slug="first")
        asns = [64500, 64501] if first.asns == [64500] else [64500]
        actions.change_rights(operator=first, asns=asns, gateway=False, actor="officer:1", now=now)
    return now


def look(repository: Repository) -> dict[str, list[object]]:
    """What each operator sees at this moment must be whole. Returns, for each and each role, where it is led to."""
    seen: dict[str, list[object]] = {}
    for each in repository.all():
        published = each.published()
        if published is None:
            continue
        each.check(published)
        for role in ROLES:
            path = each.metadata / f"{published.roles[role].version}.{role}.json"
            signed = Metadata.from_file(str(path)).signed
            head = head_of(signed)
            if head.sequence != published.stamp.heads[role].sequence:
                raise SystemExit(f"{path} leads elsewhere than the timestamp says")
            files = live_files(signed, role=role)
            if not any(file.from_sequence is None for file in files):
                raise SystemExit(f"{path} names no snapshot")
            for file in files:
                if not folder.holds(repository.place_of(file), sha256=file.sha256, length=file.length):
                    raise SystemExit(f"{file.path} is named and is not there")
            seen[f"{each.name} {role}"] = [published.roles[role].version, head.sequence, published.timestamp_version]
    return seen
