"""No page, no operation and no command tells of two holders who they are together with where they are.

A register of some hundred holders is planted, and every address of the site, every reading operation of the API and
every command that prints something is asked as each kind of user. What is new is asked too: an address or a command
that stands in no list fails.
"""

import argparse
import datetime as dt
import ipaddress
import json
import re
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rahdari.api.interface import API
from rahdari.apply.models import Application
from rahdari.attest.rules import Identifier
from rahdari.cli import COMMANDS, parser_for
from rahdari.confirm import questions, tokens
from rahdari.control.models import Challenge, Reproof
from rahdari.ops.errors import Told
from rahdari.people import actions as people
from rahdari.people.models import User
from rahdari.publish import actions as publish
from rahdari.publish import queries as editions
from rahdari.register import actions as register
from rahdari.register.models import Entry
from rahdari.register.rules import NewEntry
from tests.access.test_walk import (
    ALL,
    OFFICERS_ON_RECORD,
    OPENED_BY,
    OWN_APPLICATION,
    PROGRAMS,
    VISITORS,
    World,
    the_story,
)
from tests.builders import story
from tests.builders.attestations import an_attestation
from tests.builders.programs import Program
from tests.builders.shared import known_networks
from tests.needs import everything_is_needed, rarely

pytestmark = pytest.mark.django_db
# The second officer is an officer like the first.
WHO = ("nobody", "A", *(each for each in VISITORS if each != "second"))
# One of each kind; the others are people like A, and an officer of a higher rank.
OFTEN = set(OPENED_BY)
# Applications in each state, besides those that are only on the register.
STATES: tuple[tuple[Callable[[User], object], int], ...] = (
    (story.a_full_draft, 2),
    (story.a_case, 6),
    (story.a_question, 3),
    (story.a_notice, 3),
    (story.a_refusal, 3),
    (story.a_granted_application, 6),
)
REGISTERED = 80


class Words:
    """Some of these stand in a text, and not as a part of a longer word, number or address."""

    def __init__(self, words: Iterable[str]) -> None:
        self.words = sorted(filter(None, words), key=len, reverse=True)
        parts = "|".join(map(re.escape, self.words))
        self._whole = re.compile(rf"(?<![\w@.:-])(?:{parts})(?![\w@:-]|\.\d)")

    def stand_in(self, text: str) -> bool:
        return any(word in text for word in self.words) and self._whole.search(text) is not None


@dataclass(frozen=True)
class Holder:
    """One holder, by the words that say who it is, and its addresses."""

    who: Words
    where: Words


@dataclass
class Register:
    world: World
    holders: list[Holder]

    def told(self, text: str) -> int:
        """Of how many holders a text says who and where they are."""
        return sum(bool(each.who.stand_in(text) and each.where.stand_in(text)) for each in self.holders)


def a_holder(name: str, email: str, addresses: Iterable[str], *more: str) -> Holder:
    return Holder(Words((name, email, *more)), Words(addresses))


def on_the_register(number: int) -> Holder:
    """A person, or a company, with an address that was entered long ago."""
    now = timezone.now()
    name = f"Planted Freelancer {number:03}"
    person = people.register_person(email=f"planted-{number:03}@client.example", name=name, now=now)
    holder, shown = person.holder_ref, ""
    if number % 2:
        shown = f"Planted House {number:03} (Pvt) Ltd"
        house = people.register_organisation(
            owner=person, name=shown, company_number=f"1{number:06}", actor="system:test", now=now
        )
        holder = house.holder_ref
    address = f"192.0.2.{number + 1}" if number % 4 else f"2001:db8:77::{number + 1:x}"
    register.enter(
        origin=f"application:{uuid.uuid4()}",
        holder=holder,
        category="vpn_company" if number % 2 else "vpn_freelancer",
        endpoints=[NewEntry(f"endpoint:{uuid.uuid4()}", ipaddress.ip_network(address), "udp", 51820, 64500)],
        valid_from=now,
        valid_until=now + dt.timedelta(days=365),
        actor="system:test",
        now=now,
    )
    if number % 10 == 0:
        an_attestation(identifier=Identifier("email", person.email), name=name)
    return a_holder(name, person.email, [address], shown)


