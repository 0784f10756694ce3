"""Nobody learns about somebody else from the stage, the pages and the answers of an application that was sent."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from uuid import uuid4

import pytest
import time_machine
from django.urls import get_resolver, reverse
from django.utils import timezone

from rahdari import policy, workflow
from rahdari.api.interface import API
from rahdari.applicant.access_log import looks_at_application
from rahdari.apply import queries as applications
from rahdari.apply.models import Application
from rahdari.attest import queries as attestations
from rahdari.attest.rules import Identifier
from rahdari.checks import contacts
from rahdari.control import rules
from rahdari.decide import queries as decisions
from rahdari.letters.models import Letter
from rahdari.sampling import drawing, looking
from rahdari.sampling import queries as second_looks
from rahdari.vouch import actions as vouch
from rahdari.vouch.models import ReferenceRequest
from tests.builders.attestations import ASSOCIATION, an_attestation
from tests.builders.cases import DAY, HOUR, an_officer, prove
from tests.builders.programs import Program
from tests.safeguards.test_no_form_tells import (
    CARDS,
    CLIENTS,
    MEMBERS,
    NAMES,
    World,
    browser,
    difference,
    seen,
    world,
)
from tests.workflow.test_representing import NAME, a_freelancer, imported, letters_to, whose
from tests.workflow.test_representing import sent as a_company

__all__ = ["world"]


def came_to(application: Application) -> tuple[Any, ...]:
    """What an applicant has of it in the end: the decision, when, the clock, the looks, and the letters, in order."""
    case = decisions.case_of(application)
    decision = decisions.decision_of(case) if case is not None else None
    assert case is not None and decision is not None
    letters = Letter.objects.filter(to=application.applicant).order_by("written_at", "template")
    return (
        (application.status, case.status, case.lane, case.started_at, decision.at, decision.provisional_until),
        [(row.act, row.at) for row in decisions.history_for_applicant(case)],
        [(look.what, look.why) for look in looks_at_application(application, timezone.now())],
        [each.template for each in letters],
    )


@pytest.mark.django_db
class TestWhatWasSent:
    """The stage and the answers after sending, until the own contact or address is proved."""

    def shown(self, application: Application) -> Any:
        said = Program(application.applicant).get(f"/applications/{application.reference}")
        client = browser(application.applicant)
        values = [application.cnic, application.association_number, application.company_number]
        values.append(application.evidence_text if application.evidence_kind == "client_confirms" else "")
        pages = [
            client.get(reverse(f"portal:{page}", args=[application.reference])) for page in ("status", "represent")
        ]
        lists = [client.get(reverse("portal:home")), client.get(reverse("attest:mine"))]
        shown = []
        for answer in (said, *pages, *lists, Program(application.applicant).get("/attestations")):
            status, led, text, _size = seen(answer, application.applicant.email)
            for value in filter(None, values):
                text = text.replace(value, "·")
            own = r"(203\.0\.113|198\.51\.100)\.\d+|3520212\d+|RD-[0-9A-Z]+-[0-9A-Z]+|sends-\d"
            shown.append((status, re.sub(own, "·", led), re.sub(own, "·", text), 0))
        return shown

    def differences(self, found: list[Application]) -> list[Any]:
        first, *others = [self.shown(each) for each in found]
        pairs = [pair for other in others for pair in zip(first, other, strict=True)]
        return [difference(one, other) for one, other in pairs if one != other]

    def test_say_the_same_of_a_card_that_is_registered_known_or_nobodys(self, world: World) -> None:
        found, now = [], timezone.now()
        for each, card in enumerate(CARDS):
            given: dict[str, Any] = {"cnic": card, "number": "", "proved": False, "at": now}
            found.append(a_freelancer(f"sends-{each}@mail.example", f"203.0.113.10{each}", **given))
        assert self.differences(found) == []

    def test_come_to_the_same_for_a_card_that_is_registered_known_or_nobodys(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The address is proved: the rule grants, and nobody reads that an officer looks afterwards."""
        monkeypatch.setattr(drawing._by_chance, "randrange", lambda most: most - 1)  # chance draws nothing
        now, officer = timezone.now(), an_officer("Officer L")
        drawing.draw(now)
        found = []
        for each, card in enumerate(CARDS):
            given: dict[str, Any] = {"cnic": card, "number": "", "kind": "self_declaration", "at": now}
            found.append(a_freelancer(f"sends-{each}@mail.example", f"203.0.113.10{each}", **given))
        assert [came_to(each) for each in found] == [came_to(found[0])] * 3
        assert found[0].status == "granted"
        for later in (HOUR, DAY, 2 * DAY):
            workflow.advance(now=now + later)
        looked: list[Application] = []
        while look := looking.take_next(officer=officer, now=now + 2 * DAY):
            second_looks.file_for_look(officer=officer, id=look.pk, now=now + 2 * DAY)
            looking.give_verdict(
                look=look, officer=officer, verdict="ask", codes=["Q4"], text="Whose?", now=now + 2 * DAY
            )
            looked.append(look.decision.case.application)
        assert set(found[:2]) <= set(looked)
        for each in found:
            each.refresh_from_db()
        assert self.differences(found) == []
        assert [came_to(each) for each in found] == [came_to(found[0])] * 3

    def test_say_the_same_of_a_card_when_officers_look_for_another_reason(self, world: World) -> None:
        """The address is of no known network, so an officer looks at each of them."""
        found, now = [], timezone.now()
        for each, card in enumerate(CARDS):
            given: dict[str, Any] = {"cnic": card, "number": "", "at": now}
            found.append(a_freelancer(f"sends-{each}@mail.example", f"198.51.100.10{each}", **given))
        assert all(decisions.case_of(each) is not None for each in found)
        assert self.differences(found) == []

    def test_say_the_same_of_a_client_that_others_named_or_that_wants_no_mail(self, world: World) -> None:
        """Beyond what an address gets nothing goes out, and whoever asks then reads nothing else."""
        now = timezone.now()
        for each in range(8):
            question = self.a_question(CLIENTS[0], each, now)
        assert not question.goes_out
        vouch.stop(question=self.a_question(CLIENTS[1], 9, now), now=now)
        found = []
        for each, client in enumerate(CLIENTS):
            given: dict[str, Any] = {"kind": "client_confirms", "text": client, "number": "", "at": now}
            found.append(a_freelancer(f"sends-{each}@mail.example", f"203.0.113.10{each}", cnic=CARDS[each], **given))
        pages = []
        for each, client in zip(found, CLIENTS, strict=True):
            place = reverse("portal:client", args=[each.reference])
            asked = Program(each.applicant).get(f"/applications/{each.reference}/client")
            assert asked.status_code == 200
            shown = [asked, browser(each.applicant).get(place), browser(each.applicant).post(place, {"again": "1"})]
            pages.append([seen(answer, client) for answer in shown])
        assert pages[0] == pages[1] == pages[2]
        assert self.differences(found) == []
        for later in (2 * DAY, 5 * DAY, 9 * DAY):
            workflow.advance(now=now + later)
        for each in found:
            each.refresh_from_db()
        assert [came_to(each) for each in found] == [came_to(found[0])] * 3

    def a_question(self, client: str, place: int, now: Any) -> ReferenceRequest:
        rules = policy.current(None).vouching
        assert rules is not None
        about: dict[str, Any] = {"subject": f"check:{uuid4()}", "asked_by": f"person:{place}", "language": "en"}
        return vouch.ask(name=NAMES[0], address=client, rules=rules, now=now, **about)

    def test_say_the_same_of_a_members_number(self, world: World) -> None:
        """Of somebody else, one that has expired, and one that nobody has, with a name that fits and one that does
        not; also when a code was asked for, and a wrong one given."""
        found, now = [], timezone.now()
        for each, number in enumerate(MEMBERS):
            given: dict[str, Any] = {"cnic": f"352021234569{each}", "number": number, "at": now}
            found.append(a_freelancer(f"sends-{each}@mail.example", f"203.0.113.10{each}", **given))
        assert self.differences(found) == []
        for data in ({"to": "email"}, {"code": "7kq2-m4xz"}, {"to": "mobile"}, {"officer": "1"}):
            answers = []
            for each in found:
                place = reverse("portal:represent", args=[each.reference])
                answers.append(seen(browser(each.applicant).post(place, data), each.applicant.email))
            assert answers[0] == answers[1] == answers[2]
        assert self.differences(found) == []

    def test_say_the_same_and_come_to_the_same_for_a_card_that_is_attested(self, world: World) -> None:
        """The association is named, and asked of each of them: of the member, of somebody else's name, of nobody."""
        now, names = timezone.now(), NAMES[:2]
        for card, name in zip(CARDS, names, strict=False):
            an_attestation(identifier=Identifier("card", card), name=name, now=now)
        for proved in (False, True):
            found = []
            for each, card in enumerate(CARDS):
                given: dict[str, Any] = {"cnic": card, "number": MEMBERS[2], "proved": proved, "name": NAMES[0]}
                mail, block = f"sends-{proved:d}{each}@mail.example", f"203.0.113.{100 + 10 * proved + each}"
                found.append(a_freelancer(mail, block, at=now, association=ASSOCIATION, **given))
            assert self.differences(found) == []
        for later in (HOUR, 6 * DAY):
            workflow.advance(now=now + later)
            for each in found:
                each.refresh_from_db()
            assert self.differences(found) == []
        assert found[0].status == "granted" and [came_to(each) for each in found] == [came_to(found[0])] * 3
        assert not attestations.theirs(found[0].applicant).exists()

    def test_say_the_same_and_come_to_the_same_for_a_company_that_is_attested(self, world: World) -> None:
        """As a member, under another name, as a former member, and not at all; the address unproved, and proved."""
        now, name, numbers = timezone.now(), "Sample House (Pvt) Ltd", ("0000601", "0000602", "0000603", "0000604")
        rows = "".join(f"{number},{name},house-{number}@list.example\n" for number in numbers)
        imported(world.folder, "companies", f"number,name,email\n{rows}")
        over = {"valid_from": now.date() - 9 * DAY, "valid_until": now.date() - DAY}
        for number, attested in zip(numbers, ({"name": name}, {"name": "Other"}, {"name": name, **over}), strict=False):
            an_attestation(claim="it_company", identifier=Identifier("company", number), now=now, **attested)
        for proved in (False, True):
            found = []
            for each, number in enumerate(numbers):
                company: dict[str, Any] = {"name": name, "company_number": number, "ntn": "0000482", "proved": proved}
                mail, block = f"sends-{proved:d}{each}@mail.example", f"203.0.113.{100 + 10 * proved + each}"
                found.append(a_company(mail, block, at=now, **company))
            assert self.differences(found) == []
        for later in (HOUR, 20 * DAY):
            workflow.advance(now=now + later)
            for each in found:
                each.refresh_from_db()
            assert self.differences(found) == []
        cases = [decisions.case_of(each) for each in found]
        assert len({(case.started_at, case.lane) for case in cases if case is not None}) == 1 and None not in cases
        assert len({tuple(sorted(letters_to(each.applicant))) for each in found}) == 1


