"""Addresses of email, and the names and numbers of organisations, are encrypted, with a keyed index for equality."""

from typing import Any

from django.db import migrations, models

from rahdari.vault.fields import BlindIndexField
from rahdari.vault.sealing import seal_columns


def email_index(**kwargs: Any) -> tuple[str, BlindIndexField]:
    return "email_index", BlindIndexField(of="email", purpose="people.email", **kwargs)


class Migration(migrations.Migration):
    dependencies = [("people", "0008_mandates")]

    operations = [
        migrations.AlterModelOptions(name="branch", options={"ordering": ["added_at", "id"]}),
        migrations.AlterModelOptions(name="organisation", options={"ordering": ["created_at", "id"]}),
        migrations.RemoveConstraint(model_name="branch", name="branch_has_a_name_once"),
        migrations.RemoveConstraint(model_name="invitation", name="address_is_invited_once"),
        migrations.RemoveConstraint(model_name="invitation", name="invited_address_is_lower_case"),
        migrations.RemoveConstraint(model_name="mandate", name="mandated_address_is_lower_case"),
        migrations.RemoveConstraint(model_name="user", name="person_email_is_lower_case"),
        migrations.RemoveIndex(model_name="invitation", name="invitation_by_address"),
        *seal_columns("user", "email", indexes=[email_index()]),
        migrations.AlterField("user", *email_index(unique=True)),
        *seal_columns("invitation", "email", indexes=[email_index()], bound_to="organisation_id"),
        *seal_columns("mandate", "email", "agent_name", indexes=[email_index()]),
        *seal_columns(
            "organisation",
            "name",
            "company_number",
            indexes=[
                ("name_index", BlindIndexField(of="name", purpose="people.organisation_name", folded=True)),
                (
                    "company_number_index",
                    BlindIndexField(of="company_number", purpose="people.company_number", db_index=True),
                ),
            ],
        ),
        *seal_columns(
            "branch",
            *("name", "city", "address"),
            indexes=[("name_index", BlindIndexField(of="name", purpose="people.branch_name", folded=True))],
        ),
        migrations.AddIndex("invitation", models.Index(fields=["email_index"], name="invitation_by_address")),
        migrations.AddConstraint(
            "branch",
            models.UniqueConstraint(
                condition=models.Q(("ended_at__isnull", True)),
                fields=("organisation", "name_index"),
                name="branch_has_a_name_once",
            ),
        ),
        migrations.AddConstraint(
            "invitation",
            models.UniqueConstraint(fields=("organisation", "email_index"), name="address_is_invited_once"),
        ),
        migrations.AddConstraint(
            "user",
            models.CheckConstraint(condition=models.Q(("email_index", ""), _negated=True), name="person_has_an_email"),
        ),
    ]
