"""The words of an operator lead its holders to no site."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("maintenance", "0006_deleted_drafts")]

    operations = [
        migrations.AddConstraint(
            model_name="work",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("operator__isnull", True),
                    models.Q(
                        ("text_en__iregex", r"://|www\.|\S@\S"),
                        ("text_ur__iregex", r"://|www\.|\S@\S"),
                        _connector="OR",
                        _negated=True,
                    ),
                    _connector="OR",
                ),
                name="an_operators_words_lead_nowhere",
            ),
        ),
    ]
