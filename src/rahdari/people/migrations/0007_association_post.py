from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("people", "0006_branches"),
    ]

    operations = [
        migrations.RemoveConstraint(model_name="post", name="post_is_held_once"),
        migrations.AddField(
            model_name="post",
            name="association",
            field=models.SlugField(blank=True, default="", max_length=60),
            preserve_default=False,
        ),
        migrations.AlterField(
            model_name="post",
            name="role",
            field=models.CharField(
                choices=[
                    ("officer", "Officer"),
                    ("supervisor", "Supervisor"),
                    ("operator", "Operator"),
                    ("administrator", "Administrator"),
                    ("accounts", "Accounts"),
                    ("association", "Association"),
                ],
                max_length=20,
            ),
        ),
        migrations.AddConstraint(
            model_name="post",
            constraint=models.CheckConstraint(
                condition=models.Q(("association__gt", ""), ("role", "association"))
                | models.Q(models.Q(("role", "association"), _negated=True), ("association", "")),
                name="post_names_association_if_its",
            ),
        ),
        migrations.AddConstraint(
            model_name="post",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at__isnull", True)),
                fields=("user", "role", "operator", "association"),
                name="post_is_held_once",
            ),
        ),
    ]
