"""Of cases that were closed before, the keyed hash of the whole name: a search with a ground finds them too."""

from typing import Any

from django.db import migrations

from rahdari.decide.keeping import whole_name


def keep_names(apps: Any, _schema: Any) -> None:
    closed = apps.get_model("decide", "Case").objects.exclude(status="open").select_related("application")
    for case in closed.filter(application__erased_at__isnull=True).iterator():
        case.words = whole_name(case.application.company_name or case.application.name)
        case.save(update_fields=["words"])


def forget_names(apps: Any, _schema: Any) -> None:
    apps.get_model("decide", "Case").objects.exclude(status="open").update(words=[])


class Migration(migrations.Migration):
    dependencies = [("decide", "0012_evidence_goes_with_the_file"), ("apply", "0021_who_applied_with_a_number")]

    operations = [migrations.RunPython(keep_names, forget_names)]