def applied(person: User, make: Callable[[User], object]) -> Holder:
    make(person)
    application = Application.objects.filter(applicant=person).get()
    addresses = [each.address_text for each in application.endpoints.all()]
    # What an operator is asked: at its desk stand the address and a name of which little is left.
    for endpoint in application.endpoints.all():
        questions.ask(
            operator="sample-fibre",
            subject=application.subject,
            target=endpoint.subject,
            policy=story.policy.current(django_settings.POLICY_FILE),
            block=str(endpoint.block),
            name=application.holder_name,
            now=timezone.now(),
        )
    return a_holder(application.name, person.email, addresses)


@pytest.fixture(scope="module")
@known_networks()
def planted(shared: None) -> Register:
    world = the_story()
    holders = [applied(story.a_person(), make) for make, count in STATES for _ in range(count)]
    holders += [on_the_register(number) for number in range(REGISTERED)]
    return Register(world, holders)


def text_of(answer: HttpResponse) -> str:
    if answer.streaming:
        return b"".join(answer.streaming_content).decode("latin-1")  # type: ignore[attr-defined]
    return answer.content.decode(errors="replace")


# -- the site ----------------------------------------------------------------------------------------------------------

# What a list is asked besides itself: other pages of it, and searches that fit many.
ASKED = {
    "decide:queue": ["?page=2", "?view=applicant", "?view=second", "?q=sample", "?q=A-", "?checks=failed"],
    "decide:addresses": ["?page=2"],
    "decide:unreached": ["?page=2"],
    "attest:members": ["?page=1", "?q=planted"],
    "portal:registrations": ["?page=2", "?q=203.0.113"],
    "fees:payments": ["?page=2"],
    "confirm:checks": ["?page=2"],
}


def places(world: World, name: str, who: str) -> Iterator[str]:
    # Of an applicant's own pages, closed to all others, one state stands for all of them.
    most = 1 if who != "A" and name in OWN_APPLICATION else None
    for place in islice(world.places(name), most):
        yield place
        yield from (place + asked for asked in ASKED.get(name, ()))


@pytest.mark.parametrize("who", rarely(WHO, often=OFTEN))
def test_no_page_tells_of_two(planted: Register, who: str) -> None:
    """Every name of the URL table is asked: `tests/access/test_walk.py` says what stands in its address, or fails.
    Where not everything is asked for, each is asked by who may open it; it is closed to the others
    (`tests/access/test_visitors.py`)."""
    browser, asked = planted.world.client(who), 0
    names = set(ALL if everything_is_needed() else OPENED_BY.get(who, ALL)) - PROGRAMS
    for name in sorted(names):
        for place in places(planted.world, name, who):
            asked += 1
            assert planted.told(text_of(browser.get(place))) < 2, f"{who} {place}"
    assert asked >= len(names)


@pytest.mark.parametrize("who", rarely(["officer", "director"], often=OFTEN))
def test_no_page_of_a_planted_case_tells_of_two(planted: Register, who: str) -> None:
    browser = planted.world.client(who)
    for application in Application.objects.exclude(case=None).order_by("reference")[::3]:
        session = browser.session
        session["desk_why"] = {application.reference: "supervision"}
        session.save()
        facts = {"reference": application.reference, "endpoint": application.endpoints.get().pk}
        for name in sorted(OFFICERS_ON_RECORD):
            if set(ALL[name]) <= set(facts):
                place = reverse(name, kwargs={key: facts[key] for key in ALL[name]})
                assert planted.told(text_of(browser.get(place))) < 2, place


def test_no_page_of_what_reaches_nobody_tells_of_two(planted: Register) -> None:
    """Its operator has stopped: then what is granted stands on a page of its own."""
    operator = editions.operator_by_slug("sample-fibre")
    assert operator is not None
    publish.stop_operator(operator=operator, actor="system:test", now=timezone.now())
    page = text_of(planted.world.client("officer").get(reverse("decide:unreached")))
    assert len([each for each in planted.holders if each.where.stand_in(page)]) >= 3
    assert planted.told(page) < 2


def test_no_page_of_proofs_in_vain_tells_of_two(planted: Register) -> None:
    now = timezone.now()
    over: dict[str, Any] = {"state": Reproof.State.IN_VAIN, "windows": 3, "in_vain": 3, "between": dt.timedelta(days=1)}
    over |= {"opened_at": now, "window_ends_at": now, "ended_at": now}
    for entry in Entry.objects.filter(ended_at=None):
        proof = Challenge.objects.filter(subject=entry.origin, status="valid").first()
        if proof is not None:
            Reproof.objects.create(about=f"entry:{entry.pk}", proof=proof, occasion="term:1", **over)
    page = text_of(planted.world.client("officer").get(reverse("portal:proofs_in_vain")))
    assert len([each for each in planted.holders if each.where.stand_in(page)]) >= 3
    assert planted.told(page) < 2


