"""The certified copy of a court's order is a paper of the proposal like any other (`Notice.shown_subject`)."""

from django.db import migrations

RENAME = "UPDATE apply_document SET rule = 'shown:' || substr(rule, 7) WHERE rule LIKE 'order:%'"
BACK = "UPDATE apply_document SET rule = 'order:' || substr(rule, 7) WHERE rule LIKE 'shown:%'"


class Migration(migrations.Migration):
    dependencies = [("apply", "0005_papers_of_others")]

    operations = [migrations.RunSQL(RENAME, BACK)]
