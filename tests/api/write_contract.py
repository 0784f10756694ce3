"""Writes docs/api/openapi.json anew: python -m tests.api.write_contract"""

import json
import os

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rahdari.settings.test")
    import django

    django.setup()
    from rahdari.api.interface import API
    from rahdari.programs.openapi import document
    from tests.api.test_contract import KEPT

    KEPT.parent.mkdir(parents=True, exist_ok=True)
    KEPT.write_text(json.dumps(document(API), indent=1, ensure_ascii=False) + "\n")
