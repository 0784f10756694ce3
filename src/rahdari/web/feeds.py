"""Feeds that a reader follows: RSS and Atom, each entry with a link, a day and an id of its own."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.http import HttpResponse
from django.utils.feedgenerator import Atom1Feed, Rss201rev2Feed
from django.utils.translation import get_language


@dataclass(frozen=True)
class Entry:
    """`id` is the same for ever; `link` absolute."""

    at: dt.datetime
    title: str
    text: str
    link: str
    id: str


def answer(
    *,
    title: str,
    description: str,
    link: str,
    here: str,
    entries: Iterable[Entry],
    kind: type[Rss201rev2Feed | Atom1Feed] = Rss201rev2Feed,
) -> HttpResponse:
    """The entries, the newest first. `link`: of the page, `here`: of the feed, both absolute."""
    feed = kind(title=title, link=link, description=description, language=get_language(), feed_url=here)
    for each in sorted(entries, key=lambda each: (each.at, each.title, each.id), reverse=True):
        feed.add_item(
            title=each.title,
            link=each.link,
            description=each.text,
            pubdate=each.at,
            updateddate=each.at,
            unique_id=each.id,
            unique_id_is_permalink=False,
        )
    found = HttpResponse(content_type=feed.content_type)
    feed.write(found, "utf-8")
    return found
