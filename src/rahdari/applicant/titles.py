"""The policy's words in the reader's language."""

from django.utils.translation import get_language

from rahdari.apply import queries as apply
from rahdari.policy import Policy, Text


def words(text: Text | None) -> str:
    return text.in_language(get_language()) if text else ""


def service_title(key: str, policy: Policy | None = None, language: str | None = None) -> str:
    """In this language, or the reader's; the key itself for a service that the policy in force does not know."""
    service = (policy or apply.policy_in_force()).services.get(key)
    return service.title.in_language(language or get_language()) if service else key
