"""The publisher asks with each edition whether a file is still to be written: it must not look through all of them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("publish", "0002_guards")]

    operations = [
        migrations.AddIndex(
            model_name="file",
            index=models.Index(
                condition=models.Q(("dropped_at", None), ("sha256", "")), fields=["width"], name="files_to_write"
            ),
        ),
    ]
