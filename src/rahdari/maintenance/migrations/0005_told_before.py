"""Work is announced before it begins, so that the notice that holders have is never less than nothing."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("maintenance", "0004_takes_longer")]

    operations = [
        migrations.AddConstraint(
            model_name="work",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("told_at__isnull", True),
                    ("starts_at__gt", models.F("told_at")),
                    _connector="OR",
                ),
                name="work_is_told_before_it_begins",
            ),
        ),
    ]
