"""Whoever holds an address hears of it when somebody else shows control of it, once; nothing else follows."""

import pytest

from rahdari.letters import queries as letters
from rahdari.people.models import User
from tests.builders import story

pytestmark = pytest.mark.django_db
KIND = "address_proved_by_another"


def letters_to(person: User) -> list[str]:
    return [each.template for each in letters.letters_of(person)]


class TestAProofOfAHeldAddress:
    def test_is_told_to_its_holder_once_and_to_nobody_else(self) -> None:
        holder, other = story.a_person(), story.a_person()
        application = story.a_granted_application(holder)
        address = str(application.endpoints.get().network.network_address)
        endpoint = story.add(story.fill(story.a_draft(other)), address)
        assert KIND not in letters_to(holder)
        story.prove(endpoint)
        assert KIND not in letters_to(holder), "of a draft nobody hears"
        story.send(story.fresh(endpoint.application))
        story.advance()
        story.prove(endpoint)
        story.advance()
        assert letters_to(holder).count(KIND) == 1
        assert KIND not in letters_to(other)
        assert story.registration_of(application).struck_out_at is None

    def test_is_not_told_of_an_address_beside_it(self) -> None:
        holder, other = story.a_person(), story.a_person()
        story.a_granted_application(holder)
        story.prove(story.add(story.fill(story.a_draft(other))))
        assert KIND not in letters_to(holder)
