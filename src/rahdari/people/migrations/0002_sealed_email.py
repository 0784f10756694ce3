"""A person's address of email is encrypted.

It begins as plain text because allauth's migration lowers the addresses of all users by a comparison in SQL, which an
encrypted column refuses. Both run before there is a row.
"""

from django.db import migrations

from rahdari.vault.fields import EncryptedTextField


class Migration(migrations.Migration):
    dependencies = [("people", "0001_initial"), ("account", "0006_emailaddress_lower")]

    operations = [migrations.AlterField("user", "email", EncryptedTextField(blank=True, default=""))]
