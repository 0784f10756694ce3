"""The migration that made reviewers the desk's carries each row, and its words, which are encrypted for their table."""

from importlib import import_module

import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from rahdari.decide.reviewer_models import Reviewer
from rahdari.people.models import Role, User
from tests.builders.cases import a_person, an_officer

from .test_appeals import LATER, refused, sent

pytestmark = pytest.mark.django_db
MOVING = import_module("rahdari.appeal.migrations.0003_reviewers")


def test_carries_who_was_named_though_somebody_in_the_office_could_today(officer: User, second: User) -> None:
    appeal, supervisor = sent(refused(officer, second)), an_officer("Supervisor D", role=Role.SUPERVISOR)
    nodes = [("appeal", "0002_guards"), ("decide", "0011_reviewers")]
    before = MigrationLoader(connection).project_state(nodes).apps
    old, reviewer = before.get_model("appeal", "Reviewer"), a_person()
    with connection.schema_editor(atomic=False) as editor:
        # The checks of what the acts wrote come first: a table with checks to come is not changed.
        editor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        editor.create_model(old)
        appeals = before.get_model("appeal", "Appeal")
        for name in ("hearing_at", "hearing_how", "held", "minutes"):
            editor.add_field(appeals, appeals._meta.get_field(name))
        facts = {"user_id": reviewer.pk, "named_by_id": supervisor.pk, "who": "A retired judge.", "at": LATER}
        row = old.objects.create(appeal_id=appeal.pk, **facts)
        editor.execute(MOVING.BEFORE)
        MOVING.move(before, editor)
        for statement in MOVING.AFTER.strip().split(";\n"):
            editor.execute(statement)
    found = Reviewer.objects.get()
    assert (found.pk, found.matter, found.who, found.ended_at) == (row.pk, appeal.subject, "A retired judge.", None)
    assert appeal.reviewer is not None and appeal.reviewer.user == reviewer
