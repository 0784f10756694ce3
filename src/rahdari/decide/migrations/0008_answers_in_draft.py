import rahdari.vault.fields
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("decide", "0007_looked_at_again"),
    ]

    operations = [
        migrations.AddField(
            model_name="notice", name="draft", field=rahdari.vault.fields.EncryptedTextField(blank=True, default="")
        ),
        migrations.AddField(
            model_name="question", name="draft", field=rahdari.vault.fields.EncryptedTextField(blank=True, default="")
        ),
    ]
