"""An officer keeps a closed file for an appeal, a complaint or a court, though its time may be over."""

from django.db import migrations, models

import rahdari.vault.fields


class Migration(migrations.Migration):
    dependencies = [("apply", "0022_asks_what_is_read")]

    operations = [
        migrations.AddField("application", "held_until", models.DateField(blank=True, null=True)),
        migrations.AddField("application", "held_because", models.CharField(blank=True, max_length=12)),
        migrations.AddField(
            "application", "held_words", rahdari.vault.fields.EncryptedTextField(blank=True, default="")
        ),
        migrations.AddIndex(
            "application",
            models.Index(
                condition=models.Q(("held_until__isnull", False)), fields=["held_until"], name="files_on_hold"
            ),
        ),
    ]
