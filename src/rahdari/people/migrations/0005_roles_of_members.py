"""A member who was no owner saw the registrations and changed nothing: that is a viewer now."""

from typing import Any

from django.db import migrations, models

ROLES = [(role, role.title()) for role in ("owner", "manager", "technician", "accountant", "viewer")]


def viewers(apps: Any, schema_editor: Any) -> None:
    for name in ("Membership", "Invitation"):
        apps.get_model("people", name).objects.filter(role="member").update(role="viewer")


def members(apps: Any, schema_editor: Any) -> None:
    for name in ("Membership", "Invitation"):
        apps.get_model("people", name).objects.exclude(role="owner").update(role="member")


class Migration(migrations.Migration):
    dependencies = [("people", "0004_contact_number")]

    operations = [
        migrations.RunPython(viewers, members),
        *(
            migrations.AlterField(
                model_name=name,
                name="role",
                field=models.CharField(choices=ROLES, default="viewer", max_length=10),
            )
            for name in ("invitation", "membership")
        ),
    ]
