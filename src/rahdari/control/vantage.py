"""Vantages: places elsewhere that look too."""

import logging
from functools import partial

from django.conf import settings

from rahdari import vantage
from rahdari.probe.quorum import Ask

log = logging.getLogger("rahdari.looks")


def vantages() -> list[Ask]:
    """Those in `vantages.toml`. A file that cannot be used is told in the log and by the doctor: we look from here."""
    try:
        return [partial(vantage.ask, each) for each in vantage.load(settings.DATA)]
    except vantage.VantagesUnusable as error:
        log.error("%s", error)
        return []
