"""What every letter and every short note must have: two languages with the same places, samples, a row in the docs."""

import re
from functools import cache
from pathlib import Path

import pytest
from django.template import Node
from django.template.base import FilterExpression, Template, VariableNode
from django.template.defaulttags import ForNode, IfNode
from django.template.loader import get_template
from django.template.loader_tags import ExtendsNode
from hypothesis import given
from hypothesis import strategies as st

from rahdari.letters import catalogue, samples
from rahdari.letters import sms as notes
from rahdari.letters.writing import compose
from rahdari.sms import segments, writing
from tests.each import each

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / "src" / "rahdari" / "letters" / "templates" / "letters"
NOTES_FOLDER = ROOT / "src" / "rahdari" / "sms" / "templates" / "sms"
BOTH = each(language=["en", "ur"])
EVERY = each(template=sorted(catalogue.LETTERS))
NOTE = each(note=sorted(writing.NOTES))
# What `compose` puts in by itself.
GIVEN = {"authority", "demo", "url", "host", "on_behalf", "agent"}
# Made from others: the reasons, each with its code, from `reason` and `code`.
MADE = {"reasons": {"reason", "code"}}


def names_in(expression: FilterExpression) -> set[str]:
    found = {str(expression.var).split(".")[0]} if hasattr(expression.var, "lookups") else set()
    for _filter, arguments in expression.filters:
        found |= {str(value).split(".")[0] for looked_up, value in arguments if looked_up}
    return found


def places(nodes: object) -> set[str]:
    """The facts that a template asks for, without the variables of its own loops."""
    found: set[str] = set()
    for node in nodes:  # type: ignore[attr-defined]
        if isinstance(node, VariableNode):
            found |= names_in(node.filter_expression)
        elif isinstance(node, ForNode):
            found |= names_in(node.sequence) | (places(node.nodelist_loop) - set(node.loopvars))
        elif isinstance(node, IfNode):
            for condition, inside in node.conditions_nodelists:
                value = getattr(condition, "value", None)
                found |= names_in(value) if isinstance(value, FilterExpression) else set()
                found |= places(inside)
        elif isinstance(node, ExtendsNode) or hasattr(node, "nodelist"):
            found |= places(node.nodelist)
        else:
            assert isinstance(node, Node)
    return found


@cache
def places_of(name: str, folder: str = "letters") -> set[str]:
    template = get_template(f"{folder}/{name}").template  # type: ignore[attr-defined]
    assert isinstance(template, Template)
    return places(template.nodelist) - {"reason"}


class TestLetters:
    def test_have_a_page_in_both_languages_and_no_page_is_left_over(self) -> None:
        pages = {path.name for path in FOLDER.glob("*.html")}
        wanted = {f"{name}.{language}.html" for name in [*catalogue.LETTERS, "base"] for language in ("en", "ur")}
        assert pages == wanted

    def test_have_sample_facts(self) -> None:
        assert set(samples.LETTERS) == set(catalogue.LETTERS)

    @EVERY
    def test_ask_for_the_same_facts_in_both_languages(self, template: str) -> None:
        assert places_of(f"{template}.en.html") == places_of(f"{template}.ur.html")

    @EVERY
    @BOTH
    def test_ask_for_nothing_that_they_are_not_told(self, template: str, language: str) -> None:
        kind = catalogue.LETTERS[template]
        asked = set()
        for place in places_of(f"{template}.{language}.html") - GIVEN:
            asked |= MADE.get(place, {place})
        assert asked <= kind.takes

    @EVERY
    def test_are_previewed_with_every_fact_that_they_take(self, template: str) -> None:
        kind = catalogue.LETTERS[template]
        assert kind.needs <= set(samples.facts_of_letter(template)) <= kind.takes

    @EVERY
    def test_name_a_note_that_is_there(self, template: str) -> None:
        note = catalogue.LETTERS[template].note
        assert note == "" or note in writing.NOTES
        if note:
            facts = set(samples.facts_of_letter(template))
            assert writing.NOTES[note] <= facts | ({"reference"} if "registration" in facts else set())

    @EVERY
    def test_are_listed_in_the_docs_with_the_subject_in_both_languages(self, template: str) -> None:
        rows = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", (ROOT / "docs" / "letters.md").read_text(), re.MULTILINE))
        facts = samples.facts_of_letter(template)
        for language in ("en", "ur"):
            subject = compose(template=template, language=language, context=facts).subject
            assert re.sub("[\u2066-\u2069]", "", subject) in rows[template], f"a row for {template}: {subject}"


