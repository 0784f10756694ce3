from django.db import migrations, models


class Migration(migrations.Migration):
    """A snapshot is read in the order of the entries' numbers."""

    dependencies = [("publish", "0004_operator_number_prefixes")]

    operations = [
        migrations.RemoveConstraint(model_name="listing", name="a_stream_lists_an_entry_once"),
        migrations.AddConstraint(
            model_name="listing",
            constraint=models.UniqueConstraint(
                condition=models.Q(("until_sequence", None)),
                fields=("stream", "entry"),
                name="a_stream_lists_an_entry_once",
            ),
        ),
    ]
