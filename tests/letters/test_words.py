import datetime as dt
import html
import importlib.util
import re
import unicodedata
from functools import cache
from typing import Any

import pytest
from django.template import loader
from django.template.base import VariableNode
from django.template.loader_tags import BlockNode
from hypothesis import given
from hypothesis import strategies as st

from rahdari.delivery import rules
from rahdari.letters import catalogue, plain
from rahdari.letters.writing import LetterIncomplete, UnknownLetter, compose
from tests.builders.letters import FACTS, RULES
from tests.each import each

LETTERS = sorted(catalogue.LETTERS)
# What a subject may show: numbers that we gave, codes that we made, sums, addresses in their one form, and the name of
# an association, which the policy gives.
MADE_BY_US = {
    "about",
    "reference",
    "registration",
    "invoice",
    "code",
    "number",
    "currency",
    "missing",
    "address",
    "association",
}
BOTH = each(language=["en", "ur"])
EVERY = each(template=LETTERS)


@cache
def written_in(template: str, language: str) -> Any:
    return compose(template=template, language=language, context=FACTS[template])


class TestCompose:
    def test_there_are_facts_for_every_letter(self) -> None:
        assert set(FACTS) == set(catalogue.LETTERS)

    @EVERY
    @BOTH
    def test_writes_every_letter_in_both_languages(self, template: str, language: str) -> None:
        written = written_in(template, language)
        assert written.subject and "\n" not in written.subject
        assert written.text.count("\n") > 5
        assert f'<html lang="{language}" dir="{"rtl" if language == "ur" else "ltr"}">' in written.html

    @EVERY
    @BOTH
    def test_has_a_subject_that_nobody_outside_could_write(self, template: str, language: str) -> None:
        """A subject stands in every list of mail, and is signed by us: what somebody typed stands inside alone."""
        page = loader.get_template(f"letters/{template}.{language}.html")
        (block,) = [node for node in page.template.nodelist.get_nodes_by_type(BlockNode) if node.name == "subject"]
        shown = {str(node.filter_expression.var) for node in block.nodelist.get_nodes_by_type(VariableNode)}
        assert shown <= MADE_BY_US, f"{template}.{language}: {shown - MADE_BY_US}"

    @EVERY
    @BOTH
    def test_says_every_fact(self, template: str, language: str) -> None:
        written = written_in(template, language)
        flat = " ".join(written.text.split())
        for key in catalogue.LETTERS[template].needs:
            value = FACTS[template][key]
            if isinstance(value, str) and key != "change":  # which of its sentences the letter takes
                assert " ".join(value.split()) in flat, key
            elif isinstance(value, dt.datetime):
                assert f"{value.day} " in flat and str(value.year) in flat, key

    @EVERY
    @BOTH
    def test_has_the_same_words_in_text_and_page(self, template: str, language: str) -> None:
        written = written_in(template, language)

        def words(text: str) -> list[str]:
            return re.findall(r"[^\W_]+", "".join(c for c in text if unicodedata.category(c) != "Cf"))

        body = written.html.split("</header>")[1]
        body = re.sub(r'<a href="([^"]*)">(.*?)</a>', r"\2 \1", body)
        assert words(html.unescape(re.sub(r"<[^>]+>", " ", body))) == words(written.text)

    @EVERY
    @BOTH
    def test_has_no_style_script_picture_or_form(self, template: str, language: str) -> None:
        page = written_in(template, language).html
        assert not re.search(r"<(style|script|img|form|input|iframe)\b|style=|\bon\w+=", page)

    @EVERY
    @BOTH
    def test_links_to_one_page_of_this_site_and_to_no_secret(self, template: str, language: str) -> None:
        page = written_in(template, language).html
        links = re.findall(r'href="([^"]*)"', page)
        # Who has no account can also stop us from writing.
        assert len(links) == (0 if template == "code" else 2 if "stop_url" in FACTS[template] else 1)
        assert all(link.startswith("http://127.0.0.1:8000/") and "?" not in link for link in links)

    @EVERY
    def test_starts_with_an_urdu_word_in_urdu(self, template: str) -> None:
        written = written_in(template, "ur")
        for text in (written.subject, written.text):
            first = next(letter for letter in text if unicodedata.bidirectional(letter) in {"L", "R", "AL"})
            assert unicodedata.bidirectional(first) == "AL"

    @EVERY
    def test_isolates_every_reference_in_urdu_and_none_in_english(self, template: str) -> None:
        urdu = written_in(template, "ur")
        for text in (urdu.subject, urdu.text):
            outside = re.sub("\u2066[^\u2066\u2069]*\u2069", "", re.sub(r"^http.*$", "", text, flags=re.MULTILINE))
            assert not re.search(r"\b(A|RD|R)-?\d", outside)
            opened = text.count(plain.LEFT_TO_RIGHT) + text.count(plain.FIRST_STRONG)
            assert opened == text.count(plain.END)
        english = written_in(template, "en")
        assert not re.search("[\u2066-\u2069]", english.text)

    @EVERY
    def test_passes_the_mechanical_checks_of_urdu(self, template: str) -> None:
        if importlib.util.find_spec("tests.urdu") is None:
            pytest.fail("tests.urdu is not there")
        from tests import urdu

        written = written_in(template, "ur")
        assert urdu.page_problems(written.html) == []
        assert not re.search(r"\d{4}, \d{2}:", written.text), "the comma of Urdu is another one"

    def test_takes_a_value_for_text_and_never_for_markup(self) -> None:
        question = "<a href='https://elsewhere.example'>&amp; \u2069 here</a>"
        written = compose(
            template="application_question",
            language="en",
            context=FACTS["application_question"] | {"question": question},
        )
        assert "&lt;a href=" in written.html
        assert "<a href='https://elsewhere.example'>&amp;" in written.text
        assert written.html.count("<a ") == 1

    def test_gives_each_reason_its_code(self) -> None:
        facts = FACTS["application_notice"]
        text = compose(template="application_notice", language="en", context=facts).text
        assert len(facts["code"]) == 2
        for code in facts["code"]:
            assert f"Reason {code}: {RULES.reasons[code].text.en}" in " ".join(text.split())

    def test_lists_the_remedies_that_it_is_given(self) -> None:
        facts = FACTS["application_refused"] | {"remedies": [RULES.remedies["new_application"]]}
        assert (
            "* Apply again at any time." in compose(template="application_refused", language="en", context=facts).text
        )
        assert RULES.remedies["new_application"].text.ur in (
            compose(template="application_refused", language="ur", context=facts).text
        )

    def test_says_demonstration_only_in_one(self, settings: Any) -> None:
        assert (
            "demonstration, without legal effect"
            not in compose(template="code", language="en", context=FACTS["code"]).text
        )
        settings.DEMO = True
        assert (
            "demonstration, without legal effect" in compose(template="code", language="en", context=FACTS["code"]).text
        )

    def test_refuses_an_unknown_letter(self) -> None:
        with pytest.raises(UnknownLetter) as caught:
            compose(template="../base", language="en", context={})
        assert caught.value.template == "../base"

    def test_names_what_is_missing(self) -> None:
        with pytest.raises(LetterIncomplete) as caught:
            compose(template="application_granted", language="en", context={"reference": "A-2611-0482"})
        assert caught.value.missing == ["registration", "valid_until"]


