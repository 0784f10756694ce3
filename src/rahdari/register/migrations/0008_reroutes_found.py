from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("register", "0007_shared_blocks"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="change",
            index=models.Index(condition=models.Q(("act", "reroute")), fields=["at"], name="reroutes_found"),
        ),
    ]
