import uuid
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Sealed",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("about", models.CharField(db_index=True, max_length=25)),
                ("kind", models.CharField(max_length=40)),
                ("sealed_at", models.DateTimeField()),
                ("key", models.CharField(max_length=16)),
                ("content", models.BinaryField()),
            ],
            options={"ordering": ["sealed_at", "id"]},
        )
    ]
