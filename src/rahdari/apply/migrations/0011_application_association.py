from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("apply", "0010_branches_of_endpoints"),
    ]

    operations = [
        migrations.AddField(
            model_name="application",
            name="association",
            field=models.SlugField(blank=True, default="", max_length=60),
            preserve_default=False,
        ),
    ]
