"""Who else has sent something with a company number is asked of each application."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("apply", "0020_frozen_rules_stay"),
        ("people", "0010_bound_second_factors"),
        ("register", "0009_found_by_an_index"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="application",
            index=models.Index(
                condition=models.Q(("company_number", ""), _negated=True),
                fields=["company_number"],
                name="applied_with_a_number",
            ),
        ),
    ]
