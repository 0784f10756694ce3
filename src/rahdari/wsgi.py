"""The WSGI application that granian serves."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rahdari.settings.production")
_pages = get_wsgi_application()

from rahdari.dyndns.updates import Updates  # noqa: E402  (models need the settings to be read)

application = Updates(_pages)
