"""Names of categories in the reader's language, from the policy in force."""

from django.conf import settings
from django.utils.translation import get_language

from rahdari import policy


def category_title(key: str, language: str | None = None) -> str:
    service = policy.current(settings.POLICY_FILE).services.get(key)
    return service.title.in_language(language or get_language()) if service else key
