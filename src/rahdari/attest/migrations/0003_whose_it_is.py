"""What counted, and what is disputed, belongs to a holder: a person or an organisation. What was noted before stays
with the person who applied.
"""

import uuid

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def name_holders(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    users = apps.get_model("people", "User")
    for name in ("Use", "Matter"):
        rows = apps.get_model("attest", name).objects
        for person in set(rows.values_list("person", flat=True)):
            user = users.objects.filter(pk=person.removeprefix("person:")).first()
            rows.filter(person=person).update(holder=user.holder_ref if user is not None else uuid.uuid4())


class Migration(migrations.Migration):
    dependencies = [
        ("attest", "0002_lists_that_revoke"),
        ("people", "0008_mandates"),
    ]

    operations = [
        migrations.AddField(model_name="use", name="holder", field=models.UUIDField(null=True)),
        migrations.AddField(model_name="matter", name="holder", field=models.UUIDField(null=True)),
        migrations.RunPython(name_holders, migrations.RunPython.noop),
        migrations.AlterField(model_name="use", name="holder", field=models.UUIDField()),
        migrations.AlterField(model_name="matter", name="holder", field=models.UUIDField()),
        migrations.RemoveIndex(model_name="use", name="attestations_used_by"),
        migrations.RemoveIndex(model_name="matter", name="matters_of_a_person"),
        migrations.AddIndex(model_name="use", index=models.Index(fields=["holder"], name="attestations_used_for")),
        migrations.AddIndex(model_name="matter", index=models.Index(fields=["holder"], name="matters_of_a_holder")),
        migrations.RemoveConstraint(model_name="matter", name="one_open_matter_about_an_attestation"),
        migrations.AddConstraint(
            model_name="matter",
            constraint=models.UniqueConstraint(
                condition=models.Q(("closed_at__isnull", True)),
                fields=("attestation", "subject", "holder"),
                name="one_open_matter_about_an_attestation",
            ),
        ),
    ]
