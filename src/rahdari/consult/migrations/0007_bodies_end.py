"""A body that has ended stays with what it said; another one of its domain may speak after it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("consult", "0006_was_hidden")]

    operations = [
        migrations.AlterField(model_name="body", name="domain", field=models.CharField(max_length=253)),
        migrations.AddConstraint(
            model_name="body",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at__isnull", True)), fields=("domain",), name="one_body_of_a_domain_speaks"
            ),
        ),
    ]
