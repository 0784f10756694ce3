from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("share", "0001_initial")]

    operations = [
        migrations.RemoveConstraint(model_name="request", name="one_request_of_a_subject_waits"),
        migrations.RemoveIndex(model_name="request", name="requests_of_a_subject"),
        migrations.AddIndex(
            model_name="request",
            index=models.Index(fields=["holder", "asked_at"], name="requests_of_a_holder"),
        ),
        migrations.AddConstraint(
            model_name="request",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "waiting")),
                fields=("holder", "block"),
                name="one_request_for_a_block_waits",
            ),
        ),
    ]
