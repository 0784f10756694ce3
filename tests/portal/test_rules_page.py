"""The rules in force, as anybody may read them."""

import html

import pytest
from django.test import Client
from django.urls import reverse

from rahdari import policy
from rahdari.portal.public.rules import AFTER, KEPT

pytestmark = pytest.mark.django_db


class TestRules:
    def test_are_published_with_their_law_and_nothing_is_left_out(self, client: Client) -> None:
        rules = policy.load(policy.BUNDLED)
        page = html.unescape(client.get(reverse("portal:rules")).content.decode())
        assert rules.version in page
        for code, reason in rules.reasons.items():
            assert f">{code}<" in page and reason.text.en in page, code
            for found in rules.provisions(reason.provisions):
                assert found.name("en") in page
        for service in rules.services.values():
            assert service.title.en in page and service.fee.text.en in page
        for law in rules.instruments.values():
            assert law.title.en in page
        whole = client.get(reverse("portal:rules_text"))
        assert whole.headers["Content-Type"].startswith("text/plain") and rules.version in whole.content.decode()
        assert reverse("portal:rules") in client.get(reverse("portal:source")).content.decode()

    def test_of_keeping_name_a_period_for_whatever_the_policy_keeps_of_people(self, client: Client) -> None:
        kept = policy.load(policy.BUNDLED).retention
        # These hold no person, or what this version does not have, or (sign_in) what stands under "What stays".
        other = {"card_image", "identity_check", "appeal", "operator_answer", "log_leaf", "disclosure"}
        assert set(kept) - other - {"sign_in"} == set(KEPT)
        assert {kept[key].after for key in KEPT} <= set(AFTER)
        page = html.unescape(client.get(reverse("portal:privacy")).content.decode())
        assert "120 days after the final decision" in page and "A copy, or a correction" in page
        assert "these have no date for deletion" in page
        assert "erased when you stop it, but for what a reported disruption needs." in page
        assert (
            "the time of your last sign-in" in page
            and "it is not automatic" in page
            and "which account sent it" in page
        )
