"""Secrets of second factors are bound to their person: copied onto another's row, they open nothing."""

import base64
from typing import Any

from django.apps.registry import Apps
from django.db import migrations

from rahdari.vault import cipher

BEFORE = "people.second_factor"


def bind(apps: Apps, schema_editor: Any) -> None:
    for row in apps.get_model("mfa", "Authenticator")._default_manager.filter(type__in=["totp", "recovery_codes"]):
        for name in {"secret", "seed"} & set(row.data):
            text = cipher.unseal("fields", base64.b64decode(row.data[name]), where=BEFORE)
            sealed = cipher.seal("fields", text, where=f"{BEFORE}:{row.user_id}")
            row.data[name] = base64.b64encode(sealed).decode()
        row.save(update_fields=["data"])


class Migration(migrations.Migration):
    dependencies = [("people", "0009_sealed_names"), ("mfa", "0003_authenticator_type_uniq")]

    operations = [migrations.RunPython(bind, migrations.RunPython.noop)]
