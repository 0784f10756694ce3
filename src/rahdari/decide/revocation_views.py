"""The page on which a registration is proposed to be taken back, decided by a second officer, and restored."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from rahdari.people.access import officer_required, person

from . import case_clock, queries, revocation, transitions, words
from .case_access import moved_on, opened, render
from .case_page import CasePage
from .forms import RestoreForm, SecondTakingBackForm, TakeBackForm
from .models import Case
from .rules import Status


@never_cache
@officer_required
@require_http_methods(["GET", "HEAD", "POST"])
def revoke(request: HttpRequest, reference: str) -> HttpResponse:
    """What can be done with the registration of a decided case now: propose, decide as second officer, restore."""
    case, now = opened(request, reference), timezone.now()
    page = CasePage(case, reader=person(request), now=now, language=get_language() or "en")
    found, restorable = revocation.registration_of(case, now), revocation.to_restore(case, now)
    if case.status != Status.DECIDED or (found is None and restorable is None):
        return redirect("decide:case", reference=reference)
    notice = queries.open_notice(case)
    given = request.POST if request.method == "POST" else None
    form: Any
    if notice is not None:
        form = SecondTakingBackForm(given)
    elif restorable is not None:
        form = RestoreForm(given)
    else:
        form = TakeBackForm(given, codes=_codes(case))
    if request.method == "POST" and form.is_valid():
        try:
            _act(request, case, form)
        except transitions.MayNotSecond as error:
            messages.warning(request, words.why_not_second(error.why))
        except (transitions.NotPossibleNow, transitions.CodeNotUsable, transitions.AlreadyAnswered):
            messages.warning(request, moved_on())
        return redirect("decide:revoke", reference=reference)
    context = {
        "page": page,
        "case": case,
        "application": case.application,
        "registration": found or (restorable.registration if restorable is not None else None),
        "notice": notice,
        "restorable": restorable,
        "form": form,
        "evidence": [
            (
                reason.code,
                reason.text.in_language(page.language),
                words.evidence(page.policy, (reason.code,), page.language),
            )
            for reason in revocation.codes_of(page.policy)
        ],
    }
    return render(request, "decide/revoke.html", context, status=422 if form.errors else 200)


def _codes(case: Case) -> list[tuple[str, str]]:
    language = get_language() or "en"
    usable = revocation.codes_of(case_clock.policy_of(case.application))
    return [(reason.code, f"{reason.code} {reason.text.in_language(language)}") for reason in usable]


def _act(request: HttpRequest, case: Case, form: Any) -> None:
    facts: dict[str, Any] = {"case": case, "officer": person(request), "now": timezone.now()}
    given = form.cleaned_data
    match form:
        case TakeBackForm():
            revocation.propose_revocation(
                code=given["take_code"], text=given["take_text"], evidence=given["take_evidence"], **facts
            )
            messages.success(request, _("The holder was told why, and has time to answer. A second officer decides."))
        case RestoreForm():
            revocation.restore_registration(why=given["why"], **facts)
            messages.success(request, _("It is valid again, and we have told the holder."))
        case _ if given["decision"] == "take":
            revocation.second_revocation(because=given["because"], **facts)
            messages.success(request, _("It was revoked. The holder was told why, and how to appeal."))
        case _:
            revocation.keep_registration(why=given["because"], **facts)
            messages.success(request, _("It stays as it is, and the holder was told."))