def pages_of_an_application() -> list[str]:
    """The pages of the portal that lead from an application alone."""
    found = get_resolver("rahdari.portal.applicant.urls").url_patterns
    own = (each for each in found if str(each.pattern).startswith("my/applications/<str:reference>/"))
    return [f"portal:{each.name}" for each in own if str(each.pattern).count("<") == 1]


def documents_of_an_application() -> list[str]:
    """What a program reads of an application, and of its person."""
    paths = {each.path for each in API.operations() if each.method == "GET"}
    return sorted(path for path in paths if path.startswith("/applications/{") and path.count("{") == 1)


# A number on the list, and one on none, under which somebody is registered; and beside each one that nobody has.
LISTED, UNLISTED = ("0000482", "0000744"), ("0000555", "0000999")
DOMAINS = ("softwarehouse.example", "softwarehause.example")


@pytest.mark.django_db
class TestACompanysNumber:
    """Who applies with it, and has proved an address of their own, does not learn whether somebody is registered under
    it: not by stage, words, times, pages, documents or letters, whatever those say who are registered."""

    def listed(self, folder: Path, numbers: tuple[str, str]) -> None:
        rows = [f"{number},{NAME},office@{domain},{domain}" for number, domain in zip(numbers, DOMAINS, strict=True)]
        imported(folder, "companies", "\n".join(["number,name,email,domain", *rows, ""]))

    @pytest.fixture(autouse=True)
    def one_of_each_is_registered(self, tmp_path: Path) -> Iterator[Any]:
        imported(tmp_path, "active_taxpayers", f"number,name\n0000482,{NAME}\n")
        with time_machine.travel(timezone.now(), tick=False) as clock:
            self.clock, now = clock, timezone.now()
            self.listed(tmp_path, (UNLISTED[0], LISTED[0]))
            for each, number in enumerate((UNLISTED[0], LISTED[0])):
                owner = a_company(f"office@{DOMAINS[each]}", f"203.0.113.9{each}", company_number=number, at=now)
                assert owner.status == "granted"
            self.listed(tmp_path, LISTED)
            yield

    def told(self, application: Application) -> dict[str, tuple[int, str, str, int]]:
        """All that is shown and written to whoever applies, each time and clock in it as it is."""
        client, program = browser(application.applicant), Program(application.applicant)
        found: dict[str, Any] = {}
        for page in pages_of_an_application():
            found[page] = client.get(reverse(page, args=[application.reference]))
        found["home"] = client.get(reverse("portal:home"))
        place = reverse("portal:organisation", args=[application.organisation_id])
        found["organisation"] = client.get(place)
        found["applications"] = client.get(f"{place}?view=applications")
        for path in documents_of_an_application():
            found[path] = program.get(path.replace("{reference}", application.reference))
        letters = Letter.objects.filter(to=application.applicant).order_by("written_at", "template")
        written = "\n".join(f"{each.template} {each.written_at} {self.plain(each.text)}" for each in letters)
        return {"letters": (0, "", written, 0)} | {
            name: (each.status_code, self.plain(each.headers.get("Location", "")), self.plain(each.content.decode()), 0)
            for name, each in found.items()
        }

    def plain(self, text: str) -> str:
        """Without what is the applicant's own: number, address, names, keys."""
        text = re.sub(r'csrfmiddlewaretoken" value="[^"]*"|nonce="[^"]*"|csrfToken[^,]*', "", unquote(text))
        text = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|\bA-[0-9A-Z-]+|[\w-]{26,}", "·", text)
        own = "|".join([*LISTED, *UNLISTED, r"(asks|guest)-\d", r"203\.0\.113\.\d+", "softwareh[ao]use"])
        return re.sub(own, "·", text)

    def differences(self, found: list[Application]) -> list[Any]:
        first, *others = [self.told(each) for each in found]
        pairs = [(name, one, other[name]) for other in others for name, one in first.items()]
        return [(name, difference(one, other)) for name, one, other in pairs if one != other]

    def applied(self, numbers: tuple[str, str], mails: tuple[str, str, str]) -> list[Application]:
        """Two with the number that is registered, of whom its holder says no to the first, and one with the other."""
        given = zip(mails, (numbers[0], *numbers), strict=True)
        return [
            a_company(mail, f"203.0.113.10{each}", company_number=number, proved=False, at=timezone.now())
            for each, (mail, number) in enumerate(given)
        ]

    def proved(self, found: list[Application]) -> None:
        for each in found:
            prove(applications.endpoints_of(each)[0], now=timezone.now())
        workflow.advance(now=timezone.now())
        for each in found:
            each.refresh_from_db()

    def denied(self, application: Application) -> None:
        assert contacts.answer_as_representative(
            check=whose(application), agrees=False, actor="person:holder", now=timezone.now()
        )
        workflow.advance(now=timezone.now())

    def posted(self, found: list[Application], data: dict[str, str]) -> None:
        answers = []
        for each in found:
            answer = browser(each.applicant).post(reverse("portal:represent", args=[each.reference]), data)
            answers.append((answer.status_code, self.plain(answer.content.decode())))
        assert answers == [answers[0]] * len(answers)

    def test_on_the_list_whose_contact_had_its_codes_says_nothing_of_those_who_asked(self) -> None:
        """Nothing goes out any more, and whoever asks reads what they would if nobody else had asked."""
        found = self.applied(LISTED, ("asks-0@mail.example", "asks-1@mail.example", "asks-2@mail.example"))
        self.proved(found)
        rivals = [
            a_company(f"rival-{each}@mail.example", f"203.0.113.11{each}", company_number=LISTED[0], at=timezone.now())
            for each in range(rules.MOST_CODES_A_DAY)
        ]
        for each in rivals:
            browser(each.applicant).post(reverse("portal:represent", args=[each.reference]), {"to": "email"})
        self.posted(found, {"to": "email"})
        codes = Letter.objects.filter(template="represents_code")
        assert codes.count() == rules.MOST_CODES_A_DAY + 1  # of the three the last has another contact
        assert self.differences(found) == []
        for data in ({"code": "7kq2-m4xz"}, {"to": "mobile"}, {"to": "email"}, {"to": "email"}):
            self.posted(found, data)
            assert self.differences(found) == []

    @pytest.mark.parametrize("leaves", [False, True])
    def test_on_the_list_is_a_code_away_and_goes_to_an_officer_without_it(self, leaves: bool) -> None:
        found = self.applied(LISTED, ("asks-0@mail.example", "asks-1@mail.example", "asks-2@mail.example"))
        assert self.differences(found) == []
        self.proved(found)
        assert whose(found[0]).facts["asked"] and "asked" not in whose(found[2]).facts
        assert self.differences(found) == []
        for data in ({"to": "email"}, {"code": "nope-nope"}):
            self.posted(found, data)
        self.denied(found[0])
        assert self.differences(found) == []
        if leaves:
            self.posted(found, {"officer": "1"})
        else:
            self.clock.shift(8 * DAY)
        workflow.advance(now=timezone.now())
        assert [whose(each).finding for each in found] == ["not_shown"] * 3
        assert self.differences(found) == []

    def test_of_somebody_at_its_domain_waits_for_the_contact(self) -> None:
        found = self.applied(LISTED, tuple(f"guest-{each}@{DOMAINS[each // 2]}" for each in range(3)))  # type: ignore[arg-type]
        self.proved(found)
        assert whose(found[0]).facts["asked"] and all(whose(each).facts["told_at"] for each in found)
        assert self.differences(found) == []
        self.denied(found[0])
        assert self.differences(found) == []
        for each in found:
            contacts.answer_as_contact(check=whose(each), agrees=False, now=timezone.now())
        workflow.advance(now=timezone.now())
        assert self.differences(found) == []

    def test_on_no_list_goes_to_an_officer_at_once(self) -> None:
        found = self.applied(UNLISTED, ("asks-0@mail.example", "asks-1@mail.example", "asks-2@mail.example"))
        assert self.differences(found) == []
        self.proved(found)
        assert whose(found[0]).facts["asked"] and all(decisions.case_of(each) for each in found)
        assert self.differences(found) == []
        self.denied(found[0])
        self.clock.shift(8 * DAY)
        workflow.advance(now=timezone.now())
        assert self.differences(found) == []
