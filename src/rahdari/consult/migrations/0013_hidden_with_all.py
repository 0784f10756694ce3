"""A comment is hidden with all who signed it; a claim takes a name off when its author, who was asked, said nothing.

Names that a claim took off before, and that their authors said nothing of, stay away until an officer decides.
"""

from django.db import migrations, models

UNDECIDED = """
UPDATE consult_nameclaim SET asked_at = claimed_at, away_at = due_at WHERE outcome = '' AND contested_at IS NULL;
UPDATE consult_nameclaim SET asked_at = claimed_at WHERE outcome = '' AND contested_at IS NOT NULL;
"""


class Migration(migrations.Migration):
    dependencies = [("consult", "0012_two_people")]

    operations = [
        migrations.AddConstraint(
            "comment",
            models.CheckConstraint(
                condition=models.Q(part_of__isnull=True) | models.Q(hidden=""),
                name="comment_is_hidden_with_all_who_signed_it",
            ),
        ),
        migrations.AddField("nameclaim", "asked_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField("nameclaim", "away_at", models.DateTimeField(blank=True, null=True)),
        migrations.RunSQL(UNDECIDED, migrations.RunSQL.noop),
        migrations.AddConstraint(
            "nameclaim",
            models.CheckConstraint(
                condition=models.Q(away_at__isnull=True)
                | models.Q(asked_at__isnull=False, away_at__gte=models.F("due_at"))
                & (models.Q(contested_at__isnull=True) | models.Q(contested_at__gte=models.F("away_at"))),
                name="name_goes_when_its_author_said_nothing",
            ),
        ),
    ]
