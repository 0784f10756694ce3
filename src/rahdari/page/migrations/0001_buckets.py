from typing import ClassVar

from django.db import migrations

# Unlogged: a crash empties it, which forgives everybody. Keys are hashes: no address of a visitor is kept.
MAKE = """
CREATE UNLOGGED TABLE page_bucket (
    key bytea PRIMARY KEY,
    tokens double precision NOT NULL,
    at timestamptz NOT NULL
);
CREATE INDEX page_bucket_at ON page_bucket (at);
"""


class Migration(migrations.Migration):
    initial = True
    dependencies: ClassVar[list[tuple[str, str]]] = []
    operations = [migrations.RunSQL(MAKE, "DROP TABLE page_bucket")]
