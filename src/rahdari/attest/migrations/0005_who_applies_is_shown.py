"""The association that is asked sees who applies in its member's name."""

from django.db import migrations

import rahdari.vault.fields


class Migration(migrations.Migration):
    dependencies = [("attest", "0004_found_by_an_index")]

    operations = [
        migrations.AddField("request", "email", rahdari.vault.fields.EncryptedTextField(blank=True, default="")),
    ]
