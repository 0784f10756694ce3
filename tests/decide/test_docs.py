"""docs/desk.md names every act that the room writes into the journal, and every letter; so does the sentence for it."""

import re
from pathlib import Path

import pytest

from rahdari.decide import queries
from rahdari.journal import registry
from tests.builders.cases import NOW, a_decided_application

ROOT = Path(__file__).parents[2]
DOCS = (ROOT / "docs/desk.md").read_text(encoding="utf-8")
CODE = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "src/rahdari/decide").glob("*.py"))
ACTS = {act for act in registry.declared() if act.startswith("decide.")}
LETTERS = set(re.findall(r'"(application_[a-z]+(?:_[a-z]+)*)"', CODE))


class TestTheDocument:
    def test_names_every_act_of_the_journal(self) -> None:
        assert len(ACTS) > 15
        assert {act for act in ACTS if f"`{act}`" not in DOCS} == set()
        assert set(re.findall(r"`(decide\.\w+)`", DOCS)) == ACTS

    def test_names_every_letter(self) -> None:
        assert {letter for letter in LETTERS if f"`{letter}`" not in DOCS} == set()

    def test_is_matched_by_a_sentence_for_every_act(self) -> None:
        # What an applicant has written and not sent is nobody else's: the officer's history leaves it out.
        silent = {key for key in ACTS if not any(registry.words_of(key).words())}
        assert silent == {"decide.saved_answer_draft"}


class TestHistoryForApplicant:
    @pytest.mark.django_db
    def test_tells_what_was_done_and_leaves_reads_to_their_own_page(self) -> None:
        application = a_decided_application()
        case = queries.case_of(application)
        assert case is not None
        acts = [row.act for row in queries.history_for_applicant(case)]
        assert acts == ["decide.granted_by_rule", "checks.opened", "apply.submitted"]
        assert all(row.at == NOW for row in queries.history_for_applicant(case))
