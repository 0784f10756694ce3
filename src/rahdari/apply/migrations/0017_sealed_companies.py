"""Names and numbers of companies are encrypted in applications too: a copy of the database does not tell who applied."""

from django.db import migrations

from rahdari.vault.fields import BlindIndexField
from rahdari.vault.sealing import seal_columns


class Migration(migrations.Migration):
    dependencies = [("apply", "0016_remote_workers"), ("people", "0009_sealed_names")]

    operations = seal_columns(
        "application",
        *("company_name", "company_number"),
        indexes=[
            (
                "company_number_index",
                BlindIndexField(of="company_number", purpose="people.company_number", db_index=True),
            )
        ],
    )
