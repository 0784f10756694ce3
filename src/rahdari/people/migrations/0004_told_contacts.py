"""When the contact of an organisation's number is told of what was done in its name, and of what it was told so far."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("people", "0003_one_person")]

    operations = [
        migrations.AddField(
            model_name="organisation",
            name="contact_due_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="organisation",
            name="contact_told_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddIndex(
            model_name="organisation",
            index=models.Index(
                condition=models.Q(contact_due_at__isnull=False),
                fields=["contact_due_at"],
                name="organisation_contact_due",
            ),
        ),
    ]
