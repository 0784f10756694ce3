"""What the definitions read: PostgreSQL itself says which columns, and each of them is on a list."""

import re
from collections.abc import Iterator

import pytest
from django.apps import apps
from django.db import DatabaseError, connection

from rahdari.figures import counting
from rahdari.figures.definitions import ALL, load
from rahdari.people.models import Organisation, User
from rahdari.register.models import BlockField
from rahdari.vault.fields import BlindIndexField, EncryptedTextField
from tests import urdu

PERSONS = (User, Organisation)

# All that figures may read: states, reasons, times of acts, and the keys by which rows hang together. No person, no
# address, no number of anything, no text. Add a column here only if no row of it can lead to somebody.
MAY_READ = {
    "appeal_appeal": {"id", "decided_at"},
    "appeal_point": {"appeal_id", "outcome"},
    "apply_application": {"id", "submitted_at"},
    "complaint_complaint": {"copy_of_id", "decided_at", "kind", "outcome", "overdue_at", "part_of_id"},
    "decide_case": {"id", "application_id", "escalated_at"},
    # `decided_by` names an officer, or the rule: it is compared with the word "rule" alone (below).
    "decide_decision": {"at", "case_id", "codes", "confirmed_at", "decided_by", "outcome", "provisional_until"}
    | {"voided_at"},
    "figures_overdue": {"kind", "month", "number"},
    "incident_incident": {"began_at", "ended_at", "late_mend_at", "opened_at", "reason", "state"},
    "journal_journalentry": {"act", "at", "reason"},
    "maintenance_work": {"ended_at", "ends_at", "started_at", "starts_at", "state", "told_at"},
    "publish_operator": {"active", "asns", "gateway", "name_en", "name_ur", "slug"},
    "register_entry": {"asns", "ended_at", "registration_id", "valid_from"},
    "register_registration": {"category", "created_at", "expired_at", "id", "struck_out_at", "valid_from"},
    "sampling_secondlook": {"agrees", "by_chance", "by_rule", "looked_at"},
}
A_MOMENT = "'2026-10-01 00:00+05'::timestamptz"
READS = """
SELECT c.relname, a.attname FROM pg_depend d
  JOIN pg_rewrite r ON r.oid = d.objid JOIN pg_class c ON c.oid = d.refobjid
  JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
 WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass
   AND r.ev_class = 'asked'::regclass AND d.refobjid <> r.ev_class"""


def statements() -> Iterator[tuple[str, str, str]]:
    """Each with a name, and names for the columns of its answer."""
    for each in load().figures.values():
        yield each.id, each.sql, "part, half, most" if each.is_time else "part, number"
        for name in ("changed", "erased"):
            if sql := getattr(each, name):
                yield f"{each.id}.{name}", sql, "number"
    yield "operators", counting.OPERATORS, "slug, en, ur"


def columns_of(sql: str, columns: str) -> set[tuple[str, str]]:
    """What a statement reads, by the dependencies of a view of it: PostgreSQL's own word, not a reading of the text."""
    for name in ("start", "end", "since"):
        sql = sql.replace(f"%({name})s", A_MOMENT)
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE VIEW asked ({columns}) AS {sql.replace('%%', '%')}")
        cursor.execute(READS)
        found = set(cursor.fetchall())
        cursor.execute("DROP VIEW asked")
    return found


@pytest.mark.django_db
class TestWhatIsRead:
    def test_each_column_is_on_the_list_and_each_on_the_list_is_read(self) -> None:
        read = {column for _name, sql, columns in statements() for column in columns_of(sql, columns)}
        assert read == {(table, column) for table, columns in MAY_READ.items() for column in columns}

    def test_a_definition_that_read_a_name_would_be_found(self) -> None:
        assert ("apply_application", "cnic_index") in columns_of(
            "SELECT 'all', count(cnic_index) FROM apply_application", "part, number"
        )
        assert ("apply_application", "name") in columns_of(
            "SELECT 'all', count(a) FROM (SELECT * FROM apply_application) AS a", "part, number"
        )

    def test_no_column_on_the_list_is_encrypted_or_an_address_or_names_somebody(self) -> None:
        for model in apps.get_models():
            listed = MAY_READ.get(model._meta.db_table, set())
            for field in model._meta.concrete_fields:
                if field.column in listed:
                    assert not isinstance(field, (EncryptedTextField, BlindIndexField, BlockField)), field
                    assert not field.is_relation or field.related_model not in PERSONS, field
                    assert not {"cnic", "holder", "actor", "subject"} & set(field.column.split("_")), field

    def test_who_decided_is_compared_with_the_word_rule_and_told_nowhere(self) -> None:
        for _name, sql, _columns in statements():
            for place in re.finditer(r"decided_by\b", sql):
                assert sql[place.end() :].lstrip().removeprefix("NOT ").startswith("LIKE 'rule:%%'")

    def test_a_statement_can_write_nothing_and_is_ended_when_it_takes_too_long(self) -> None:
        with pytest.raises(DatabaseError, match="read-only"), counting.reading() as cursor:
            cursor.execute("UPDATE decide_case SET status = status")
        with counting.reading() as cursor:
            cursor.execute("SHOW statement_timeout")
            assert cursor.fetchone()[0] == "2min"


def test_each_figure_is_defined_in_both_languages_and_bound_to_what_is_there() -> None:
    found = load()
    for each in found.figures.values():
        words = [each.title, each.words, each.unit, each.denominator, *each.parts.values()]
        assert all(one.en and one.ur for one in words), each.id
        assert each.version >= 1
        if each.is_total:
            figure, _dot, part = each.is_total.partition(".")
            assert part in {ALL, *found.figures[figure].parts}
    assert {"decisions", "refusals", "officers_in_time", "time_to_decide"} <= found.together_with("officers_decided")
    assert [problem for each in found.figures.values() for problem in urdu.text_problems(each.words.ur)] == []
