"""When each holder was last known to stand by a registration, and the yearly question whether it is still right."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models
from django.db.models import Q

# What is known of those that are there: when its holder last did something with an address of it that stays.
LAST_WORDS = """
UPDATE register_registration SET last_word_at = coalesce((
    SELECT max(change.at) FROM register_change AS change JOIN register_entry AS entry ON entry.id = change.entry_id
    WHERE entry.registration_id = register_registration.id AND entry.kind = 'static'
        AND change.act IN ('enter', 'amend', 'renew', 'retire')
), created_at);
"""


class Migration(migrations.Migration):
    dependencies = [("register", "0002_guards")]

    operations = [
        migrations.AddField(
            model_name="registration",
            name="last_word_at",
            field=models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
        ),
        migrations.RunSQL(LAST_WORDS, migrations.RunSQL.noop),
        migrations.AddIndex(
            model_name="registration",
            index=models.Index(
                fields=["last_word_at"],
                name="registration_last_word",
                condition=Q(expired_at__isnull=True, struck_out_at__isnull=True),
            ),
        ),
        migrations.CreateModel(
            name="YearlyQuestion",
            fields=[
                (
                    "registration",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="yearly_question",
                        serialize=False,
                        to="register.registration",
                    ),
                ),
                ("asked_at", models.DateTimeField()),
                ("letters", models.PositiveSmallIntegerField(default=1)),
                ("next_at", models.DateTimeField(blank=True, null=True)),
                ("settled_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(settled_at__isnull=True) | Q(next_at__isnull=True),
                        name="no_reminder_of_what_is_settled",
                    ),
                ],
                "indexes": [
                    models.Index(fields=["next_at"], name="yearly_to_remind", condition=Q(next_at__isnull=False)),
                    models.Index(fields=["asked_at", "settled_at"], name="yearly_asked"),
                ],
            },
        ),
    ]
