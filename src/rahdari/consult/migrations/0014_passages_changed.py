"""A comment on a clause as such is told apart where the words of the clause are others."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("consult", "0013_hidden_with_all")]

    operations = [
        migrations.AlterField(
            "anchor",
            "fate",
            models.CharField(
                choices=[
                    ("kept", "kept"),
                    ("changed", "changed"),
                    ("moved", "moved"),
                    ("orphaned", "orphaned"),
                ],
                max_length=10,
            ),
        ),
    ]
