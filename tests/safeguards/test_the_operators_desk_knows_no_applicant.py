"""The desk where operators answer knows no application, no check and no case: nobody there learns who asked, or why."""

from django.apps import apps

from .contracts import forbidden


def test_no_import_leads_from_it_to_an_applicant() -> None:
    """tests/architecture/test_rules_bite.py plants an import that breaks it."""
    assert {"apply", "control", "checks", "decide", "portal"} <= forbidden("desk-knows-no-applicant", "confirm")


def test_no_table_of_it_points_at_one() -> None:
    for model in apps.get_app_config("confirm").get_models():
        for field in model._meta.get_fields():
            if not field.auto_created and field.related_model is not None:
                assert field.related_model._meta.app_label in {"confirm", "people", "publish"}, f"{model}.{field.name}"
