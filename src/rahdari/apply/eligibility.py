"""The questions before an application, on one page: three at most, as the policy has it. The answers are kept in the
session until it begins, and these pages write them into no address. Whoever comes with answers in the address, from
the page that only says where they lead (`portal.public.eligible`), finds them marked.

Nothing personal is asked here, and nobody has to be signed in. The draft is made by who signs in from the last page
(`after_sign_in`), or by its button (`begin`).
"""

import uuid
from collections.abc import Mapping

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from rahdari.letters import queries as letters
from rahdari.people.access import actor_of, person
from rahdari.web.posting import posted_from

from . import drafts, eligible, form_errors, needed, pages, queries, questions
from .eligible import Eligibility, Outcome, Use
from .rules import Which

SLOT = "apply.questions"


def _answers(request: HttpRequest) -> dict[str, str]:
    """What was answered, with its token. A service that the rules no longer know is no answer."""
    answers: dict[str, str] = request.session.get(SLOT, {})
    gone = "who" in answers and not eligible.names_somebody(queries.policy_in_force(), answers["who"])
    return {} if gone else answers


def assess(answers: Mapping[str, str]) -> Eligibility | None:
    """Where the answers lead under the rules in force; None while a question is open."""
    return eligible.eligibility(
        who=answers.get("who"),
        use=Use(answers["use"]) if answers.get("use") in set(Use) else None,
        which=Which(answers["which"]) if answers.get("which") in set(Which) else None,
        policy=queries.policy_in_force(),
        sms=letters.sms_is_set_up(),
    )


def _next(answers: dict[str, str]) -> HttpResponse:
    found = assess(answers)
    if found is None:
        return HttpResponseRedirect(reverse("apply:start"))
    if found.outcome is not Outcome.APPLY:
        return HttpResponseRedirect(reverse("apply:instead"))
    return HttpResponseRedirect(reverse("apply:ready"))


@require_http_methods(["GET", "HEAD", "POST"])
def start(request: HttpRequest) -> HttpResponse:
    """The questions, as a page of their own: what was answered before is marked. Each page that is shown has a token of
    its own, and what is begun with one page, however often it is sent, is one application.
    """
    posted = request.POST if request.method == "POST" else None
    form = questions.QuestionsForm(
        posted,
        initial=_answers(request) | questions.in_address(request.GET) | {"token": uuid.uuid4()},
        policy=queries.policy_in_force(),
        language=queries.language_now(),
    )
    if form.is_valid():
        request.session[SLOT] = answers = {name: given for name, given in form.cleaned_data.items() if given}
        return _next(answers)
    return render(request, "apply/questions.html", {"form": form})


@require_safe
def instead(request: HttpRequest) -> HttpResponse:
    """What to do when the answers do not lead to an application."""
    found = assess(_answers(request))
    if found is None or found.outcome is Outcome.APPLY:
        return _next(_answers(request))
    facts = needed.instead(found, queries.policy_in_force(), language=queries.language_now())
    return render(request, "apply/instead.html", facts)


@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """That one can apply, what it costs, how long it takes and what to have ready; and the way on, which is the email
    address for whoever is not signed in."""
    answers = _answers(request)
    found = assess(answers)
    if found is None or found.outcome is not Outcome.APPLY or found.service is None:
        return _next(answers)
    policy, language = queries.policy_in_force(), queries.language_now()
    facts = needed.needed(policy.services[found.service], policy, which=answers["which"], language=language)
    return render(request, "apply/ready.html", facts | {"form": questions.BeginForm()})


@posted_from("apply:ready")
def begin(request: HttpRequest) -> HttpResponse:
    """Make the draft and go to its first task."""
    if not request.user.is_authenticated:
        return redirect_to_login(reverse("apply:ready"), reverse("account_login"))
    return _begin(request) or _next(_answers(request))


def after_sign_in(request: HttpRequest, where: str) -> str:
    """Whoever signed in to begin has begun: the first task, in the place of the page that asked for the email address.
    A link of somebody else can do no more than the answers in this session allow."""
    begun = _begin(request) if where == reverse("apply:ready") else None
    return begun.url if begun is not None else where


def _begin(request: HttpRequest) -> HttpResponseRedirect | None:
    """The draft that the answers lead to, or what keeps it from beginning. None while they lead to none. The token
    makes it the same draft however often it is asked for."""
    answers = _answers(request)
    found = assess(answers)
    if found is None or found.outcome is not Outcome.APPLY or found.service is None:
        return None
    now = pages.now()
    try:
        application = drafts.start_application(
            applicant=person(request),
            service=found.service,
            fixed_address=answers["which"],
            language=queries.language_now(),
            send_token=uuid.UUID(answers["token"]),
            actor=actor_of(person(request)),
            now=now,
        )
    except drafts.ServiceNotOpen:
        return HttpResponseRedirect(reverse("apply:instead"))
    except drafts.TooManyDrafts as error:
        messages.error(request, form_errors.too_many_drafts(error.limit))
        return HttpResponseRedirect(reverse("portal:home"))
    # One that begins now has nothing yet.
    return pages.to_next(request, application, [] if application.created_at == now else None)
