import django.contrib.postgres.indexes
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("journal", "0003_queue_is_kept"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="entry",
            index=django.contrib.postgres.indexes.GinIndex(
                condition=models.Q(("act__endswith", ".removed_member")),
                fields=["detail"],
                name="journal_by_member",
                opclasses=["jsonb_path_ops"],
            ),
        ),
    ]
