"""How the settings read the address of the database, and that a database which hangs is not waited for."""

import socket

import pytest
from django.db import OperationalError
from django.db.backends.postgresql.base import DatabaseWrapper

from rahdari.settings.base import PATIENCE, database

# What Django puts into each database of the settings.
USUAL = {"ATOMIC_REQUESTS": False, "AUTOCOMMIT": True, "TIME_ZONE": None, "TEST": {}}


class TestDatabase:
    def test_is_read_from_an_address(self) -> None:
        read = database("postgresql://someone:a%40b@db.example:6432/register?sslmode=verify-full")
        assert (read["USER"], read["PASSWORD"], read["HOST"]) == ("someone", "a@b", "db.example")
        assert (read["PORT"], read["NAME"]) == ("6432", "register")
        assert read["OPTIONS"] == PATIENCE | {"sslmode": "verify-full"}

    def test_has_the_patience_that_its_address_gives(self) -> None:
        options = database("postgresql:///register?connect_timeout=2")["OPTIONS"]
        assert isinstance(options, dict) and options["connect_timeout"] == "2"

    @pytest.mark.parametrize("url", ["mysql://db.example/x", "register", ""])
    def test_of_another_kind_is_refused_with_the_form_it_must_have(self, url: str) -> None:
        with pytest.raises(ValueError, match="must begin with postgresql://"):
            database(url)

    @pytest.mark.django_db
    def test_that_takes_the_connection_and_says_nothing_is_given_up(self) -> None:
        """As a stopped process or a full machine does. Without patience of our own this test would never end."""
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = f"postgresql://x@127.0.0.1:{silent.getsockname()[1]}/x?connect_timeout=2&sslmode=disable"
            wrapper = DatabaseWrapper(USUAL | database(url))
            with pytest.raises(OperationalError, match="timeout"):
                wrapper.ensure_connection()
