"""The list of licensed providers in force, and what changed from one list to the next."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from django.conf import settings
from django.utils import timezone

from rahdari import policy
from rahdari.policy import Licence, Licensee, Licensees

from . import rules
from .models import ProviderList
from .rules import Change, What


@dataclass(frozen=True)
class Told:
    """A change, and when it was told: a list of providers brings it in. `name`: of the provider, or of the licence in
    the reader's language (`title_of`)."""

    change: Change
    list: ProviderList

    @property
    def licensees(self) -> Licensees:
        return read(self.list.text)

    @property
    def about(self) -> Licensee | Licence:
        licensees, key = self.licensees, self.change.key
        if self.change.what is What.TERMS:
            return licensees.licences[key]
        return next(each for each in licensees.providers if each.key == key)

    @property
    def id(self) -> str:
        """The same for ever, and of no other change."""
        return f"{self.list.number}-{self.change.what}-{self.change.key}"

    def name(self, language: str) -> str:
        return self.about.title.in_language(language) if isinstance(self.about, Licence) else self.about.name


@lru_cache(maxsize=64)
def read(text: str) -> Licensees:
    """A list that was imported. It was judged then."""
    return policy.read_licensees(text)[0]


def latest() -> ProviderList | None:
    return ProviderList.objects.last()


def in_force() -> Licensees | None:
    """The list that was imported last; before the first, that of the policy; None where that has none."""
    found = latest()
    return read(found.text) if found is not None else policy.current(settings.POLICY_FILE).licensees


def relied_on() -> Licensees | None:
    """What a new list is held against: the list in force, unless it is of press reports that the policy bundles."""
    found = in_force()
    return found if latest() is not None or (found is not None and found.own_list) else None


def told() -> list[Told]:
    """All that lists said otherwise than the one before, the newest first."""
    return list(_told())[::-1]


def _told() -> Iterator[Told]:
    before = None
    for each in ProviderList.objects.all():
        found = read(each.text)
        for change in rules.changes(before, found, local_day(each.at)):
            yield Told(change, each)
        before = found


def local_day(at: dt.datetime) -> dt.date:
    return timezone.localdate(at)
