"""From when on an open case is close to late, and when somebody was told of it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("decide", "0011_reviewers")]

    operations = [
        migrations.AddField("case", "near_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField("case", "warned_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddIndex(
            "case", models.Index(condition=models.Q(("status", "open")), fields=["near_at"], name="cases_near_late")
        ),
    ]
