"""What is published names nobody: six fields of an entry, and no way in the code from the publisher to a person."""

import re

from django.apps import apps

from rahdari.feed.entry import FeedEntry
from rahdari.register import rules as register_rules

from .contracts import forbidden


class TestAnEntry:
    FIELDS = ("id", "prefix", "protocol", "port", "not_before", "not_after")

    def test_an_entry_has_six_fields_and_no_identity(self) -> None:
        names = [name for name in FeedEntry.__dataclass_fields__ if name not in {"extra", "others", "unknown"}]
        assert sorted(names) == sorted(self.FIELDS)

    def test_the_register_gives_the_feed_nothing_else(self) -> None:
        annotations = register_rules.feed_fields.__annotations__
        assert sorted(name for name in annotations if name != "return") == sorted(
            ["feed_id", "block", "protocol", "port", "kind", "valid_from", "valid_until"]
        )

    def test_no_table_of_publish_has_a_column_for_a_person(self) -> None:
        personal = re.compile(r"name|cnic|mobile|phone|email|holder|person|applicant|user", re.IGNORECASE)
        columns = [
            f"{model.__name__}.{field.name}"
            for model in apps.get_app_config("publish").get_models()
            for field in model._meta.get_fields()
            if personal.search(field.name)
        ]
        # An operator's name is no person's, a credential's is a machine's; a stream may never have been named.
        ours = re.compile(r"Operator\.name|(Credential\.name|Stream\.unnamed)$")
        assert [column for column in columns if not ours.match(column)] == []


def test_no_import_leads_from_the_publisher_to_a_person() -> None:
    """tests/architecture/test_rules_bite.py plants an import that breaks it."""
    people = {
        "people",
        "apply",
        "control",
        "checks",
        "fees",
        "confirm",
        "attest",
        "decide",
        "remote",
        "share",
        "letters",
        "portal",
    }
    assert people | {"api", "workflow"} <= forbidden("feed-knows-no-person", "publish")
    assert {"people", "apply", "decide"} <= forbidden("register-knows-no-person", "register")
