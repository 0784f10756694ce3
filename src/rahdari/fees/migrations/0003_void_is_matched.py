"""A payment for a void invoice is matched to it: that it names one is no reason any more why it waits."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("fees", "0002_guards")]
    operations = [
        migrations.RunSQL("UPDATE fees_payment SET why_not = '' WHERE why_not = 'invoice_void'", migrations.RunSQL.noop)
    ]
