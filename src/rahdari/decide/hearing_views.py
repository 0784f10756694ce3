"""The forms of a hearing on the page of whatever it is about, and what they do: it is set, moved, written down."""

import datetime as dt
from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest
from django.utils.translation import gettext as _

from rahdari.web.values import clock_time, day, plain_ltr

from . import hearings
from .hearing_forms import RecordHearingForm, SetHearingForm
from .rules import HearingOutcome

# By these a sent form is known.
KEYS = OF_DAY, OF_MINUTES = "hearing_day", "hearing_minutes"


def forms_of(about: hearings.Heard, given: Any, between: hearings.Span, now: dt.datetime) -> dict[str, forms.Form]:
    """Those for a hearing that is still to be, by their names in the template; the one that was sent is bound."""

    def of(key: str) -> Any:
        return given if given is not None and key in given else None

    planned = hearings.to_come(about)
    found: dict[str, forms.Form] = {}
    if planned is not None and now >= planned.starts_at:
        found["record_form"] = RecordHearingForm(of(OF_MINUTES))
    found["set_form"] = SetHearingForm(of(OF_DAY), moved=planned is not None, between=between)
    return found


def act(
    request: HttpRequest,
    form: forms.Form,
    set_hearing: Callable[..., object],
    record_hearing: Callable[..., object],
) -> None:
    """Do what a valid form says, by the acts of the room, and say so. What cannot be is an error of the form. Raises
    what the acts do of how the matter stands."""
    given = form.cleaned_data
    try:
        if isinstance(form, SetHearingForm):
            why = given.get("hearing_why", "")
            set_hearing(starts_at=form.starts_at, place=given["hearing_place"], why=why)
            messages.success(request, _("The hearing is set, and the person who is heard was told."))
        else:
            record_hearing(
                attended=given["hearing_attended"],
                minutes=given["hearing_minutes"],
                nobody_came=given["hearing_outcome"] == HearingOutcome.NOBODY_CAME,
            )
            messages.success(request, _("It is on file, and the person who was heard reads it."))
    except hearings.NotThen as error:
        form.add_error(
            OF_DAY,
            _("Choose a day from %(earliest)s to %(latest)s: the person who is heard is told so long before.")
            % {"earliest": day(error.earliest), "latest": day(error.latest)},
        )
    except hearings.NotOpenThen as error:
        form.add_error("hearing_time", _closed_then(error.near))
    except hearings.MovedTooOften:
        messages.warning(request, _("It was moved twice before. It is held on the day that is set."))
    except hearings.OfficeClosed:
        messages.warning(request, _("The office was closed then. Set another day for the hearing."))
    except hearings.NotTold:
        messages.warning(
            request, _("The email about the hearing came back, so the person did not know the day. Set another day.")
        )


def _closed_then(near: list[hearings.Span]) -> str:
    times = [
        {"day": day(opens), "opens": plain_ltr(clock_time(opens)), "closes": plain_ltr(clock_time(closes))}
        for opens, closes in near
    ]
    if len(times) == 1:
        return _("The office is closed then. Choose a time on %(day)s from %(opens)s to %(closes)s.") % times[0]
    first, second = times
    return _(
        "The office is closed then. Choose a time on %(day)s from %(opens)s to %(closes)s, or on %(other_day)s from "
        "%(other_opens)s to %(other_closes)s."
    ) % {**first, **{f"other_{key}": value for key, value in second.items()}}
