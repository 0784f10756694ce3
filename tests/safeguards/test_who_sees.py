"""Each form's "who sees this" is so: what a reader really gets is said, and what is said to be kept from them is.

What a reader gets is read off the code that gives it: the fields of the feed, the answer of the operators' API, and
the names in the templates of pages and letters. A claim of a form is a sentence with "never", "nobody but", "not told"
or "no name"; each stands in `KEPT_FROM` with what its reader does not get, so that a new one has to be thought of.
"""

import datetime as dt
import html
import re
from collections.abc import Iterable
from dataclasses import fields
from types import SimpleNamespace
from typing import Any, cast

import pytest
from django.test import Client

from rahdari import policy
from rahdari.apply import step_forms
from rahdari.apply.models import Application
from rahdari.confirm.models import SubscriberQuestion
from rahdari.confirm.operations import question_json
from rahdari.confirm.rules import QuestionKind
from rahdari.feed import FeedEntry
from rahdari.vouch.parties import PARTIES
from tests.safeguards.sentences import SOURCE

# What is of no person: numbers and times of the matter itself, and what its reader answered.
OF_THE_MATTER = frozenset(
    "check kind asked_at answer_until answer reason answered_at due_at ends_at ended_at url stop_url code id "
    "not_before not_after domain association sent_at listed".split()
)
READERS = ("feed", "operator", "mobile", "client", "association", "registry", "contact", "neighbour")
ROOMS = {
    "question.html": SOURCE / "vouch/templates/vouch/question.html",
    "asked.html": SOURCE / "attest/templates/attest/asked.html",
    "client_question": SOURCE / "letters/templates/letters/client_question.en.html",
    "shared": SOURCE / "share/templates/share/question.html",
    "association_asked": SOURCE / "letters/templates/letters/association_asked.en.html",
    "registry_code": SOURCE / "letters/templates/letters/registry_code.en.html",
    "represents_code": SOURCE / "letters/templates/letters/represents_code.en.html",
    "representative_asked": SOURCE / "letters/templates/letters/representative_asked.en.html",
}
# Words by which a statement says that its reader gets this.
SAID_BY = {
    "name": "name",
    "name_masked": "first and last letters",
    "subscriber": "subscriber number|mobile number|number",
    "address": "address|range",
    "member_number": "member number",
    "email": "email",
    "prefix": "address",
    "protocol": "protocol",
    "port": "port",
    "organisation": "number|company",
}


def named_in(text: str, *holders: str) -> frozenset[str]:
    """What a template shows of these objects (`question.name`), or as it is (`name`) where none is given."""
    of = rf"(?:{'|'.join(holders)})\." if holders else ""
    tags = " ".join(re.findall(r"\{[{%].*?[%}]\}", text, re.DOTALL))
    found = re.findall(rf"(?:{{{{\s*|\bwith\s+(?:\w+=)?|\b\w+=){of}([a-z_]+)\b(?![.=])", tags)
    return frozenset(found) - OF_THE_MATTER - {"blocktranslate", "trimmed"}


def of_template(name: str, *holders: str) -> frozenset[str]:
    return named_in(ROOMS[name].read_text(encoding="utf-8"), *holders)


WORDS = frozenset({"about", "question", "lead", "not_asked"})


def of_party() -> frozenset[str]:
    """What the words of page and letter name."""
    words = [str(getattr(party, each.name)) for party in PARTIES.values() for each in fields(party)]
    return frozenset(name for word in words for name in re.findall(r"%\((\w+)\)s", word))


def of_operator(kind: QuestionKind) -> frozenset[str]:
    now = dt.datetime(2026, 11, 10, tzinfo=dt.UTC)
    question = SubscriberQuestion(
        number="Q-1",
        kind=kind,
        subscriber="SN-1",
        name_masked="S****e",
        block="" if kind is QuestionKind.MOBILE else "203.0.113.7/32",
        asked_at=now,
        due_at=now,
    )
    return frozenset(question_json(question)) - OF_THE_MATTER


def given() -> dict[str, frozenset[str]]:
    feed = {name for name in FeedEntry.__dataclass_fields__ if name not in {"extra", "others", "unknown"}}
    return {
        "feed": frozenset(feed) - OF_THE_MATTER,
        "operator": of_operator(QuestionKind.SUBSCRIBER),
        "mobile": of_operator(QuestionKind.MOBILE),
        "client": of_template("question.html", "question") | of_party() | of_template("client_question") - WORDS,
        "association": of_template("asked.html", "asked") | of_template("association_asked"),
        "registry": of_template("registry_code"),
        "contact": of_template("represents_code"),
        # Of the asker; the address is the reader's own.
        "neighbour": of_template("shared", "asked"),
    }


def _of(words: Iterable[Any]) -> str:
    return " ".join(str(each) for each in words)


def by_form() -> dict[str, str]:
    """What the forms say, by whom it is about."""
    service = policy.current(None).services["vpn_freelancer"]
    application = cast("Application", SimpleNamespace(is_mobile=False))
    mobile = cast("Application", SimpleNamespace(is_mobile=True))
    return {
        "operator": _of(step_forms.who_sees_a_person(application, service)),
        "mobile": _of(step_forms.who_sees_a_person(mobile, service)),
        "client": _of(step_forms.CLIENT.beside),
        "association": _of(step_forms.MEMBERSHIP.beside),
        "registry": text_of("portal/applicant/contact_method.html"),
        "contact": text_of("portal/applicant/represent.html"),
        "neighbour": text_of("portal/applicant/share.html"),
        "feed": text_of("apply/parts/which.html"),
    }


