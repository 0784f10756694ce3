"""A rule may grant, and nothing else: who is refused is refused by two officers, whatever a program or a file says."""

import pytest
from django.db import IntegrityError, transaction

from rahdari import policy
from rahdari.decide.rules import MOVES
from rahdari.people.models import User
from rahdari.policy import PolicyError
from tests.builders.cases import a_case, a_refusal
from tests.decide.test_actions import answered
from tests.policy.test_loading import changed

pytestmark = pytest.mark.django_db


def test_the_database_takes_no_refusal_by_a_rule(officer: User, second: User) -> None:
    notice = answered(a_case(), officer)
    with pytest.raises(IntegrityError, match="rule_never_refuses"), transaction.atomic():
        a_refusal(notice, decided_by="rule:1", proposed_by=officer, seconded_by=second)


def test_no_move_of_a_case_refuses_by_a_rule() -> None:
    by_rule = {move.act for move in MOVES if move.by == "rule"}
    # The last one ends what officers did, in the holder's favour.
    assert by_rule == {"grant_by_rule", "grant_provisionally", "confirm_grant", "restore_by_rule"}


def test_no_policy_file_lets_a_rule_refuse() -> None:
    planted = changed("decided_by = {", "decided_by = { rule = true,", after="[reasons.R7]")
    with pytest.raises(PolicyError, match="never refuse"):
        policy.read(planted)
