"""A letter as it would go out now."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from rahdari.letters import writing

from . import hearings, queries
from .case_clock import policy_of
from .models import Case


def letter_preview(case: Case, given: Mapping[str, Any], now: dt.datetime) -> str:
    """The letter as it would go out now, in the applicant's language. Nothing is sent and nothing is kept."""
    application = case.application
    policy = policy_of(application)
    language = application.applicant.language
    match given["decision"]:
        case "grant":
            return _("The letter with the registration number goes out as soon as the register has the entry.")
        case "ask":
            reason = policy.reasons[given["code"]].text.in_language(language)
            context: dict[str, Any] = {
                "question": f"{reason}\n{given['text'].strip()}".strip(),
                "due_at": queries.due_of("question", application, now),
            }
            template, page = "application_question", "portal:question"
        case _:
            codes = list(given["codes"])
            context = {
                "code": codes,
                "reason": [policy.reasons[code].text for code in codes],
                "text": f"{given['text'].strip()}\n{given.get('named', '').strip()}".strip(),
                "due_at": queries.due_of_notice(codes, application, now),
                "hearing": hearings.offered_by(policy, codes),
            }
            template, page = "application_notice", "portal:notice"
    return writing.compose(
        template=template,
        language=language,
        context={"reference": application.reference, "url": reverse(page, args=[application.reference]), **context},
    ).text
