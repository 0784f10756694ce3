"""Operators whose agents do not name the terms of the feed hear of it, once for each text of the terms."""

import datetime as dt

from django.urls import reverse

from rahdari.feed.terms import SHORT, TERMS
from rahdari.letters import actions as letters
from rahdari.people import queries as people
from rahdari.publish import operator_lag


def notify_of_terms(now: dt.datetime) -> int:
    """Write to the people of each operator that is unsupported. Returns how many letters are new."""
    told = 0
    for seen in operator_lag.operators_with_lag(now):
        for post in people.posts_at_operator(seen.operator.slug) if seen.unsupported else ():
            told += letters.write_once(
                to=post.user,
                template="operator_terms",
                about=f"operator:{seen.operator.slug}",
                once=f"terms:{TERMS[:SHORT]}",
                context={"url": reverse("portal:feed_terms")},
                now=now,
            )
    return told
