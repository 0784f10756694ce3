"""Whoever proposes a refusal never decides it: not under another post, and not by writing rows."""

import pytest
from django.db import IntegrityError, transaction

from rahdari.decide import refusals, transitions
from rahdari.decide.models import Decision
from rahdari.decide.rules import CannotSecond
from rahdari.people.models import Role, User
from tests.builders.cases import DAY, a_case, a_refusal, an_officer
from tests.decide.test_actions import LATER, answered

pytestmark = pytest.mark.django_db


class TestSecondRefusal:
    def test_by_whoever_proposed_is_not_possible(self, officer: User) -> None:
        """Guards second_officer and no_self_second."""
        case = a_case()
        answered(case, officer)
        with pytest.raises(transitions.MayNotSecond) as caught:
            refusals.second_refusal(case=case, officer=officer, because="Agreed.", now=LATER + DAY)
        assert caught.value.why is CannotSecond.YOURS
        assert not Decision.objects.exists()

    def test_under_another_post_is_still_not_possible_for_the_proposer(self) -> None:
        both = an_officer("Officer D", role=Role.SUPERVISOR, rank="director")
        case = a_case()
        answered(case, both)
        with pytest.raises(transitions.MayNotSecond):
            refusals.second_refusal(case=case, officer=both, because="Agreed.", now=LATER + DAY)

    def test_the_database_takes_no_refusal_seconded_by_its_author(self, officer: User) -> None:
        notice = answered(a_case(), officer)
        with pytest.raises(IntegrityError, match="second_officer"), transaction.atomic():
            a_refusal(notice, decided_by="officer:x", proposed_by=officer, seconded_by=officer)
