"""No text promises what is not so or makes registering a duty; what happens to the unregistered is told with a
name."""

import html
import json
import re
import tomllib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from rahdari import policy
from rahdari.applicant import paper
from rahdari.ops import prepare
from rahdari.people import actions as people
from rahdari.policy import BUNDLED, PolicyError
from tests.portal.test_public_pages import a_registration, a_sheet
from tests.safeguards import promises, sentences

HEADING = "What happens to connections that are not on the register"
TEXT = BUNDLED.read_text(encoding="utf-8")
SIGNED = 'name = "Sample Signatory", office = "Law Officer", on = "2027-03-01"'
ORDERED = TEXT[TEXT.index('effect = "ordered"') : TEXT.index("text = ", TEXT.index("[unregistered]"))]


def changed(old: str, new: str, text: str = TEXT) -> str:
    assert old in text
    return text.replace(old, new, 1)


def signed(text: str = TEXT, item: str = "item_16") -> str:
    at = text.index(f"{item} = ")
    return text[:at] + changed('name = "", office = "", on = ""', SIGNED, text[at:])


class TestTheSentences:
    @pytest.mark.parametrize(
        "texts",
        [
            sentences.of_pages,
            sentences.of_catalogues,
            sentences.of_documents,
            *(partial(sentences.of_policy, policy.load(path)) for path in policy.SHIPPED.values()),
            lambda: ((path.name, path.read_text(encoding="utf-8")) for path in policy.SHIPPED.values()),
        ],
    )
    def test_say_nothing_that_is_not_so(self, texts: Callable[[], Iterator[tuple[str, str]]]) -> None:
        found = [f"{place}: {fault}" for place, text in texts() for fault in sentences.untrue_in(text)]
        assert found == []

    @pytest.mark.parametrize(
        "texts",
        [
            sentences.of_pages,
            sentences.of_catalogues,
            *(partial(sentences.of_policy, policy.load(path)) for path in policy.SHIPPED.values()),
        ],
    )
    def test_speak_no_language_of_our_own(self, texts: Callable[[], Iterator[tuple[str, str]]]) -> None:
        found = [f"{place}: {word}" for place, text in texts() for word in sentences.untrue_in(text, sentences.IDIOM)]
        assert found == []

    @pytest.mark.parametrize("each", [*sentences.UNTRUE, *sentences.IDIOM], ids=lambda each: each.planted)
    def test_are_found_where_they_are_planted(self, each: sentences.Untrue) -> None:
        assert sentences.untrue_in(f"Before.\n  {each.planted} After.", (each,))

    def test_are_looked_for_in_all_that_people_read(self) -> None:
        texts = (*sentences.of_pages(), *sentences.of_catalogues(), *sentences.of_documents())
        places = {place.partition(":")[0] for place, _ in texts}
        for wanted in (
            "README.md",
            "docs/index.md",
            "pyproject.toml",
            "publiccode.yml",
            "src/rahdari/web/templates/web/base.html",
            "src/rahdari/applicant/templates/applicant/certificate.typ",
            "src/rahdari/letters/templates/letters/application_granted.ur.html",
            "src/rahdari/portal/locale/ur/LC_MESSAGES/django.po",
        ):
            assert wanted in places

    def test_may_stand_on_a_signed_provision_of_law_and_on_nothing_less(self) -> None:
        def found(text: str) -> list[str]:
            texts = sentences.of_policy(policy.read(text))
            return [fault for _, each in texts for fault in sentences.untrue_in(each)]

        promise = 'basis = "proposal", note = "No operator may interrupt them."'
        planted = changed('basis = "proposal", note = "By the person who makes them."', promise)
        by_law = changed(promise, promise.replace("proposal", "law"), planted)
        assert found(planted) and found(by_law) and found(signed(planted, "item_3"))
        assert not found(signed(by_law, "item_3"))


class TestAPromise:
    """A sentence with "at once", "never" or "cannot"."""

    def test_that_is_new_names_the_test_that_holds_it(self) -> None:
        kept = tomllib.loads(promises.PLACE.read_text(encoding="utf-8"))
        assert promises.faults(promises.texts(), kept["without_a_test"], kept["promise"]) == []

    def test_without_a_test_is_found_where_it_is_planted(self) -> None:
        row = {"file": "docs/a.md", "says": "It is never so", "test": "safeguards/test_truth.py::TestAPromise"}
        planted = {"docs/a.md": "It is never so. It cannot be."}
        assert promises.faults(planted, {"docs/a.md": 1}, [row]) == []
        [fault] = promises.faults(planted, {}, [row])
        assert fault.startswith("docs/a.md: 1 more")
        assert len(promises.faults(planted, {"docs/a.md": 2}, [row | {"says": "It was never so", "test": "a.py"}])) == 2


