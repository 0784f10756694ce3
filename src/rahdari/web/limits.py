"""How often something may be tried: a token bucket for each key, in one table that survives nothing but is shared.

Invariants: a key is kept only as a keyed hash, so the table tells nobody's address; a bucket never holds more than
its rate; the database's own clock counts, one for all processes. The table is unlogged (a crash empties it, which
opens every limit once and loses nothing else) and has no model, because nothing else may read it.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import salted_hmac

from rahdari.db import replicas

from . import errors
from .visitor import Place

AN_HOUR = 3600

_TAKE = """
INSERT INTO web_allowance AS held (key, tokens, at, taken)
VALUES (%(key)s, %(rate)s - 1, clock_timestamp(), true)
ON CONFLICT (key) DO UPDATE SET
  tokens = {full} - CASE WHEN {full} >= 1 THEN 1 ELSE 0 END,
  taken = {full} >= 1,
  at = greatest(held.at, clock_timestamp())
RETURNING taken, tokens
""".format(
    full="least(%(rate)s, held.tokens + greatest(0, extract(epoch FROM clock_timestamp() - held.at))"
    " * %(rate)s::float8 / %(per)s)"
)

_SPEND = """
INSERT INTO web_allowance AS held (key, tokens, at, taken)
VALUES (%(key)s, %(rate)s - %(amount)s, clock_timestamp(), true)
ON CONFLICT (key) DO UPDATE SET
  tokens = least(%(rate)s, held.tokens + greatest(0, extract(epoch FROM clock_timestamp() - held.at))
    * %(rate)s::float8 / %(per)s) - %(amount)s,
  at = greatest(held.at, clock_timestamp())
"""

_LEFT = """
SELECT least(%(rate)s, tokens + greatest(0, extract(epoch FROM clock_timestamp() - at)) * %(rate)s::float8 / %(per)s)
FROM web_allowance WHERE key = %(key)s
"""


@dataclass(frozen=True)
class Allowance:
    """Whether it may be done now, and if not, how long until it may."""

    allowed: bool
    wait: dt.timedelta


def take(key: str, *, rate: int, per: int) -> Allowance:
    """Take one of `rate` tries that come back evenly within `per` seconds."""
    with replicas.at_primary(), connection.cursor() as cursor:
        cursor.execute(_TAKE, {"key": _hashed(key), "rate": rate, "per": per})
        taken, tokens = cursor.fetchone()
    wait = 0.0 if taken else (1 - tokens) * per / rate
    return Allowance(taken, dt.timedelta(seconds=wait))


def forget_untouched() -> int:
    """Remove the buckets that nobody has touched for a day; how many."""
    with replicas.at_primary(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM web_allowance WHERE at < clock_timestamp() - interval '1 day'")
        return int(cursor.rowcount)


def spend(key: str, amount: float, *, rate: int, per: int) -> None:
    """Take that much more of a bucket, below nothing too: for what is known when it was used. 0 or less takes none."""
    if amount > 0:
        with replicas.at_primary(), connection.cursor() as cursor:
            cursor.execute(_SPEND, {"key": _hashed(key), "amount": amount, "rate": rate, "per": per})


def _hashed(key: str) -> str:
    return salted_hmac("rahdari.web.limits", key, algorithm="sha256").hexdigest()


def left(key: str, *, rate: int, per: int) -> float:
    """How many tries are left of a bucket, without taking one."""
    with replicas.at_primary(), connection.cursor() as cursor:
        cursor.execute(_LEFT, {"key": _hashed(key), "rate": rate, "per": per})
        found = cursor.fetchone()
    return float(found[0]) if found else float(rate)


def allow(key: str, *, rate: int, per: int) -> bool:
    return take(key, rate=rate, per=per).allowed


@dataclass(frozen=True)
class Letters:
    """How many letters an email address gets within `per` seconds: those that one household asks for, those of all that
    are next to each other in the network, and those of everybody."""

    of_household: int
    of_neighbourhood: int
    of_all: int
    per: int


def take_letter(what: str, email: str, place: Place, *counts: Letters) -> Allowance:
    """Count a letter to an email address that anybody may type.

    A stranger who asks again and again must not keep its owner from it: what is counted tightly is asked from one place
    for one address. Where strangers elsewhere have used up what the address gets, each part of the network has a letter
    of its own in an hour.
    """
    email = email.casefold()
    used_up = []
    for each in counts:
        near = ((place.household, each.of_household), (place.neighbourhood, each.of_neighbourhood))
        for where, rate in near:
            of_place = take(f"{what}:{each.per}:{where}:{email}", rate=rate, per=each.per)
            if not of_place.allowed:
                return of_place
    for each in counts:
        of_all = take(f"{what}:{each.per}:{email}", rate=each.of_all, per=each.per)
        if not of_all.allowed:
            used_up.append(of_all.wait)
    if not used_up:
        return Allowance(True, dt.timedelta())
    own = take(f"{what}:left:{place.neighbourhood}:{email}", rate=1, per=AN_HOUR)
    return Allowance(own.allowed, min(own.wait, max(used_up)))


class LargestRequestMiddleware:
    """Answers a request that is larger than any form of ours before a byte of it is read: whoever sends it has not
    signed in yet, and Django would write it to the disk to find the token of its form.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        length = request.META.get("CONTENT_LENGTH") or "0"
        if length.isdecimal() and int(length) > settings.LARGEST_REQUEST:
            return errors.too_big(request)
        return self.get_response(request)
