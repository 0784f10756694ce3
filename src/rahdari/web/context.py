"""What every page knows of the installation: the authority's name, whether this is the demonstration, the links.

Invariant: nothing here touches the database before a template asks for it, so that the page about a database that is
away can be built from the same pieces.

The links of the navigation come from `NAVIGATION`, a list of functions (request -> links) that the rooms above
register in their app's `ready`: this room knows none of them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.urls import NoReverseMatch, get_script_prefix, get_urlconf, reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from rahdari import policy


@dataclass(frozen=True)
class Link:
    """One link of a navigation. `count` is shown beside it, `count_words` said with it ("new")."""

    title: str
    url: str
    here: bool = False
    count: int = 0
    count_words: str = ""


NAVIGATION: list[Callable[[HttpRequest], list[Link]]] = []


def link_to(name: str) -> str | None:
    """The address of a page by its name, or None while no room serves it."""
    try:
        return reverse(name)
    except NoReverseMatch:
        return None


class Site:
    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    @cached_property
    def authority(self) -> str:
        return policy.current(settings.POLICY_FILE).authority.in_language(get_language())

    @cached_property
    def asks(self) -> frozenset[str]:
        """What the rules in force ask beyond an address and its proof (`policy.beyond`): no page speaks of the rest."""
        return policy.asked_by(policy.current(settings.POLICY_FILE))

    @cached_property
    def has_licensees(self) -> bool:
        return policy.current(settings.POLICY_FILE).licensees is not None

    @property
    def demo(self) -> bool:
        return bool(settings.DEMO)

    @property
    def name(self) -> str:
        return _("Rahdari")

    @property
    def host(self) -> str:
        """The name that stands in the reader's address line: what to look for before trusting a page."""
        return urlsplit(settings.SITE_URL).netloc

    @property
    def here(self) -> str:
        """Where the reader is, to come back to after the language was switched. A form sent is not sent again."""
        return self._request.get_full_path() if self._request.method in ("GET", "HEAD") else self._request.path

    @cached_property
    def start(self) -> str:
        return link_to("portal:start") or "/"

    @cached_property
    def sign_out(self) -> str | None:
        return link_to("account_logout")

    @cached_property
    def nav(self) -> list[Link]:
        return [link for source in NAVIGATION for link in source(self._request)]

    @property
    def foot(self) -> tuple[Link, ...]:
        return _foot(get_language(), get_script_prefix(), get_urlconf())


@lru_cache
def _foot(_language: str | None, _prefix: str, _urls: str | None) -> tuple[Link, ...]:
    """The same on each page of a language."""
    titles = {
        "portal:help": _("Help and contact"),
        "complaint:correction": _("An entry is wrong"),
        "portal:consultations": _("Have your say"),
        "portal:privacy": _("Privacy"),
        "portal:accessibility": _("Accessibility"),
        "portal:terms": _("Terms"),
        "portal:rules": _("Rules"),
        "figures:figures": _("Figures"),
        "portal:source": _("Source code"),
    }
    return tuple(Link(title, url) for name, title in titles.items() if (url := link_to(name)))


def site(request: HttpRequest) -> dict[str, Site]:
    return {"site": Site(request)}