class TestTheUnregistered:
    def test_is_told_wherever_somebody_decides_by_it(self, client: Client, db: None) -> None:
        said = policy.current(None).unregistered
        assert said is not None
        holder = people.register_person(email="one@sample.example", name="Sample Freelancer 32", now=timezone.now())
        registration = a_registration(holder.holder_ref, category="vpn_freelancer")
        client.post("/apply/", {"who": "none"})
        pages = ["/", "/apply/", "/providers/", "/apply/instead/", "/check/"]
        pages += [f"/check/?number={registration.reference}"]
        for page in pages:
            shown = html.unescape(client.get(page).text)
            assert HEADING in shown and said.text.en in shown, page
            assert "Nobody has signed this statement yet." in shown and "We have not seen its text." in shown, page
        for page in pages[4:]:
            assert "Not having this certificate says nothing about anybody." in client.get(page).text
        client.force_login(holder)
        certificate = html.unescape(client.get(f"/my/registrations/{registration.reference}/certificate/").text)
        assert said.text.en in certificate and said.text.ur in certificate
        assert "Since 22 December 2025" in certificate and "Nobody has signed this statement yet." in certificate
        assert paper.sheet_of(registration, timezone.now()).unregistered == said.text
        for operation in ("services", "eligibility"):
            told = client.get(f"/api/v1/{operation}").json()["unregistered"]
            assert (told["effect"], told["text"], told["signed"]) == ("ordered", said.text.en, None)
            assert told["instrument"]["read"] == "not_found"

    def test_is_on_the_pdf(self, monkeypatch: pytest.MonkeyPatch) -> None:
        taken: list[dict[str, Any]] = []
        monkeypatch.setattr(paper, "typeset", lambda _template, data, now: taken.append(data) or b"")
        said = policy.current(None).unregistered
        assert said is not None
        paper.render(a_sheet(unregistered=said.text, said_by=paper.whose_word(said)))
        for told in ("No text of an order was found", "Since 22 December 2025", "Nobody has signed this statement"):
            assert told in str(taken[0])

    def test_none_while_an_order_stands_shows_whose_signature_says_so(
        self, client: Client, db: None, settings: Any, tmp_path: Path
    ) -> None:
        place = tmp_path / "policy.toml"
        place.write_text(signed(changed(ORDERED, 'effect = "none"\n')), encoding="utf-8")
        settings.POLICY_FILE = place
        shown = " ".join(re.sub(r"<[^>]+>", "", html.unescape(client.get("/").text)).split())
        assert "Signed by Sample Signatory, Law Officer, on 1 March 2027." in shown
        assert "blocks nobody itself" not in shown
        word = policy.current(place).unregistered
        assert word is not None
        assert paper.whose_word(word).en == "Signed by Sample Signatory, Law Officer, on 1 March 2027."
        told = client.get("/api/v1/services").json()["unregistered"]
        assert told["signed"] == {"name": "Sample Signatory", "office": "Law Officer", "on": "2027-03-01"}
        assert (told["effect"], told["instrument"], told["since"]) == ("none", None, None)


class TestThePolicy:
    @pytest.mark.parametrize(
        ("text", "said"),
        [
            (changed("[unregistered]\n", "[not_registered]\n"), "Say what happens to connections"),
            (changed('effect = "ordered"', 'effect = "none"'), "Where nothing is ordered, no order is named"),
            (changed('effect = "ordered"', 'effect = "perhaps"'), "is not one of: none, ordered"),
            (changed("on = 2025-12-22\n", ""), "What is ordered is named"),
            (changed('instrument = "blocking_2025"\n', ""), "What is ordered is named"),
            (changed('instrument = "blocking_2025"', 'instrument = "hearsay"'), "There is no instrument 'hearsay'"),
            (changed("item_16 = ", "item_17 = "), "The question item_16 is missing"),
            (changed("may be blocked.", "may be blocked." + " Or not." * 60), "stands on a certificate"),
            (changed("demonstration = true", "demonstration = false"), "Nobody has signed what happens"),
            (signed().replace("2027-03-01", "in spring"), "must be a day"),
            (changed('nature = "registration"', 'nature = "licence"'), "the acts of a registration only"),
        ],
    )
    def test_is_refused_that_does_not_say_it_or_says_it_in_nobodys_name(self, text: str, said: str) -> None:
        with pytest.raises(PolicyError) as caught:
            policy.read(text)
        assert any(said in problem.message for problem in caught.value.problems), caught.value.problems

    def test_is_taken_from_an_authority_that_signed(self) -> None:
        found = policy.read(signed(changed("demonstration = true", "demonstration = false"))).unregistered
        assert found is not None and found.signed.day is not None and found.signed.day.year == 2027

    def test_that_was_frozen_before_still_holds_for_its_cases(self) -> None:
        rules = policy.current(None)
        before = {key: value for key, value in rules.source.items() if key != "unregistered"}
        thawed = policy.thaw(json.dumps(before))
        assert thawed.unregistered is None and thawed.services == rules.services
        assert policy.thaw(policy.freeze(rules)).unregistered == rules.unregistered

    def test_without_it_starts_no_register(self, settings: Any, tmp_path: Path) -> None:
        place = tmp_path / "in-force.toml"
        place.write_text(changed("[unregistered]\n", "[not_registered]\n"), encoding="utf-8")
        settings.POLICY_FILE = place
        with pytest.raises(prepare.RulesNotTaken, match="rahdari policy use"):
            prepare.judge_rules()
        place.write_text(TEXT, encoding="utf-8")
        prepare.judge_rules()
