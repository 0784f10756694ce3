"""Where a few answers lead, for whoever only wants to know: may I register, what do I need, what does it cost, what is
never asked. And the same on paper, to be put up.

The answers stand in the address alone, so that what was found can be sent to somebody. They are kept in no session and
no table; the sample web server logs addresses without what stands behind the question mark, and no other site is told
of it (`SECURE_REFERRER_POLICY`).
"""

from collections.abc import Mapping
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.http import require_safe

from rahdari.applicant import links, paper
from rahdari.apply import eligibility, needed, queries, questions
from rahdari.apply.eligible import Outcome
from rahdari.web.language import in_both


def _address(name: str, answers: Mapping[str, str]) -> str:
    return reverse(name) + (f"?{urlencode(answers)}" if answers else "")


def _leads_to(answers: Mapping[str, str]) -> dict[str, object]:
    """What the answers come to under the rules in force, in the page's language. Empty while a question is open."""
    found, policy, language = eligibility.assess(answers), queries.policy_in_force(), queries.language_now()
    if found is None:
        return {}
    if found.outcome is not Outcome.APPLY or found.service is None:
        return needed.instead(found, policy, language=language)
    return needed.needed(policy.services[found.service], policy, which=answers["which"], language=language)


@require_safe
def eligible(request: HttpRequest) -> HttpResponse:
    """The questions, and below them where the answers in the address lead."""
    answers = questions.in_address(request.GET)
    form = questions.QuestionsForm(
        answers or None, policy=queries.policy_in_force(), language=queries.language_now(), use_required_attribute=False
    )
    facts: dict[str, object] = {"form": form}
    if form.is_valid():
        facts |= {
            "found": True,
            "leads": _leads_to(answers),
            "link": links.absolute(_address("portal:eligible", answers)),
            "begin": _address("apply:start", answers),
            "poster": _address("portal:eligible_poster", answers),
        }
    return render(request, "portal/public/eligible.html", facts)


@require_safe
def poster(request: HttpRequest) -> HttpResponse:
    """One page of A4 in both languages, whose square code leads to the questions; or to the answer, for a service that
    one can apply for with the answers in the address."""
    answers = questions.in_address(request.GET)
    if "decided" not in _leads_to(answers):
        answers = {}
    services = [each for each in queries.policy_in_force().services.values() if each.open]

    def half() -> str:
        language = queries.language_now()
        facts = {
            "services": [each.short.in_language(language) for each in services],
            "fee_line": needed.fee_line(services, language=language),
            "leads": (leads := _leads_to(answers)),
            "never": leads.get("never", needed.never_asked(*services)),
        }
        return render_to_string("portal/public/_poster.html", facts, request)

    link = links.absolute(_address("portal:eligible", answers))
    facts = {"halves": in_both(half), "qr": paper.qr_path(link), "address": links.typed("portal:eligible")}
    return render(request, "portal/public/eligible_poster.html", facts | {"back": _address("portal:eligible", answers)})
