"""Which pages are read from replicas. How they are, from real ones: tests/ops/test_replicas.py."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.db import connection
from django.http import HttpResponse
from django.urls import URLPattern, URLResolver, get_resolver

from rahdari.db import replicas
from rahdari.people.models import User
from rahdari.web.replicas import NoteWritesMiddleware, forget_old_positions, note, position_of

PAGE = Path(__file__).parents[2] / "docs" / "several-machines.md"


def all_marked() -> dict[str, URLPattern]:
    """Those pages, by name."""
    found: dict[str, URLPattern] = {}

    def look(resolver: URLResolver, space: str) -> None:
        for each in resolver.url_patterns:
            if isinstance(each, URLResolver):
                look(each, each.namespace or space)
            elif getattr(each.callback, "is_read_from_replica", False):
                found[f"{space}:{each.name}"] = each

    look(get_resolver(), "")
    return found


def written(address: URLPattern) -> str:
    """As the handbook writes it."""
    return re.sub(r"<\w+:(\w+)>", lambda name: name[1].upper(), str(address.pattern))


class TestMarkedPages:
    def test_are_told_in_the_handbook_and_there_are_no_others(self) -> None:
        told = set(re.findall(r"^\| `/(\S*)` \|", PAGE.read_text(), re.MULTILINE))
        assert told == {written(each) for each in all_marked().values()}
        assert "desk/" in told and len(told) > 12

    def test_are_no_matter_where_there_is_no_replica(self) -> None:
        assert settings.REPLICAS == [] and replicas.choose(0) is None
        with pytest.raises(MiddlewareNotUsed):
            NoteWritesMiddleware(lambda request: HttpResponse())


@pytest.mark.django_db
class TestPosition:
    def test_of_a_person_only_grows_and_names_nobody(self, officer: User, second: User) -> None:
        assert position_of(officer) == 0
        note(officer)
        first = position_of(officer)
        assert 0 < first <= replicas.written()
        with connection.cursor() as cursor:
            cursor.execute("UPDATE web_position SET position = position + 1000000000000")
            note(officer)
            assert position_of(officer) == first + 1000000000000 and position_of(second) == 0
            cursor.execute("SELECT key FROM web_position")
            (key,) = cursor.fetchone()
        assert re.fullmatch("[0-9a-f]{64}", key)

    def test_is_forgotten_when_every_replica_that_is_read_has_it(self, officer: User) -> None:
        note(officer)
        assert forget_old_positions() == 0
        with connection.cursor() as cursor:
            cursor.execute("UPDATE web_position SET at = at - interval '2 hours'")
        assert forget_old_positions() == 1 and position_of(officer) == 0
