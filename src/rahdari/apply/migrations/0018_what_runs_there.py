from collections import defaultdict
from typing import Any

import django.db.models.query_utils
from django.db import migrations, models

import rahdari.register.fields

NAMES = """
UPDATE apply_endpoint SET
  parts = protocol || coalesce(' ' || port, ''),
  runs = CASE
    WHEN protocol = 'any' THEN 'any'
    WHEN protocol = 'udp' AND port = 51820 THEN 'wireguard'
    WHEN protocol = 'udp' AND port = 1194 THEN 'openvpn_udp'
    WHEN protocol = 'tcp' AND port = 443 THEN 'openvpn_tcp'
    WHEN protocol = 'udp' AND port IN (500, 4500) OR protocol = 'esp' THEN 'ikev2'
    WHEN protocol = 'udp' AND port = 1701 THEN 'l2tp'
    WHEN protocol = 'tcp' AND port = 1723 THEN 'pptp'
    WHEN protocol = 'gre' THEN 'gre'
    ELSE 'other'
  END;
"""
# Back again: the first part alone, as it was asked for before.
FIRST = """
UPDATE apply_endpoint SET
  protocol = split_part(split_part(parts, ',', 1), ' ', 1),
  port = nullif(split_part(split_part(parts, ',', 1), ' ', 2), '')::integer;
"""
# Of these one part was asked for alone until now. The sets as they were when this was written.
IPSEC = ("udp 500", "udp 4500", "esp")
WHOLE = {
    **dict.fromkeys(IPSEC, IPSEC),
    "udp 1701": ("udp 500", "udp 1701", "udp 4500", "esp"),
    "tcp 1723": ("tcp 1723", "gre"),
}
ORDER = ("tcp 1723", "udp 500", "udp 1701", "udp 4500", "esp", "gre")
COVERED_BY = {"udp": ("udp 500", "udp 1701", "udp 4500"), "tcp": ("tcp 1723",), "any": ORDER}


def complete(apps: Any, schema_editor: Any) -> None:
    """An address gets what its service needs and no other row of the application has for it."""
    Endpoint = apps.get_model("apply", "Endpoint")
    rows = Endpoint.objects.filter(removed_at__isnull=True)
    half = rows.filter(parts__in=WHOLE)
    there: dict[Any, list[Any]] = defaultdict(list)
    for application in sorted(set(half.values_list("application_id", flat=True))):
        for row in rows.filter(application_id=application).order_by("position", "id"):
            there[application, row.block].append(row)
    for found in there.values():
        present = {row.parts for row in found}
        present |= {part for wide, parts in COVERED_BY.items() if wide in present for part in parts}
        for row in found:
            missing = set(WHOLE.get(row.parts, ())) - present
            if missing:
                present |= missing
                row.parts = ", ".join(sorted({row.parts, *missing}, key=ORDER.index))
                row.save(update_fields=["parts"])


class Migration(migrations.Migration):
    dependencies = [
        ("apply", "0017_sealed_companies"),
        ("register", "0010_parts"),
    ]

    operations = [
        migrations.RemoveConstraint(model_name="endpoint", name="application_asks_for_an_endpoint_once"),
        migrations.RemoveConstraint(model_name="endpoint", name="port_asked_for_in_range"),
        migrations.AddField(
            model_name="endpoint",
            name="runs",
            field=models.CharField(default="", max_length=20),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="endpoint",
            name="parts",
            # Plain text while it is filled.
            field=models.CharField(default="", max_length=352),
            preserve_default=False,
        ),
        migrations.RunSQL(NAMES, FIRST),
        migrations.RunPython(complete, migrations.RunPython.noop),
        # Of rows that were changed twice here checks wait for the end, and a table with such is not altered.
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE", migrations.RunSQL.noop),
        migrations.AlterField(
            model_name="endpoint",
            name="parts",
            field=rahdari.register.fields.PartsField(max_length=352),
        ),
        # With a value to come back with.
        migrations.AlterField(
            model_name="endpoint", name="protocol", field=models.CharField(default="any", max_length=8)
        ),
        migrations.RemoveField(model_name="endpoint", name="protocol"),
        migrations.RemoveField(model_name="endpoint", name="port"),
        migrations.AddConstraint(
            model_name="endpoint",
            constraint=models.UniqueConstraint(
                condition=django.db.models.query_utils.Q(("removed_at__isnull", True)),
                fields=("application", "block", "parts"),
                name="application_asks_for_an_endpoint_once",
            ),
        ),
    ]
