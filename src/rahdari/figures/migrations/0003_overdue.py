"""What was overdue when a month was over: counted once, and only added."""

from django.db import migrations, models

GUARDS = """
CREATE TRIGGER overdue_only_grows BEFORE UPDATE OR DELETE ON figures_overdue
    FOR EACH ROW EXECUTE FUNCTION figures_only_grow();
CREATE TRIGGER overdue_is_never_emptied BEFORE TRUNCATE ON figures_overdue
    FOR EACH STATEMENT EXECUTE FUNCTION figures_only_grow();
"""


class Migration(migrations.Migration):
    dependencies = [("figures", "0002_guards")]

    operations = [
        migrations.CreateModel(
            name="Overdue",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("month", models.DateField()),
                ("kind", models.CharField(max_length=40)),
                ("number", models.PositiveIntegerField()),
                ("at", models.DateTimeField()),
            ],
            options={
                "ordering": ["month", "kind"],
                "constraints": [models.UniqueConstraint(fields=("month", "kind"), name="overdue_is_counted_once")],
            },
        ),
        migrations.RunSQL(GUARDS),
    ]
