"""The WSGI application that granian serves."""

import os

from django.core.wsgi import get_wsgi_application
from django.utils.module_loading import import_string

from rahdari import optional
from rahdari.web.health import Health

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rahdari.settings.production")
_pages = Health(get_wsgi_application())

# What routers report goes past the pages (models need the settings to be read).
without_updates = "dyndns" in optional.left_out()
application = _pages if without_updates else import_string("rahdari.dyndns.updates.Updates")(_pages)
