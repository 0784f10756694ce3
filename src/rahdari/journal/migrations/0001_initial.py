import django.contrib.postgres.indexes
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="JournalEntry",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
                ("act", models.CharField(max_length=80)),
                ("actor", models.CharField(max_length=120)),
                ("subject", models.CharField(max_length=120)),
                ("reason", models.TextField(blank=True)),
                ("ground", models.CharField(blank=True, max_length=200)),
                ("detail", models.JSONField(default=dict)),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [
                    models.Index(fields=["subject", "-id"], name="journal_by_subject"),
                    models.Index(fields=["actor", "-id"], name="journal_by_actor"),
                    django.contrib.postgres.indexes.GinIndex(
                        condition=models.Q(("detail__has_key", "shown")),
                        fields=["detail"],
                        name="journal_by_shown",
                        opclasses=["jsonb_path_ops"],
                    ),
                    django.contrib.postgres.indexes.GinIndex(
                        condition=models.Q(("act__endswith", ".removed_member")),
                        fields=["detail"],
                        name="journal_by_member",
                        opclasses=["jsonb_path_ops"],
                    ),
                ],
            },
        )
    ]
