"""A SEQUENCE that was read stays known when the draft is deleted."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("maintenance", "0005_told_before"), ("publish", "0005_two_people")]

    operations = [
        migrations.CreateModel(
            name="DeletedDraft",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("own_id", models.CharField(max_length=120)),
                ("own_sequence", models.IntegerField()),
                (
                    "operator",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="publish.operator",
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
                "constraints": [
                    models.UniqueConstraint(fields=("operator", "own_id"), name="a_deleted_draft_is_known_once")
                ],
            },
        ),
    ]
