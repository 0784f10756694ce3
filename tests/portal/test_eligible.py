"""May I register, what do I need, what does it cost, what is never asked: without an account, from the policy alone."""

import html
import logging
import re
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client

from rahdari import policy
from rahdari.applicant import paper
from rahdari.apply import eligible, needed
from rahdari.apply.eligible import Use
from rahdari.apply.rules import Which
from rahdari.policy.beyond import MORE

FREELANCER = {"who": "vpn_freelancer", "use": "clients", "which": "line"}
SHIPPED = [policy.load(path) for path in policy.SHIPPED.values()]
SERVICES = [(each, service) for each in SHIPPED for service in each.services.values()]


def page(client: Client, path: str = "/eligible/", **answers: str) -> str:
    response = client.get(f"{path}?{urlencode(answers)}")
    assert response.status_code == 200
    return html.unescape(response.content.decode())


class TestWhatIsNeverAsked:
    @pytest.mark.parametrize("service", [service for _, service in SERVICES], ids=lambda each: each.key)
    @pytest.mark.parametrize("which", ["", *Which])
    def test_is_what_no_form_of_the_service_asks(self, service: policy.Service, which: str) -> None:
        never, asked = needed.never_asked(service, which=which), set(policy.asked_of(service))
        for words, keys in needed.UNLESS_ASKED.items():
            assert keys <= set(MORE)
            assert words not in never or not keys & asked, words
        if which == Which.MOBILE:
            assert "A telephone number" not in never

    def test_of_several_services_is_what_none_asks(self) -> None:
        for each in SHIPPED:
            together = set(map(str, needed.never_asked(*each.services.values())))
            assert together <= set.intersection(
                *({str(words) for words in needed.never_asked(service)} for service in each.services.values())
            )

    def test_is_more_under_rules_that_ask_less(self, client: Client, settings: Any) -> None:
        settings.POLICY_FILE = policy.SHIPPED["declaration"]
        shown = page(client, which="line")
        for words in ("Your name", "The number of your identity card", "Documents", "What you use the VPN for"):
            assert f"<li>{words}</li>" in shown
        assert "Who will use the VPN?" not in shown


@pytest.mark.django_db
class TestThePage:
    def test_leads_where_the_questions_before_an_application_lead(self, client: Client) -> None:
        rules = policy.current(None)
        for who, use, which in product((*rules.services, "none", "licensed"), Use, (Which.LINE, Which.SERVER)):
            found = eligible.eligibility(who=who, use=use, which=which, policy=rules)
            assert found is not None
            leads = client.get("/eligible/", {"who": who, "use": use, "which": which}).context["leads"]
            assert leads.get("outcome", "apply") == found.outcome
            shown = client.get("/eligible/", {"who": who, "use": use, "which": which}).text
            title, heading = (re.search(f"<{tag}>(.*?)</{tag}>", shown, re.DOTALL) for tag in ("title", "h1"))
            assert title and heading and title[1].startswith(heading[1])
            if found.service and found.outcome == "apply":
                assert leads["fee"] == rules.services[found.service].fee.text.en

    @pytest.mark.parametrize("language", ["en", "ur"])
    def test_keeps_nothing_of_the_answers(
        self, client: Client, language: str, django_assert_num_queries: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        with django_assert_num_queries(0):
            response = client.get("/eligible/", FREELANCER, headers={"Accept-Language": language})
        assert not response.cookies and "vpn_freelancer" not in caplog.text
        assert "csrfmiddlewaretoken" not in response.text
        # Another site is not told from where somebody comes.
        assert response.headers["Referrer-Policy"] == "same-origin"

    def test_asks_again_what_is_open_or_unknown(self, client: Client) -> None:
        assert "Choose what the VPN will be used for" in page(client, who="vpn_company", which="line")
        shown = page(client, who="gone", use="staff", which="line")
        assert "Choose who will use the VPN" in shown and "<title>Error: " in shown

    def test_can_be_sent_to_somebody_and_led_on_from(self, client: Client, settings: Any) -> None:
        settings.SITE_URL = "https://register.example"
        shown = page(client, **FREELANCER)
        assert f"https://register.example/eligible/?{urlencode(FREELANCER)}</code>" in shown
        questions = client.get(f"/apply/?{urlencode(FREELANCER)}").context["form"]
        assert {name: questions[name].value() for name in FREELANCER} == FREELANCER

    def test_is_one_tap_from_the_start_page(self, client: Client) -> None:
        assert "May I register? 3 questions, no account</a>" in page(client, "/")

    def test_says_what_a_changed_policy_says(self, client: Client, settings: Any, tmp_path: Path) -> None:
        settings.POLICY_FILE = tmp_path / "policy.toml"
        text = policy.BUNDLED.read_text(encoding="utf-8")
        first = text.index("[services.vpn_freelancer]")
        fee = text.index('en = "No fee"', first)
        settings.POLICY_FILE.write_text(text[:fee] + 'en = "Nothing at all"' + text[fee + 13 :], encoding="utf-8")
        assert "Nothing at all" in page(client, **FREELANCER)


@pytest.mark.django_db
class TestThePoster:
    def test_says_it_in_both_languages_with_a_code_that_leads_there(self, client: Client, settings: Any) -> None:
        settings.SITE_URL = "https://register.example"
        shown = page(client, "/eligible/poster/", **FREELANCER)
        link = f"https://register.example/eligible/?{urlencode(FREELANCER)}"
        assert f'd="{paper.qr_path(link)["d"]}"' in shown
        assert "VPN for a freelancer" in shown and "فری لانسر کے لیے وی پی این" in shown
        assert "What is never asked" in shown and "کیا کبھی نہیں پوچھا جاتا" in shown
        assert "register.example/eligible</p>" in shown

    def test_of_answers_that_lead_to_no_application_is_for_everybody(self, client: Client) -> None:
        shown = page(client, "/eligible/poster/", who="none").partition("<main")[2]
        assert shown == page(client, "/eligible/poster/").partition("<main")[2]
        assert all(each.short.en in shown for each in policy.current(None).services.values() if each.open)
