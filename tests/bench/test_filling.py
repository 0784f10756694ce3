"""Registers to measure on are filled by SQL: it must fit the tables that the product has today."""

import datetime as dt

import pytest
from django.db import connection, transaction

from bench import filling
from rahdari.register.models import Change, Entry, Registration

NOW = dt.datetime(2026, 11, 2, 8, tzinfo=dt.UTC)
ENTRIES = 3 * filling.IN_A_REGISTRATION


@pytest.mark.django_db
@pytest.mark.parametrize("what", list(filling.ADDRESS))
def test_what_is_filled_in_is_what_the_product_would_keep(what: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        filling._registrations(cursor, ENTRIES, 0, NOW)
        filling._entries(cursor, ENTRIES, 0, what, NOW)
    assert Registration.objects.count() == 3
    entries = list(Entry.objects.all())
    assert {str(entry.block) for entry in entries} == {filling.address_of(n, what) for n in range(ENTRIES)}
    assert Change.objects.count() == ENTRIES
    for row in (*Registration.objects.all(), *entries):
        row.full_clean(validate_unique=False, validate_constraints=False)