class TestSubjectAndText:
    @given(st.text(alphabet=st.characters(exclude_categories=["Cc", "Cs"])))
    def test_keeps_every_word_of_an_escaped_value(self, value: str) -> None:
        page = f"<title>t</title><body><p>{html.escape(value)}</p></body>"
        _, text = plain.subject_and_text(page, language="ur")
        assert text.split() == value.split()

    def test_breaks_lines_but_never_an_address(self) -> None:
        link = "https://rahdari.example/" + "a" * 100
        page = f"<title>t</title><p>{'word ' * 40}</p><p><a href='{link}'>Open it</a></p>"
        _, text = plain.subject_and_text(page, language="en")
        assert f"Open it:\n{link}\n" in text
        assert max(len(line) for line in text.split("\n") if line != link) <= plain.WIDTH


class TestAfterFailure:
    NOW = dt.datetime(2026, 11, 10, tzinfo=dt.UTC)

    @given(st.integers(1, rules.MOST_TRIES - 1))
    def test_waits_longer_each_time(self, tries: int) -> None:
        decision = rules.after_failure(tries=tries, now=self.NOW, expires_at=None, permanent=False)
        assert isinstance(decision, rules.TryAgain)
        if tries > 1:
            before = rules.after_failure(tries=tries - 1, now=self.NOW, expires_at=None, permanent=False)
            assert isinstance(before, rules.TryAgain) and before.at < decision.at

    def test_gives_up_after_the_tenth_try(self) -> None:
        assert rules.MOST_TRIES == 10
        assert rules.after_failure(tries=10, now=self.NOW, expires_at=None, permanent=False) == rules.GiveUp()

    def test_gives_up_at_once_when_the_server_said_never(self) -> None:
        assert rules.after_failure(tries=1, now=self.NOW, expires_at=None, permanent=True) == rules.GiveUp()

    @given(st.integers(1, 12), st.integers(0, 3600))
    def test_never_plans_a_try_for_when_it_is_useless(self, tries: int, seconds: int) -> None:
        expires_at = self.NOW + dt.timedelta(seconds=seconds)
        decision = rules.after_failure(tries=tries, now=self.NOW, expires_at=expires_at, permanent=False)
        assert isinstance(decision, rules.GiveUp) or decision.at < expires_at

    @pytest.mark.parametrize(
        ("answer", "permanent"), [(None, False), (421, False), (451, False), (550, True), (599, True), (600, False)]
    )
    def test_takes_only_the_five_hundreds_for_never(self, answer: int | None, permanent: bool) -> None:
        assert rules.is_permanent(answer) is permanent
