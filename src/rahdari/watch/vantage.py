"""The places that look: the vantages that are set up elsewhere."""

import datetime as dt
import logging
from collections.abc import Sequence

from django.conf import settings

from rahdari import vantage
from rahdari.probe import Answered, Attempt

from .rounds import BATCHES_AT_ONCE, Place

log = logging.getLogger("rahdari.watch")


def places() -> list[Place]:
    """Those in `vantages.toml`. A file that cannot be used is told in the log and by the doctor: nobody looks then."""
    try:
        known = vantage.load(settings.DATA)
    except vantage.VantagesUnusable as error:
        log.error("%s", error)
        return []
    return [place_of(each) for each in known]


def place_of(known: vantage.Vantage) -> Place:
    """It keeps its connections."""
    pool = vantage.connections(known, at_once=4 * BATCHES_AT_ONCE)

    def ask(
        attempts: Sequence[Attempt], *, timeout: float, now: dt.datetime
    ) -> tuple[dt.datetime | None, list[Answered]]:
        return vantage.ask_many(known, attempts, timeout=timeout, now=now, pool=pool)

    return Place(known.name, known.network, ask)
