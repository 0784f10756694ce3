"""Whoever does not say that a registration is still right keeps it: nothing reads the silence, and nobody is listed."""

import ast
import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from rahdari import workflow
from rahdari.letters.models import Letter
from rahdari.policy import PolicyError, read
from rahdari.register import queries
from rahdari.register.models import Change, Registration
from tests.builders import story
from tests.builders.shared import known_networks
from tests.policy.test_loading import changed

SOURCE = Path(__file__).resolve().parents[2] / "src" / "rahdari"
SILENCE = re.compile(r"last_word_at|yearly_?question|whether_right|asked_and_settled|silent_since", re.IGNORECASE)
# Written out once more: whoever reads it elsewhere changes this test, and says why in a decision.
READERS = {
    # What it is, and the acts that write it.
    "register/models.py": {"Registration", "YearlyQuestion"},
    "register/actions.py": {"enter"},
    "register/still_right.py": {
        *("token_of", "question_of_link", "_names", "ask_whether_right", "ask_again", "say_right", "note_word")
    },
    # Whom the clock asks.
    "policy/still_right.py": {"StillRight"},
    "register/queries.py": {
        *("yearly_question_of", "open_yearly_question_of", "asked_and_settled"),
        *("to_ask_whether_right", "to_ask_whether_right_again"),
    },
    "workflow/still_right.py": {"_to_ask", "ask_whether_right", "_to_ask_again", "ask_again", "_write"},
    # The holder's own page and answer, and one share for everybody.
    "portal/applicant/registration.py": {"registration"},
    "api/registrations.py": {"_still_right"},
    "portal/public/pages.py": {"yearly"},
}


def readers(source: str) -> Iterator[str]:
    """The functions and classes of a module that name it."""
    for each in ast.parse(source).body:
        if isinstance(each, ast.FunctionDef | ast.ClassDef):
            nodes = list(ast.walk(each))
            names = {node.id for node in nodes if isinstance(node, ast.Name)}
            names |= {node.attr for node in nodes if isinstance(node, ast.Attribute)} | {each.name}
            names |= {node.arg or "" for node in nodes if isinstance(node, ast.keyword)}
            names |= {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
            if any(SILENCE.search(name) for name in names if " " not in name):
                yield each.name


class TestTheCode:
    def test_reads_it_to_ask_again_and_to_count_and_for_nothing_else(self) -> None:
        found = {
            path.relative_to(SOURCE).as_posix(): names
            for path in sorted(SOURCE.rglob("*.py"))
            if "migrations" not in path.parts and (names := set(readers(path.read_text())))
        }
        assert found == READERS

    def test_that_makes_it_a_ground_is_found(self) -> None:
        planted = "def revoke(found):\n    if found.last_word_at < YEAR:\n        strike_out(found)\n"
        assert list(readers(planted)) == ["revoke"]
        assert list(readers("def all(found):\n    return found.filter(yearly_question__isnull=False)\n")) == ["all"]

    def test_that_may_stand_in_a_file_has_no_word_for_it(self) -> None:
        planted = changed("[evidence]\n", '[evidence]\nnot_confirmed = { en = "No answer", ur = "جواب نہیں" }\n')
        with pytest.raises(PolicyError, match="closed list"):
            read(planted)


@pytest.mark.django_db
class TestTheDatabase:
    def test_has_no_path_from_it(self) -> None:
        table, columns = "'register_yearlyquestion'::regclass", "'yearlyquestion|last_word_at|settled_at'"
        for asked in (
            f"SELECT conname FROM pg_constraint WHERE confrelid = {table}",
            f"SELECT tgname FROM pg_trigger WHERE tgrelid = {table} AND NOT tgisinternal",
            f"SELECT proname FROM pg_proc WHERE prosrc ~ {columns}",
            # But that nobody is reminded of what is settled.
            f"SELECT conname FROM pg_constraint WHERE contype = 'c' AND pg_get_constraintdef(oid) ~ {columns}"
            f" AND conrelid <> {table}",
        ):
            with connection.cursor() as cursor:
                cursor.execute(asked)
                assert cursor.fetchall() == [], asked


@pytest.mark.django_db
def test_years_of_silence_leave_a_registration_as_it_is() -> None:
    with known_networks():
        found = story.registration_of(story.a_granted_application(story.a_person()))
        until = found.valid_until + dt.timedelta(days=3650)
        Registration.objects.filter(pk=found.pk).update(valid_until=until, grace_until=until)
        found.entries.update(valid_until=until)
        before, changes = queries.fresh(found), Change.objects.count()
        for days in (366, 381, 410, 740, 755, 800):
            workflow.advance(now=before.created_at + dt.timedelta(days=days))
    assert Letter.objects.filter(template__startswith="still_right").count() == 6, "three letters each year"
    assert queries.fresh(found).__dict__.keys() == before.__dict__.keys()
    was, now = ({k: v for k, v in each.__dict__.items() if k != "_state"} for each in (before, queries.fresh(found)))
    assert was == now and Change.objects.count() == changes
