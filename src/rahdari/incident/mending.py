"""The page and the acts of whoever mends it, for an operator and, where none is known, for the desk."""

import datetime as dt
from collections.abc import Callable
from typing import Any

from rahdari.people import quoting

from . import answering, page, queries, rules, words
from .forms import AnswerForm, WordsForm
from .models import Incident, Report
from .rules import Reason, State

MAY = ("acknowledge", "say_mended", "tell", "report")


def shown(
    incident: Incident, now: dt.datetime, *, may_see: Callable[[Report], bool] = lambda _: True
) -> dict[str, Any]:
    """What the page shows of it, and what may be done now."""
    facts = queries.facts_of(incident, now)
    reports = queries.standing_reports(incident)
    reasons = answering.asked_of(incident)
    return {
        "incident": incident,
        "state": words.state(incident.state),
        "tone": page.tone_of(incident),
        "clock": page.clock_of(incident, now),
        "lasted": page.lasted_words(incident, now),
        "reason": words.reason(incident.reason),
        "measured": words.measured(incident.measured),
        "steps": page.steps_of(queries.happenings_of(incident)),
        "connections": page.connections_of(incident, reports, now, may_see=may_see),
        "looks": queries.times().looks,
        "is_muted": incident.is_muted(now),
        "answer_form": AnswerForm(reasons=reasons) if reasons else None,
        "words_form": WordsForm(prefix="tell"),
        **{f"may_{act}": rules.move_of(act, State(incident.state), facts) is not None for act in MAY},
    }


def do(incident: Incident, act: str, data: Any, *, actor: str, now: dt.datetime) -> dict[str, Any] | None:
    """Do what was sent. Gives the form that is wrong, by its name on the page; None for an act that is not there.
    Raises NotPossibleNow."""
    try:
        return _do(incident, act, data, actor=actor, now=now)
    except quoting.LeadsAway as error:
        form: Any = AnswerForm(data, reasons=answering.asked_of(incident)) if act == "answer" else None
        form = form or WordsForm(data, prefix="tell")
        form.add_error("words", quoting.why_not(error))
        return {"answer_form" if act == "answer" else "words_form": form}


def _do(incident: Incident, act: str, data: Any, *, actor: str, now: dt.datetime) -> dict[str, Any] | None:
    if act == "acknowledge":
        answering.acknowledge(incident=incident, actor=actor, now=now)
    elif act == "mended":
        answering.say_mended(incident=incident, actor=actor, now=now)
    elif act == "answer":
        form = AnswerForm(data, reasons=answering.asked_of(incident))
        if not form.is_valid():
            return {"answer_form": form}
        given = form.cleaned_data
        reason = Reason(given["reason"])
        answering.answer(incident=incident, reason=reason, words=given["words"], actor=actor, now=now)
    elif act in ("tell", "report"):
        said = WordsForm(data, prefix="tell")
        if not said.is_valid():
            return {"words_form": said}
        do_it = answering.report if act == "report" else answering.tell
        do_it(incident=incident, words=said.cleaned_data["words"], actor=actor, now=now)
    else:
        return None
    return {}