@pytest.mark.parametrize(
    ("who", "place", "by", "least"),
    [
        ("officer", "decide:queue", "who", 5),
        ("officer", "decide:approvals", "who", 2),
        ("operator", "confirm:checks", "where", 9),
        ("association", "attest:members", "who", 5),
    ],
)
def test_the_lists_that_are_walked_are_full(planted: Register, who: str, place: str, by: str, least: int) -> None:
    page = text_of(planted.world.client(who).get(reverse(place)))
    assert len([each for each in planted.holders if getattr(each, by).stand_in(page)]) >= least


def test_no_search_of_the_desk_tells_of_two(planted: Register) -> None:
    browser = planted.world.client("officer")
    demand = {
        "number": "1",
        "body": "A Tribunal",
        "provision": "s. 1",
        "day": "2026-11-01",
        "signed_by": "Its registrar",
    }
    place = browser.post(reverse("demand:new"), demand | {"wanted": "Who applied.", "how_many": "one"})["Location"]
    for asked in ("Planted House 001 (Pvt) Ltd", "192.0.2.0/24", "192.0.2.2", "Sample Freelancer"):
        answer = browser.post(f"{place}file/", {"asked": asked})
        assert planted.told(text_of(answer)) < 2, asked


# -- programs ----------------------------------------------------------------------------------------------------------


def test_no_operation_of_the_api_tells_of_two(planted: Register) -> None:
    """Those that read, with all rights, as somebody who has a bit of everything and as somebody who has nothing."""
    asked = 0
    for visitor in ("A", "B", "member", "officer", "operator"):
        program = Program(planted.world.visitors[visitor])
        for each in API.operations():
            if each.method != "GET":
                continue
            named = visitor == "A" and "{" in each.path
            facts = (planted.world.sent | planted.world.drafts).values() if named else [{}]
            for given in facts:
                place = re.sub(
                    r"{(\w+)}", lambda found, given=given: str(given.get(found[1], uuid.UUID(int=1))), each.path
                )
                asked += 1
                answer = program.client.get(f"/api/v1{place}")
                assert planted.told(text_of(answer)) < 2, f"{visitor} {each.id}"
    assert asked > len([each for each in API.operations() if each.method == "GET"])


@pytest.mark.parametrize("name", sorted(each for each in PROGRAMS if not each.startswith("api:")))
def test_no_address_for_programs_tells_of_two(planted: Register, name: str) -> None:
    """With the token of an operator's system, from the machine itself, and with nothing."""
    _token, key = tokens.make_token(
        operator="sample-fibre", name="Sample system", sandbox=False, by="person:x", now=timezone.now()
    )
    for headers in ({}, {"authorization": f"Bearer {key}"}):
        for place in planted.world.places(name):
            for more in ("", "?limit=500"):
                assert planted.told(text_of(Client(headers=headers).get(place + more))) < 2, name


# -- commands ----------------------------------------------------------------------------------------------------------

