"""Nothing that counts users, flows or destinations is asked of an operator, or may stand against anybody (ADR 0022)."""

import re

import pytest

from rahdari import policy
from rahdari.confirm.interface import OPERATORS
from rahdari.confirm.rules import REASONS, QuestionKind
from rahdari.decide import evidence
from rahdari.policy import PolicyError
from rahdari.policy.reasons import EVIDENCE
from rahdari.programs.openapi import document
from tests.policy.test_loading import changed

# Written out once more: whoever adds one changes this test, and says why in a decision.
QUESTIONS = {"subscriber", "mobile"}
MAY_STAND_IN_A_FILE = {
    "page_and_fault", "asked_and_shown", "masked_answer", "answer_so_far", "mandate_on_file", "proof_and_request",
    "missing_paper", "old_and_new", "attempts", "roster_query", "signed_answer", "statement_and_proof",
    "identity_result", "own_words", "what_was_offered", "range_and_registry", "count_and_invoice",
    "date_and_reminders", "answer_and_reproof", "signed_in_request", "report_or_proofs", "report_answer_hearing",
    "register_extract", "certified_copy",
}  # fmt: skip
TRAFFIC = re.compile(
    r"\b(traffic|flows?|packets?|bytes|volume|bandwidth|destinations?|visited|users?|sessions?|netflow|logs?|dpi)\b",
    re.IGNORECASE,
)


def problems_of(text: str) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        policy.read(text)
    return [problem.message for problem in caught.value.problems]


class TestQuestionsToOperators:
    def test_are_two_kinds(self) -> None:
        assert {str(kind) for kind in QuestionKind} == QUESTIONS

    def test_and_their_answers_speak_of_no_traffic(self) -> None:
        words = [word for reasons in REASONS.values() for word in reasons]
        assert words and not [word for word in words if TRAFFIC.search(word.replace("_", " "))]

    def test_have_no_field_for_it_in_the_api_of_operators(self) -> None:
        names: set[str] = set()

        def gather(value: object) -> None:
            if isinstance(value, dict):
                names.update(map(str, value.get("properties", {})))
                for each in value.values():
                    gather(each)
            elif isinstance(value, list):
                for each in value:
                    gather(each)

        gather(document(OPERATORS))
        assert len(names) > 10
        assert not [name for name in sorted(names) if TRAFFIC.search(name.replace("_", " "))]


class TestEvidence:
    def test_is_a_closed_list(self) -> None:
        assert EVIDENCE == MAY_STAND_IN_A_FILE

    def test_that_the_desk_looks_for_is_of_it(self) -> None:
        assert set(evidence._THERE) | evidence.NAMED <= EVIDENCE

    def test_of_the_bundled_policy_speaks_of_no_traffic(self) -> None:
        rules = policy.current(None)
        assert set(rules.evidence) <= EVIDENCE
        assert not [text.en for text in rules.evidence.values() if TRAFFIC.search(text.en)]

    def test_of_another_kind_stops_the_file(self) -> None:
        planted = 'users_seen = { en = "How many users the operator counts", ur = "صارفین کی تعداد" }\n'
        assert problems_of(changed("[evidence]\n", f"[evidence]\n{planted}")) == [
            "No code may rest on this: what may stand against somebody is a closed list (ADR 0022)."
        ]

    def test_that_the_list_has_not_stops_a_code(self) -> None:
        (said,) = problems_of(changed('evidence = ["report_answer_hearing"]', 'evidence = ["users_seen"]'))
        assert "kind of evidence 'users_seen'" in said

    def test_of_another_ground_stops_a_code(self) -> None:
        assert problems_of(changed('ground = "order"', 'ground = "observation"', after="[reasons.X6]"))


class TestRemoteWorkers:
    def test_are_read_for_the_room_of_lines_at_home_and_no_code_rests_on_them(self) -> None:
        assert not [key for key in EVIDENCE if "worker" in key]
        assert not [
            reason.code for reason in policy.current(None).reasons.values() if "remote worker" in reason.text.en.lower()
        ]
