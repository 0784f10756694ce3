"""Calls to the systems of others: one signed event, to a public place only, as the settings have it."""

from collections.abc import Sequence

from django.conf import settings

from rahdari.probe import hook
from rahdari.proof import webhook


def place_of(url: str) -> hook.Place | hook.HookOutcome:
    """Where the address leads, or why we would not call it. No name is looked up."""
    return hook.read_address(url, allowed_ranges=settings.CALLBACK_RANGES)


def post(
    url: str, *, secrets: Sequence[str], id: str, at: int, body: bytes, agent: str, timeout: float = hook.TIMEOUT
) -> hook.HookAnswer:
    """One try. Never raises for what the other side does."""
    return hook.post(
        url,
        body=body,
        headers={
            "Content-Type": "application/json",
            "User-Agent": agent,
            **webhook.headers(given=secrets, id=id, at=at, body=body),
        },
        timeout=timeout,
        allowed_ranges=settings.CALLBACK_RANGES,
        ca_file=settings.CALLBACK_CA_FILE or None,
    )
