"""A mobile line is told to its own operator over its own key, and to nobody else."""

import re
from pathlib import Path

from django.apps import apps

from rahdari.register.models import KINDS

from .contracts import forbidden

PACKAGE = Path(__file__).resolve().parents[2] / "src" / "rahdari"


class TestMobileLines:
    def test_no_table_that_is_published_from_reaches_a_line(self) -> None:
        lines = set(apps.get_app_config("mobile").get_models())
        for room in ("register", "publish"):
            for model in apps.get_app_config(room).get_models():
                for field in model._meta.get_fields():
                    # What points down at a registration is seen from there; nothing points up.
                    if not field.auto_created:
                        assert field.related_model not in lines, f"{model.__name__}.{field.name}"

    def test_no_module_that_publishes_names_the_room_or_its_words(self) -> None:
        named = re.compile(r"mobile_lines|mobile_line|rahdari\.mobile\b|mobile_line\b|reference_index")
        published = [
            path
            for room in ("publish", "feed", "push", "lookup", "agent", "register")
            for path in sorted((PACKAGE / room).rglob("*.py"))
        ]
        assert published
        assert [str(path) for path in published if named.search(path.read_text())] == []

    def test_the_kinds_of_entries_have_no_line_among_them(self) -> None:
        assert "mobile" not in KINDS and "line" not in KINDS

    def test_a_line_has_no_address(self) -> None:
        model = apps.get_model("mobile", "MobileNumber")
        assert [
            field.name for field in model._meta.get_fields() if re.search(r"block|address|port|asn", field.name)
        ] == []

    def test_no_import_leads_from_the_feed_to_one_or_back(self) -> None:
        """tests/architecture/test_rules_bite.py plants imports that break it."""
        for room, contract in {
            "publish": "feed-knows-no-person",
            "register": "register-knows-no-person",
            "push": "push-holds-nothing",
            "lookup": "lookup-holds-nothing",
            "agent": "agent-ships-alone",
        }.items():
            assert "mobile" in forbidden(contract, room)
        assert {"publish", "push", "lookup"} <= forbidden("lines-are-not-published", "mobile")
