"""What a second officer had shown again keeps why, when and by whom it was hidden."""

from importlib import import_module

import rahdari.consult.rules
from django.db import migrations, models


# What may change of a comment that is proved, and one more.
GUARDS = import_module("rahdari.consult.migrations.0005_signers_are_told").GUARDS.replace(
    "'signers_told']", "'signers_told', 'was_hidden']"
)


class Migration(migrations.Migration):
    dependencies = [
        ("consult", "0005_signers_are_told"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="comment",
            name="comment_is_hidden_for_a_reason",
        ),
        migrations.AddField(
            model_name="comment",
            name="was_hidden",
            field=models.CharField(
                blank=True,
                choices=[
                    (rahdari.consult.rules.Hidden["ABUSE"], rahdari.consult.rules.Hidden["ABUSE"]),
                    (rahdari.consult.rules.Hidden["PERSONAL_DATA"], rahdari.consult.rules.Hidden["PERSONAL_DATA"]),
                    (rahdari.consult.rules.Hidden["FALSE_NAME"], rahdari.consult.rules.Hidden["FALSE_NAME"]),
                ],
                max_length=15,
            ),
        ),
        migrations.AddConstraint(
            model_name="comment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("hidden", ""), ("hidden_at__isnull", True), ("hidden_by", ""), ("was_hidden", "")),
                    models.Q(
                        models.Q(
                            models.Q(models.Q(("hidden", ""), _negated=True), ("was_hidden", "")),
                            models.Q(
                                ("hidden", ""),
                                ("reviewed_at__isnull", False),
                                models.Q(("was_hidden", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        models.Q(("hidden_by", ""), _negated=True),
                        ("hidden_at__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="comment_is_hidden_for_a_reason",
            ),
        ),
        migrations.RunSQL(GUARDS),
    ]
