import importlib
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.urls import clear_url_caches

from rahdari.people import urls


@pytest.fixture(autouse=True)
def nothing_tried_yet() -> None:
    """allauth counts tries in the cache of the process, which outlives a test."""
    cache.clear()


@pytest.fixture
def demo_urls(settings: Any) -> Iterator[None]:
    """The addresses as the demonstration has them. They are chosen when a process starts, so they are read again."""

    def read_again() -> None:
        importlib.reload(urls)
        importlib.reload(importlib.import_module(settings.ROOT_URLCONF))
        clear_url_caches()

    settings.DEMO = True
    read_again()
    yield
    settings.DEMO = False
    read_again()