def text_of(template: str) -> str:
    """What the template says itself, without its markup."""
    [path] = SOURCE.glob(f"*/templates/{template}")
    source = path.read_text(encoding="utf-8")
    said = re.findall(r'{% translate "([^"]+)"', source)
    said += re.findall(r"(?s){% blocktranslate[^%]*%}(.*?){% endblocktranslate", source)
    return _of(said)


def unsaid(reader: str, gets: Iterable[str], statement: str) -> list[str]:
    return [
        f"{reader}: {each}"
        for each in sorted(gets)
        if not re.search(SAID_BY.get(each, "(?!)"), statement, re.IGNORECASE)
    ]


# The claim, whom it is about, and what they are said not to get.
KEPT_FROM = {
    "The officers who decide. We record each time that they open it.": (),
    "We do not tell them what the work is, what it pays, or from which address.": (
        "client",
        "address",
        "purpose",
        "prefix",
    ),
    "Never your address, your card number, or what the connection is for.": (
        "association",
        "address",
        "prefix",
        "card",
        "cnic",
        "purpose",
    ),
    "If we ask them, they learn that you apply. We do not tell them the result.": (
        "association",
        "status",
        "decision",
        "registration",
    ),
    # Held for every reader at once: `broken`.
    "Nobody but the officers sees your card number.": (),
    "Anyone who scans the code on your certificate: your name. Nobody else among the public.": (),
    "Nothing else about you is in the feed, but your own operator knows whose line it is.": ("feed", "name", "holder"),
}
# A sentence that keeps something from somebody. What is done only if or where something else is says who gets it.
KEEPS = re.compile(r"\b(never|nobody (but|else)|no one|nothing else|not|cannot)\b(?! attested)", re.IGNORECASE)
CARD = frozenset({"card", "cnic", "cnic_index"})


def broken(gets: dict[str, frozenset[str]]) -> list[str]:
    """Claims that are not kept. A card number goes to no reader at all."""
    found = [
        f"{about[0]} gets {each}: {claim}"
        for claim, about in KEPT_FROM.items()
        if about
        for each in sorted(gets[about[0]] & set(about[1:]))
    ]
    return found + [f"{reader} gets a card number" for reader, fields in sorted(gets.items()) if fields & CARD]


class TestWhatReadersGet:
    @pytest.mark.parametrize("reader", READERS)
    def test_is_said_on_the_form(self, reader: str) -> None:
        assert set(given()) == set(READERS) and given()[reader], "what the reader gets was found"
        assert unsaid(reader, given()[reader], by_form()[reader]) == []

    def test_is_said_on_the_page_on_privacy(self, client: Client, db: None) -> None:
        page = html.unescape(client.get("/privacy/").text)
        for reader, gets in given().items():
            assert unsaid(reader, gets, page) == []
        assert "identifies you like your name" in page and "Telecom Act 1996, section 18(4)" in page

    def test_would_be_missed_if_it_were_more(self) -> None:
        letter = ROOMS["client_question"].read_text(encoding="utf-8")
        more = named_in(letter.replace("{{ ends_at", "{{ purpose }} {{ ends_at")) - WORDS
        assert unsaid("client", more, by_form()["client"]) == ["client: purpose"]
        page = ROOMS["asked.html"].read_text(encoding="utf-8").replace("{{ asked.name|name }}", "{{ asked.cnic|ltr }}")
        assert unsaid("association", named_in(page, "asked"), by_form()["association"]) == ["association: cnic"]


class TestWhatFormsPromise:
    def test_is_kept(self) -> None:
        assert broken(given()) == []

    def test_is_found_when_it_is_not(self) -> None:
        planted = given()
        planted["client"] |= {"purpose"}
        planted["association"] |= {"cnic"}
        planted["feed"] |= {"holder"}
        found = broken(planted)
        assert [each.partition(":")[0] for each in found] == [
            "client gets purpose",
            "association gets cnic",
            "feed gets holder",
            "association gets a card number",
        ]

    def test_is_thought_of_each_time(self) -> None:
        """A sentence that keeps something from somebody stands in the list, or says what its reader does get."""
        words = [*step_forms.CLIENT.beside, *step_forms.MEMBERSHIP.beside]
        service = policy.current(None).services["vpn_freelancer"]
        words += step_forms.who_sees_a_person(cast("Application", SimpleNamespace(is_mobile=False)), service)
        keeps = {str(each) for each in words if KEEPS.search(str(each))}
        assert {each for each, about in KEPT_FROM.items() if about} <= keeps, "each of the list is seen as one"
        assert keeps - set(KEPT_FROM) == set()

    @pytest.mark.parametrize(
        "words", ["We do not tell them your street.", "They cannot see your letters.", "Your card is shown to no one."]
    )
    def test_is_seen_in_other_words(self, words: str) -> None:
        assert KEEPS.search(words)
