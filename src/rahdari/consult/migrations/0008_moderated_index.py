from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("consult", "0007_bodies_end"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="comment",
            index=models.Index(
                condition=models.Q(
                    ("hidden_at__isnull", False),
                    ("reviewed_at__isnull", False),
                    ("apart_at__isnull", False),
                    _connector="OR",
                ),
                fields=["draft", "number"],
                name="comments_moderated",
            ),
        ),
    ]
