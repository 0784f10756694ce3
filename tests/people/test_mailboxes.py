"""Which addresses of email can be somebody's."""

from typing import Any

import pytest
from django.test import Client

from rahdari.letters.models import Letter
from rahdari.people import mailboxes

pytestmark = pytest.mark.django_db


class TestAnInvisibleMark:
    @pytest.mark.parametrize(
        "typed", ["\u200fa@sample.example", "\u2066a@sample.example\u2069", "a@sample.example\u200b"]
    )
    def test_beside_an_address_is_no_fault(self, client: Client, typed: str) -> None:
        assert client.post("/sign-in/", {"email": typed}).status_code == 302
        assert Letter.objects.filter(template="code").count() == 1
        assert mailboxes.EmailField().clean(typed) == "a@sample.example"


class TestAnAddressThatIsNobodys:
    @pytest.mark.parametrize("email", ["x@[10.0.0.1]", "x@localhost", "x@db.internal", "x@mail.local", "x@10.0.0.1"])
    def test_gets_no_code(self, client: Client, email: str) -> None:
        assert client.post("/sign-in/", {"email": email}).status_code == 200
        assert not Letter.objects.filter(template="code").exists()

    def test_may_be_one_for_samples_only_where_nothing_leaves(self, settings: Any) -> None:
        assert mailboxes.is_reachable("a@sample.example") and mailboxes.is_reachable("a@some.firm.pk")
        settings.SAMPLE_MAIL = False
        assert not mailboxes.is_reachable("a@sample.example") and mailboxes.is_reachable("a@some.firm.pk")
