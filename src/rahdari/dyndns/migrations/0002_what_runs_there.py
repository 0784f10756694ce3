from django.db import migrations, models

import rahdari.register.fields

# As the register and the applications: one part of IPsec, L2TP or PPTP alone becomes the whole.
PARTS = """
UPDATE dyndns_host SET parts = CASE
    WHEN protocol = 'esp' OR protocol = 'udp' AND port IN (500, 4500) THEN 'udp 500, udp 4500, esp'
    WHEN protocol = 'udp' AND port = 1701 THEN 'udp 500, udp 1701, udp 4500, esp'
    WHEN protocol = 'tcp' AND port = 1723 THEN 'tcp 1723, gre'
    ELSE protocol || coalesce(' ' || port, '')
  END;
"""
# Back again: the first part alone, as it was before.
FIRST = """
UPDATE dyndns_host SET
  protocol = split_part(split_part(parts, ',', 1), ' ', 1),
  port = nullif(split_part(split_part(parts, ',', 1), ' ', 2), '')::integer;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("dyndns", "0001_initial"),
        ("register", "0010_parts"),
    ]

    operations = [
        migrations.AddField(
            model_name="host",
            name="parts",
            field=models.CharField(default="", max_length=352),
            preserve_default=False,
        ),
        migrations.RunSQL(PARTS, FIRST),
        migrations.AlterField(
            model_name="host", name="parts", field=rahdari.register.fields.PartsField(max_length=352)
        ),
        migrations.RemoveField(model_name="host", name="protocol"),
        migrations.RemoveField(model_name="host", name="port"),
    ]
