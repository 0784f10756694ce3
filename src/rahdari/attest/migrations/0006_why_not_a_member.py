"""An association that says that somebody is no member says why."""

from django.db import migrations

import rahdari.vault.fields


class Migration(migrations.Migration):
    dependencies = [("attest", "0005_who_applies_is_shown")]

    operations = [
        migrations.AddField("request", "why", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
    ]
