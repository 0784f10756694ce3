import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("apply", "0013_mandates_of_agents"),
    ]

    operations = [
        migrations.AddField(
            model_name="document",
            name="noted_from",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="apply.document",
            ),
        ),
    ]
