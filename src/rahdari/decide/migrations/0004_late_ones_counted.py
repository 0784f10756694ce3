from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("decide", "0003_queue_marks")]

    operations = [
        migrations.RemoveIndex(model_name="case", name="cases_filtered"),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(
                condition=models.Q(("status", "open")),
                fields=["waits_for", "has_failed", "has_waiting", "service", "assigned_to", "late_at"],
                name="cases_filtered",
            ),
        ),
    ]
