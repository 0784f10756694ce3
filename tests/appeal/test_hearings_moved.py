"""The migrations that made hearings those of any matter carry each row, and its words, which are encrypted for their
table."""

import datetime as dt
from importlib import import_module
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from rahdari.appeal import actions
from rahdari.appeal.models import Appeal
from rahdari.decide import hearings
from rahdari.decide.models import Hearing
from rahdari.journal import actions as journal
from rahdari.people.models import Role, User
from tests.builders.cases import DAY, HOUR, an_officer
from tests.decide.test_hearings import asked, first_day, open_notice, set_for

from .test_appeals import LATER, refused, sent

pytestmark = pytest.mark.django_db
OF_NOTICES = import_module("rahdari.decide.migrations.0013_hearings_of_matters")
OF_APPEALS = import_module("rahdari.appeal.migrations.0004_hearings")
SET, DAY_OF_IT = LATER + 4 * DAY, LATER + 12 * DAY


def run(editor: Any, statements: str) -> None:
    for statement in statements.strip().split(";\n"):
        editor.execute(statement)


def moved(appeals: list[tuple[Appeal, dict[str, object]]]) -> None:
    """As the migration finds them: the columns of before, with what they said."""
    state = MigrationLoader(connection).project_state(
        [("appeal", "0003_reviewers"), ("decide", "0013_hearings_of_matters")]
    )
    OF_APPEALS.Migration.operations[0].state_forwards("appeal", state)
    before = state.apps
    old = before.get_model("appeal", "Appeal")
    with connection.schema_editor(atomic=False) as editor:
        # The checks of what the acts wrote come first: a table with checks to come is not changed.
        editor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for name in ("hearing_at", "hearing_how", "held", "minutes"):
            editor.add_field(old, old._meta.get_field(name))
        run(editor, OF_APPEALS.BEFORE)
        for appeal, said in appeals:
            row = old.objects.get(pk=appeal.pk)
            for name, value in said.items():
                setattr(row, name, value)
            row.save()
        OF_APPEALS.move(before, editor)
        run(editor, OF_APPEALS.AFTER)


def an_appeal(officer: User, second: User, decider: User) -> Appeal:
    appeal = sent(refused(officer, second), heard=True)
    return actions.take(appeal=appeal, user=decider, now=LATER + 3 * DAY)


def on_record(appeal: Appeal, act: str, user: User, now: dt.datetime) -> None:
    subject = appeal.case.application.subject
    journal.record(
        act=f"appeal.{act}",
        actor=f"supervisor:{user.pk}",
        subject=subject,
        now=now,
        detail={"appeal": appeal.reference},
    )


def test_of_appeals_carries_what_was_set_and_what_was_said(officer: User, second: User) -> None:
    first, later = an_officer("Supervisor D", role=Role.SUPERVISOR), an_officer("Supervisor E", role=Role.SUPERVISOR)
    to_come, held, unwanted = (an_appeal(officer, second, later) for _ in range(3))
    for appeal in (to_come, held):
        on_record(appeal, "set_hearing", first, SET)
    on_record(held, "recorded_hearing", later, DAY_OF_IT + HOUR)
    day = {"hearing_at": DAY_OF_IT, "hearing_how": "We call +92 300 1234567."}
    moved([(to_come, day), (held, day | {"held": "held", "minutes": "The line is theirs."})])
    planned, was = hearings.hearings_of(to_come).get(), hearings.hearings_of(held).get()
    for row in (planned, was):
        assert (row.starts_at, row.place, row.set_at, row.set_by) == (DAY_OF_IT, day["hearing_how"], SET, first)
    assert (planned.outcome, planned.minutes, planned.closed_at) == ("", "", None)
    assert (was.outcome, was.minutes, was.attended) == ("attended", "The line is theirs.", "")
    assert (was.closed_at, was.closed_by) == (DAY_OF_IT + HOUR, later)
    states = [Appeal.objects.get(pk=each.pk).hearing for each in (to_come, held, unwanted)]
    assert states == ["asked", "over", "asked"] and not hearings.hearings_of(unwanted).exists()


def test_of_appeals_knows_who_has_it_where_the_journal_says_nothing(officer: User, second: User) -> None:
    decider = an_officer("Supervisor D", role=Role.SUPERVISOR)
    appeal = an_appeal(officer, second, decider)
    moved([(appeal, {"hearing_at": LATER, "hearing_how": "By telephone", "held": "nobody_came", "minutes": "Thrice."})])
    row = hearings.hearings_of(appeal).get()
    assert row.set_at < row.starts_at == row.closed_at == Appeal.objects.get().hearing_over_at
    assert row.set_by == row.closed_by == decider and row.outcome == "nobody_came"


def test_of_notices_carries_each(officer: User, second: User) -> None:
    case, _found = asked(officer)
    day = first_day(case)
    set_for(case, officer, day)
    set_for(case, second, day + DAY, why="The room is closed.")
    notice = open_notice(case)
    before = list(Hearing.objects.order_by("set_at").values())
    with connection.schema_editor(atomic=False) as editor:
        editor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        editor.execute("ALTER TABLE decide_hearing ADD COLUMN notice_id uuid, ALTER COLUMN case_id DROP NOT NULL")
        editor.execute("ALTER TABLE decide_hearing DISABLE TRIGGER USER")
        editor.execute("ALTER TABLE decide_hearing DROP CONSTRAINT hearing_is_about_a_notice_or_an_appeal")
        editor.execute("DROP INDEX matter_has_one_hearing_to_come")
        editor.execute("UPDATE decide_hearing SET notice_id = %s, matter = '', case_id = NULL", [notice.pk])
        run(editor, OF_NOTICES.BEFORE)
    assert list(Hearing.objects.order_by("set_at").values()) == before and len(before) == 2
