"""What the publisher makes, tried as the user that serves it; and who is told when that may not be read."""

import asyncio
import json
import logging
import os
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from rahdari.feed.repository import ROLES, location_of
from rahdari.lookup.following import Follower, FollowerStanding
from rahdari.ops import drop_root
from rahdari.publish import ceremony, queries, restoring
from rahdari.push.access import Access, Reader
from rahdari.push.app import Push
from rahdari.push.files import find
from tests.builders.publishing import NOW, address, an_operator, entered, publish
from tests.ops import test_users
from tests.ops.test_users import THREE, as_user
from tests.push.feeds import SNAPSHOT, allow, announce, bearer, call, metadata_of, put

data, one_users = test_users.data, test_users.one_users


class TestWhatThePublisherMakes:
    @pytest.mark.django_db
    def test_is_read_by_push_and_lookup_also_of_an_operator_and_a_session_that_came_after_the_start(
        self, one_users: Path, settings: Any
    ) -> None:
        for name in ("feed", "feed-access", "keys/feed"):
            shutil.rmtree(one_users / name)
        settings.DATA = one_users
        ceremony.make_feed_keys(offline=one_users.parent / "offline", now=NOW)
        an_operator("sample-first")
        entered(address(1))
        drop_root.divide(one_users, THREE)

        def published() -> bool:
            os.umask(0o077)
            # On the connection of the process that forked this one, which releases its own savepoints.
            connection._over = None
            return bool(publish())

        def is_served() -> bool:
            access = Access(one_users, lambda: NOW)
            access.renew()
            for repository in access.repositories:
                reader = access.any_reader(repository)
                signed = {"timestamp": json.loads(read(reader, "metadata/timestamp.json"))["signed"]}
                for name in ("snapshot", *ROLES):
                    of = signed["timestamp"] if name == "snapshot" else signed["snapshot"]
                    version = of["meta"][f"{name}.json"]["version"]
                    signed[name] = json.loads(read(reader, f"metadata/{version}.{name}.json"))["signed"]
                for role in ROLES:
                    for path, target in signed[role]["targets"].items():
                        read(reader, f"targets/{location_of(path, target['hashes']['sha256'])}")
            told: dict[str, FollowerStanding] = {}
            lookup = Follower(one_users, lambda standings: told.update(standings), threading.Lock())
            lookup.look()
            whole = [slug for slug, standing in told.items() if standing.sight.is_whole]
            return (len(access.repositories), len(whole), lookup.troubles) == (operators, operators, 0)

        def read(reader: Reader, name: str) -> bytes:
            return find(one_users / "feed", reader, name).content or b""

        operators = 1
        assert as_user("rahdari-feed", published)
        assert as_user("rahdari-serve", is_served)
        operators = 2
        an_operator("sample-second", asns=[64501])
        entered(address(2), asn=64501)
        assert as_user("rahdari-feed", published)
        assert as_user("rahdari-serve", is_served)
        restoring.open_new_sessions(now=NOW, above=1000)
        assert as_user("rahdari-feed", published)
        assert as_user("rahdari-serve", is_served)


class TestWhatMayNotBeRead:
    def test_is_told_once_by_who_serves_the_feed_and_is_no_missing_file(self, data: Path) -> None:
        announce(data, 1)
        put(data / "feed" / SNAPSHOT, b"snapshot")
        allow(data)
        for closed, name, number in (
            (metadata_of(data), "metadata/timestamp.json", 1),
            ((data / "feed" / SNAPSHOT).parent, SNAPSHOT, 2),
        ):
            closed.chmod(0o700)

            def is_told(name: str = name, number: int = number) -> bool:
                said: list[logging.LogRecord] = []
                handler = logging.Handler()
                handler.emit = said.append  # type: ignore[method-assign]
                logging.getLogger("rahdari.push").addHandler(handler)

                async def ask() -> tuple[bytes, int]:
                    push = Push(data)
                    push.begin()
                    for _ in range(3):
                        push.sweep()
                    health = await call(push, "/healthz", headers=[])
                    file = await call(push, f"/feed/{name}", headers=bearer())
                    await push.end()
                    return health.body, file.status

                body, status = asyncio.run(ask())
                text = f"{number} folders of the feed cannot be read\n".encode()
                return (body, status, len(said)) == (text, 503, number)

            assert as_user("rahdari-serve", is_told)

    def test_is_told_by_the_lookups(self, data: Path) -> None:
        announce(data, 1)
        allow(data)
        metadata_of(data).chmod(0o700)

        def is_told() -> bool:
            lookup = Follower(data, lambda standings: None, threading.Lock())
            lookup.look()
            return lookup.troubles == 1

        assert as_user("rahdari-serve", is_told)

    @pytest.mark.django_db
    def test_is_told_by_the_metrics_and_by_feed_status(self, one_users: Path, settings: Any) -> None:
        for name in ("feed", "feed-access", "keys/feed"):
            shutil.rmtree(one_users / name)
        settings.DATA = one_users
        ceremony.make_feed_keys(offline=one_users.parent / "offline", now=NOW)
        operator = an_operator("sample-first")
        entered(address(1))
        publish()
        drop_root.divide(one_users, THREE)
        session = next(each for each in queries.stream_statuses() if each.entries and each.followers)
        for closed in (
            one_users / "feed" / "targets" / session.stream.role / session.session,
            one_users / "feed" / "repositories" / operator.repository / "metadata",
        ):
            mode = closed.stat().st_mode
            assert not as_user("rahdari", lambda: bool(queries.feed_status().unreadable))
            closed.chmod(0o700)

            def is_told(closed: Path = closed) -> bool:
                return queries.feed_status().unreadable.startswith(str(closed))

            assert as_user("rahdari", is_told)
            closed.chmod(mode)