class TestNotes:
    def test_have_a_text_in_both_languages_and_no_text_is_left_over(self) -> None:
        texts = {path.name for path in NOTES_FOLDER.iterdir()}
        assert texts == {f"{name}.{language}.txt" for name in writing.NOTES for language in ("en", "ur")}
        assert set(notes.NOTES) == set(writing.NOTES)

    @NOTE
    def test_ask_for_the_same_facts_in_both_languages(self, note: str) -> None:
        english, urdu = (places_of(f"{note}.{language}.txt", "sms") for language in ("en", "ur"))
        assert english == urdu
        assert english - GIVEN == writing.NOTES[note]

    @NOTE
    @BOTH
    def test_fit_into_one_part_in_english_and_two_in_urdu(self, note: str, language: str) -> None:
        text = writing.compose(note=note, language=language, context=notes.NOTES[note][1])
        assert segments.count(text) <= (1 if language == "en" else 2)
        assert segments.alphabet_of(text) == ("gsm" if language == "en" else "ucs2")

    @NOTE
    @BOTH
    def test_say_who_writes_first_and_put_every_code_alone_on_its_line(self, note: str, language: str) -> None:
        text = writing.compose(note=note, language=language, context=notes.NOTES[note][1])
        assert text.startswith("Rahdari: " if language == "en" else "راہداری: ")
        for value in notes.NOTES[note][1].values():
            if isinstance(value, str):
                assert value in text.split("\n")
        assert not re.search("[\u2066-\u2069]", text)

    @NOTE
    def test_are_listed_in_the_docs_in_both_languages(self, note: str) -> None:
        page = (ROOT / "docs" / "letters.md").read_text()
        for language in ("en", "ur"):
            first = writing.compose(note=note, language=language, context=notes.NOTES[note][1]).split("\n")[0]
            assert first in page


# What a link to a secret, or a demand for one, would look like: an address that does something by being opened, a
# field, or a word for what nobody may ask for. The footer says that nobody asks.
SECRET_LINK = re.compile(r"[?#&]|token|/l/|/s/|/confirm|/sign-in/", re.IGNORECASE)
ASKS = re.compile(
    r"(send|give|tell|enter|reply with|answer with)\b[^.]{0,40}\b(password|pin|private key|card number|cnic)"
    r"|<(form|input|button|iframe)\b",
    re.IGNORECASE,
)
ASKS_URDU = re.compile("(پاس ورڈ|خفیہ کلید|شناختی کارڈ)[^۔]*(بھیجیں|بتائیں|لکھیں|دیں)")


class TestNoSecretIsAskedFor:
    """By no letter and no note, in neither language: whoever learns that we do would believe the next who does."""

    @EVERY
    @BOTH
    def test_a_letter_links_to_a_page_of_this_site_that_is_no_secret(self, template: str, language: str) -> None:
        html = compose(template=template, language=language, context=samples.facts_of_letter(template)).html
        for link in re.findall(r'href="([^"]*)"', html):
            assert link.startswith("http://127.0.0.1:8000/")
            assert not SECRET_LINK.search(link.removeprefix("http://127.0.0.1:8000"))

    @EVERY
    @BOTH
    def test_a_letter_asks_for_none(self, template: str, language: str) -> None:
        written = compose(template=template, language=language, context=samples.facts_of_letter(template))
        for text in (written.html, written.text):
            assert not ASKS.search(text)
            assert not ASKS_URDU.search(text)

    @NOTE
    @BOTH
    def test_a_note_has_no_link_and_no_facts_but_number_day_and_site(self, note: str, language: str) -> None:
        text = writing.compose(note=note, language=language, context=notes.NOTES[note][1])
        assert not re.search(r"https?:|www\.|/|@|\?", text)
        assert not ASKS.search(text)
        assert not ASKS_URDU.search(text)
        assert places_of(f"{note}.{language}.txt", "sms") <= {"reference", "due_at", "valid_until", "code", "host"}

    def test_these_would_be_found(self) -> None:
        assert SECRET_LINK.search("/sign-in/?code=482915")
        assert ASKS.search("Please send us your password.")
        assert ASKS_URDU.search("اپنا پاس ورڈ بھیجیں۔")