# What is printed of what is there, with what to give each.
READ: dict[str, list[str]] = {
    "feed status": [],
    "feed holds": [],
    "feed canaries": [],
    "feed missing": ["--list", "/dev/stdout"],
    "operator list": [],
    "operator credentials": ["sample-fibre"],
    "roster status": [],
    "directory show": ["203.0.113.1"],
    "rpki show": ["203.0.113.1"],
    "registry show": ["203.0.113.1"],
}
# Why the others are not run here; a star stands for all acts of a command.
NOT_RUN: dict[str, tuple[str, ...]] = {
    "starts processes, whose answers are asked above": (
        *("up", "demo", "web", "worker", "publisher", "push", "lookup", "watch run"),
    ),
    "makes an installation ready or checks it, and reads no holder": (
        *("prepare", "doctor", "policy check", "policy announce", "policy use", "vantage *"),
    ),
    "copies a register whole, encrypted for a key that is kept elsewhere, and prints names of backups and counts": (
        *("backup *", "restore", "drill *"),
    ),
    "changes the one thing that it is told, and says so": (
        *("feed keys", "feed renew", "feed rotate", "feed replace-key", "feed new-key", "feed sign", "feed import"),
        *("feed approve", "feed cancel", "feed reopen", "feed bulk", "feed new-session", "feed canary"),
        *("feed end-canary", "feed mirror", "operator add", "operator rights", "operator mobile", "operator token"),
        *("operator certificate", "operator end", "operator keys", "operator stop", "people *", "letters *", "sms *"),
        "watch take-in",
        *("roster import", "directory import", "rpki import", "registry import"),
    ),
    "knows drafts of rules and what is said of them, and no holder (`commenters-are-not-registered-people`)": (
        "consult *",
    ),
    "knows providers that hold a licence, which are public, and no holder": ("providers *",),
    "prints numbers of rows and states, and no name and no address (tests/watch)": ("watch rescore",),
    "prints, publishes and writes what is published of months, and no name and no address (tests/figures)": (
        *("figures verify", "figures correct", "figures report", "figures check"),
    ),
    "prints numbers of cases with codes, and no name and no address (tests/decide/test_replay.py)": ("policy replay",),
    "opens what is sealed, of one number at a time, with a key that is not on the machine": ("keys *",),
    "knows a plan file alone, and no register (docs/difference.md)": ("difference *",),
    "speaks to the API alone, whose operations are asked above": ("my *",),
    "knows the feed alone, which knows no person (test_the_feed_knows_no_person.py)": ("agent *",),
}


def acts_of(word: str) -> Iterator[str]:
    """The command and its acts, as they are typed."""

    def walk(parser: argparse.ArgumentParser, typed: list[str]) -> Iterator[str]:
        inner = [each for each in parser._actions if isinstance(each, argparse._SubParsersAction)]
        if not inner:
            yield " ".join(typed)
        for each in inner:
            for name, further in each.choices.items():
                yield from walk(further, [*typed, name])

    yield from (typed for typed in walk(parser_for(word), []) if f"{typed} ".startswith(f"{word} "))


def test_every_command_was_thought_of() -> None:
    typed = [each for word in COMMANDS for each in acts_of(word)]
    assert len(typed) > 60
    known = {*READ, *(each for group in NOT_RUN.values() for each in group)}
    unknown = [each for each in typed if not {each, f"{each.split()[0]} *"} & known]
    assert unknown == [], "say here what these print, or why they are not run"
    gone = {each for each in known if not each.endswith(" *")} - set(typed)
    assert gone == set(), "these are no commands any more"


@pytest.mark.parametrize("typed", sorted(READ))
def test_no_command_tells_of_two(planted: Register, typed: str, capsys: pytest.CaptureFixture[str]) -> None:
    given = parser_for(typed.split()[0]).parse_args([*typed.split(), *READ[typed]])
    try:
        given.run(given)
    except Told as told:
        print(told)
    said = capsys.readouterr()
    assert said.out or said.err
    assert planted.told(said.out + said.err) < 2


# -- it bites ----------------------------------------------------------------------------------------------------------


def test_planted_lists_are_seen(planted: Register) -> None:
    """What a list of the desk would be with both, a file, and an answer of an operation."""
    entries = [(f"Planted House {number:03} (Pvt) Ltd", f"192.0.2.{number + 1}") for number in (1, 3)]
    one = f"<tr><td>{entries[0][0]}</td><td><code>{entries[0][1]}</code></td></tr>"
    both = "".join(f"<tr><td>{name}</td><td><bdi dir='ltr'>{address}</bdi></td></tr>" for name, address in entries)
    assert planted.told(one) == 1 and planted.told(both) == 2
    assert planted.told("\n".join(f"{name},{address}/32,udp" for name, address in entries)) == 2
    assert planted.told(json.dumps([{"name": name, "prefix": address} for name, address in entries])) == 2
    # Only who, only where, and the beginning of another address.
    assert planted.told("".join(name for name, _ in entries)) == 0
    assert planted.told(" ".join(address for _, address in entries)) == 0
    assert planted.told(both.replace("192.0.2.2", "192.0.2.299").replace("192.0.2.4", "192.0.2.41")) == 0


def test_a_row_with_both_is_seen_on_the_queue(planted: Register, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fault as it stood: the first address of a case beside the name of its applicant."""
    monkeypatch.setattr(
        "rahdari.decide.desk.QueueRow.holder",
        property(lambda row: f"{row.case.application.holder_name} {row.case.application.endpoints.first().block}"),
    )
    page = text_of(planted.world.client("officer").get(reverse("decide:queue")))
    assert planted.told(page) >= 2
