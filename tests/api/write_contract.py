"""Writes the contracts anew: python -m tests.api.write_contract"""

import json
import os

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rahdari.settings.test")
    import django

    django.setup()
    from rahdari import urls  # noqa: F401 (rooms above declare some of the operators')
    from rahdari.api.interface import API
    from rahdari.confirm.interface import OPERATORS
    from rahdari.programs.openapi import document
    from tests.api.test_contract import KEPT, OF_OPERATORS

    for path, interface in ((KEPT, API), (OF_OPERATORS, OPERATORS)):
        path.write_text(json.dumps(document(interface), indent=1, ensure_ascii=False) + "\n")