class TestComposeNote:
    def test_takes_a_registration_for_the_file_of_a_letter_about_one(self) -> None:
        text = writing.compose(note="news", language="en", context={"registration": "RD-5P9X-31GN"})
        assert "RD-5P9X-31GN" in text

    def test_refuses_an_unknown_note_and_one_that_is_not_told_enough(self) -> None:
        with pytest.raises(KeyError):
            writing.compose(note="../news", language="en", context={})
        with pytest.raises(writing.NoteIncomplete) as caught:
            writing.compose(note="answer_by", language="en", context={"reference": "A-2611-0482"})
        assert caught.value.missing == ["due_at"]


class TestSplit:
    @given(st.text(max_size=2000))
    def test_loses_nothing_and_tears_no_character(self, text: str) -> None:
        parts = segments.split(text)
        if parts.alphabet == "ucs2":
            assert "".join(part.decode("utf-16-be") for part in parts.contents) == text
        else:
            assert all(not part.endswith(b"\x1b") for part in parts.contents)
            back = {bytes((code,)): character for character, code in segments._CODES.items()}
            back |= {bytes((0x1B, code)): character for character, code in segments.EXTENDED.items()}
            joined = b"".join(parts.contents)
            found = re.findall(rb"\x1b.|[^\x1b]", joined, re.DOTALL)
            assert "".join(back[code] for code in found) == text

    @pytest.mark.parametrize(
        ("text", "parts"),
        [
            ("", 1),
            ("a" * 160, 1),
            ("a" * 161, 2),
            ("a" * 306, 2),
            ("a" * 307, 3),
            ("€" * 80, 1),
            ("€" * 81, 2),
            ("ک" * 70, 1),
            ("ک" * 71, 2),
            ("ک" * 134, 2),
            ("ک" * 135, 3),
            # 33 pairs and a half fit into 67 units: the pair goes whole into the next part.
            ("😀" * 67, 3),
        ],
    )
    def test_counts_as_the_networks_do(self, text: str, parts: int) -> None:
        assert segments.count(text) == parts

    def test_says_when_it_is_too_long(self) -> None:
        with pytest.raises(segments.TextTooLong) as caught:
            segments.split("ک" * 67 * 256)
        assert caught.value.parts == 256


# Ends that a letter names as a day, without a time. They come from `policy.add`, whose ends are those of days, or are
# days themselves (of a paper, of a term with its grace), or nothing is to be done by then.
ENDS_OF_DAYS = {
    "due_at": "a clock of the policy",
    "appeal_until": "a clock of the policy",
    "carry_out_by": "a clock of the policy",
    "decide_by": "a clock of the policy",
    "stays_until": "the grace of the policy",
    "valid_until": "the term; its holder can renew until the end of the grace",
    "readable_until": "`decide.due.readable_until`: told, nothing is to be done",
}
NAMED_UNTIL = {
    "appeal_decided": "the next forum, by a clock of the policy",
    "attestation_ends_soon": "the day of the attestation",
    "file_kept": "`last_moment` of the day that an officer wrote",
    "incident_closed": "when it was over",
    "registration_paused": "it goes on by itself that day",
}


def test_an_end_without_a_time_is_the_end_of_a_day() -> None:
    """Whoever reads a day has the whole of it: an end within a day is written with its time."""
    found = {}
    for file in FOLDER.glob("*.html"):
        text, name = file.read_text(encoding="utf-8"), file.name.split(".")[0]
        days, times = (
            set(re.findall(rf'\{{\{{ ?([a-z_.]+)\|date:"{form}" ?\}}\}}', text))
            for form in ("j F Y", "(?:j F Y, )?H:i")
        )
        found[file.name] = {each.rpartition(".")[2]: name for each in days - times if not each.endswith("_at")}
        found[file.name] |= {each: name for each in days - times if each == "due_at"}
    named = {(end, name) for ends in found.values() for end, name in ends.items()}
    assert {name for end, name in named if end == "until"} == set(NAMED_UNTIL)
    assert {end for end, _name in named} - {"until", "day", "on"} == set(ENDS_OF_DAYS)
