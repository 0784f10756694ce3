"""A demand is known by its number, by who demands and by the provision: none of them is blank."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("demand", "0003_two_people")]

    operations = [
        migrations.AddConstraint(
            "demand",
            models.CheckConstraint(
                condition=Q(number__regex=r"\S", body__regex=r"\S", provision__regex=r"\S"),
                name="demand_has_number_body_and_provision",
            ),
        )
    ]
