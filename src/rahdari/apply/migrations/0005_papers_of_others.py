"""Papers of somebody who does not apply: with what they said, and without an application."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("apply", "0004_refused_is_reopened")]

    operations = [
        migrations.AlterField(
            model_name="document",
            name="application",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="documents",
                to="apply.application",
            ),
        ),
        migrations.RemoveConstraint(model_name="document", name="application_has_a_file_once"),
        migrations.AddConstraint(
            model_name="document",
            constraint=models.UniqueConstraint(
                condition=Q(("removed_at__isnull", True)),
                fields=("application", "rule", "sha256"),
                name="application_has_a_file_once",
                nulls_distinct=False,
            ),
        ),
        migrations.AddConstraint(
            model_name="document",
            constraint=models.CheckConstraint(
                condition=Q(("application__isnull", False), ("rule__contains", ":"), _connector="OR"),
                name="file_goes_with_something",
            ),
        ),
    ]
