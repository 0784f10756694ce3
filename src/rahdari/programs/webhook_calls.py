"""Calls to the systems of others: one signed event, to a public place only, as the settings have it."""

import datetime as dt
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from django.conf import settings

from rahdari.feed import webhook
from rahdari.probe import hook


def place_of(url: str) -> hook.Place | hook.HookOutcome:
    """Where the address leads, or why we would not call it. No name is looked up."""
    return hook.read_address(url, allowed_ranges=settings.CALLBACK_RANGES)


# Ten attempts in about two days; the pauses grow, as Standard Webhooks has it.
PAUSES = tuple(dt.timedelta(seconds=each) for each in (10, 60, 300, 1800, 7200, 14_400, 28_800, 43_200, 86_400))
AT_ONCE = 20


@dataclass(frozen=True)
class Event:
    """One try of one event: to whom, and what."""

    url: str
    secrets: tuple[str, ...]
    id: str
    at: int
    body: bytes


def post_all(events: Sequence[Event], *, agent: str, timeout: float = hook.TIMEOUT) -> list[hook.HookAnswer]:
    """Many at once: a slow server holds no other up. In the order of the events."""
    if not events:
        return []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda each: post(each, agent=agent, timeout=timeout), events))


def post(event: Event, *, agent: str, timeout: float = hook.TIMEOUT) -> hook.HookAnswer:
    """One try. Never raises for what the other side does."""
    return hook.post(
        event.url,
        body=event.body,
        headers={
            "Content-Type": "application/json",
            "User-Agent": agent,
            **webhook.headers(given=event.secrets, id=event.id, at=event.at, body=event.body),
        },
        timeout=timeout,
        allowed_ranges=settings.CALLBACK_RANGES,
        ca_file=settings.CALLBACK_CA_FILE or None,
    )
