"""A real installation. Refuses to start without what it needs; `rahdari doctor` says the same in plain words."""

from .base import *
from .base import SECRET_KEY, SITE_URL

if not SECRET_KEY:
    from django.core.exceptions import ImproperlyConfigured

    raise ImproperlyConfigured("RAHDARI_SECRET_KEY is not set. `rahdari up` makes one in the data folder.")

HTTPS = SITE_URL.startswith("https://")
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
CSRF_TRUSTED_ORIGINS = [SITE_URL] if HTTPS else []
