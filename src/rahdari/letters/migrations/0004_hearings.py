"""The letter of an appellant's hearing is that of any hearing: what is on its way goes out as that."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("letters", "0003_about_a_file")]

    operations = [
        migrations.RunSQL("UPDATE letters_letter SET template = 'hearing_set' WHERE template = 'appeal_hearing'"),
    ]
