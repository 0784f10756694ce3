"""A correction may be about the number of a card."""

from django.db import migrations, models

ABOUT = (
    *("sold_on", "false_statement", "not_the_holder", "court_finding"),
    *("address", "name", "card", "company", "entry"),
)


class Migration(migrations.Migration):
    dependencies = [("complaint", "0005_two_people")]

    operations = [
        migrations.AlterField(
            model_name="complaint",
            name="about",
            field=models.CharField(choices=[(each, each) for each in ABOUT], max_length=15),
        )
    ]
