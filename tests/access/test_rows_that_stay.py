"""What the application's own database role is refused: rows that tell what was registered and decided, and why."""

import pytest
from django.db import DatabaseError, connection, transaction

from tests.builders import story

pytestmark = pytest.mark.django_db

STATEMENTS = [
    "DELETE FROM register_entry",
    "DELETE FROM register_registration",
    "DELETE FROM register_change",
    "DELETE FROM apply_frozenpolicy",
    "UPDATE apply_frozenpolicy SET text = ''",
    "DELETE FROM decide_decision",
    "DELETE FROM decide_case",
    "DELETE FROM journal_journalentry",
    "UPDATE journal_journalentry SET actor = 'nobody'",
]


@pytest.fixture(scope="module", autouse=True)
def registered(shared: None) -> None:
    """By an officer, of somebody whose case it was."""
    story.granted_by_hand(story.a_case(story.a_person()), story.an_officer())
    story.advance()


@pytest.mark.parametrize("statement", STATEMENTS)
def test_is_refused_by_the_database(statement: str) -> None:
    table = statement.split()[2] if statement.startswith("DELETE") else statement.split()[1]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        before = cursor.fetchone()[0]
        assert before > 0
        with pytest.raises(DatabaseError), transaction.atomic():
            cursor.execute(statement)
        cursor.execute(f"SELECT count(*) FROM {table}")
        assert cursor.fetchone()[0] == before
