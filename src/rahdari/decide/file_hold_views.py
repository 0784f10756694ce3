"""The page on which a closed file is kept for an appeal, a complaint or a court, though its time may be over."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from rahdari.apply import file_hold as apply_file_hold
from rahdari.people.access import officer_required, person

from . import file_hold, words
from .case_access import moved_on, opened, render
from .forms import HoldForm


@never_cache
@officer_required
@require_http_methods(["GET", "HEAD", "POST"])
def hold(request: HttpRequest, reference: str) -> HttpResponse:
    case, now = opened(request, reference), timezone.now()
    application = case.application
    if application.closed_at is None or application.erased_at is not None:
        return redirect("decide:case", reference=reference)
    is_held = apply_file_hold.is_held(application, now)
    ends = request.method == "POST" and "end" in request.POST
    form = HoldForm(
        request.POST if request.method == "POST" and not ends else None,
        days=apply_file_hold.last_days(now),
        initial={
            "until": application.held_until,
            "because": application.held_because,
            "words": application.held_words,
        }
        if is_held
        else {},
    )
    if ends or form.is_valid():
        facts: dict[str, Any] = {"case": case, "officer": person(request), "now": now}
        try:
            if ends:
                file_hold.end_hold(**facts)
                messages.success(request, _("The file is kept for the normal period only."))
            else:
                file_hold.hold_file(**facts, **form.cleaned_data)
                messages.success(request, _("The file is kept until that day. The holder sees it."))
        except apply_file_hold.NotToHold:
            messages.warning(request, moved_on())
        return redirect("decide:case", reference=reference)
    context = {
        "application": application,
        "form": form,
        "is_held": is_held,
        "because": words.held_because(application.held_because),
    }
    return render(request, "decide/hold.html", context, status=422 if form.errors else 200)
