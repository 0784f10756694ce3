"""What an operator writes to holders is read by an officer first. What holders have read already counts as read."""

import uuid

import django.db.models.deletion
from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from rahdari.maintenance.rules import wording_key


def keep_what_was_told(apps: Apps, _editor: BaseDatabaseSchemaEditor) -> None:
    works, wordings = apps.get_model("maintenance", "Work"), apps.get_model("maintenance", "Wording")
    for work in works.objects.filter(operator__isnull=False).exclude(state="draft").order_by("announced_at"):
        told = {"text_en": work.text_en, "text_ur": work.text_ur, "written_at": work.announced_at}
        read = {"is_shown": True, "read_at": work.announced_at, "read_by": "system:migration"}
        wording, _is_new = wordings.objects.get_or_create(
            operator=work.operator, key=wording_key(work.text_en, work.text_ur), defaults=told | read
        )
        works.objects.filter(pk=work.pk).update(wording=wording)


class Migration(migrations.Migration):
    dependencies = [("maintenance", "0007_own_words"), ("publish", "0005_two_people")]

    operations = [
        migrations.CreateModel(
            name="Wording",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("key", models.CharField(max_length=64)),
                ("text_en", models.CharField(blank=True, max_length=500)),
                ("text_ur", models.CharField(blank=True, max_length=500)),
                ("written_at", models.DateTimeField()),
                ("is_shown", models.BooleanField(null=True)),
                ("read_at", models.DateTimeField(blank=True, null=True)),
                ("read_by", models.CharField(blank=True, max_length=120)),
                (
                    "operator",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="publish.operator",
                    ),
                ),
            ],
            options={
                "ordering": ["written_at", "id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("is_shown__isnull", True)),
                        fields=["written_at", "id"],
                        name="wordings_to_read",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("operator", "key"), name="a_wording_of_an_operator_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("is_shown__isnull", True), ("read_at__isnull", True), ("read_by", "")),
                            models.Q(("is_shown__isnull", False), ("read_at__isnull", False), ("read_by__gt", "")),
                            _connector="OR",
                        ),
                        name="somebody_has_read_what_is_shown",
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="work",
            name="wording",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="maintenance.wording",
            ),
        ),
        # Work that is over stays as it is, but for this.
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE; ALTER TABLE maintenance_work DISABLE TRIGGER USER"),
        migrations.RunPython(keep_what_was_told),
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE; ALTER TABLE maintenance_work ENABLE TRIGGER USER"),
        migrations.AddConstraint(
            model_name="work",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("operator__isnull", True), ("state", "draft"), ("wording__isnull", False), _connector="OR"
                ),
                name="an_operators_words_are_read_first",
            ),
        ),
    ]
