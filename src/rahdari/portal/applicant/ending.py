"""The end of a registration, its pause, the way back, and that it is still right: the holder's own, by their role in an
organisation."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from rahdari.applicant.lines import count_of
from rahdari.applicant.refusals import why
from rahdari.applicant.registration_status import PAUSED, may_change, standing_of
from rahdari.decide import case_clock
from rahdari.decide import ending as decide_ending
from rahdari.decide.rules import PAUSES
from rahdari.people.access import person_required
from rahdari.people.reauthentication import need_fresh_proof
from rahdari.register import actions, queries
from rahdari.register.changes import NotValid
from rahdari.register.reference import normalise
from rahdari.register.rules import Standing
from rahdari.web.posting import posted_from

from .own_registration import no_longer_valid
from .shared import own_registration


class EndForm(forms.Form):
    """The number is typed, so no slip of a finger ends it; a fresh proof keeps out whoever finds a phone open."""

    use_required_attribute = False
    number = forms.CharField(
        label=gettext_lazy("Enter the number of this registration to confirm"),
        max_length=40,
        widget=forms.TextInput(attrs={"dir": "ltr", "autocomplete": "off", "spellcheck": "false"}),
        error_messages={"required": gettext_lazy("Enter the number of this registration")},
    )

    def __init__(self, *args: Any, reference: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.reference = reference

    def clean_number(self) -> str:
        if normalise(self.cleaned_data["number"]) != self.reference:
            raise forms.ValidationError(_("This is not the number of this registration. The number is shown above."))
        return self.reference


class PauseForm(forms.Form):
    use_required_attribute = False
    days = forms.TypedChoiceField(
        label=gettext_lazy("For how long"),
        coerce=int,
        widget=forms.RadioSelect,
        error_messages={
            "required": gettext_lazy("Choose for how long"),
            "invalid_choice": gettext_lazy("Choose for how long"),
        },
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["days"]
        field.choices = [(days, ngettext("%(count)s day", "%(count)s days", days) % {"count": days}) for days in PAUSES]


@person_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def end_registration(request: HttpRequest, reference: str) -> HttpResponse:
    """Say what follows, have the number typed and a fresh proof given, then strike it out at the holder's request."""
    found, by = own_registration(request, reference)
    if not may_change(found, timezone.now()):
        return redirect("portal:registration", reference=found.reference)
    form = EndForm(request.POST if request.method == "POST" else None, reference=found.reference)
    if request.method == "POST" and form.is_valid():
        need_fresh_proof(request)
        try:
            decide_ending.end(registration=found, actor=by.actor, now=timezone.now())
        except (NotValid, decide_ending.NotYours):
            return no_longer_valid(request, found)
        return redirect("portal:registration", reference=found.reference)
    context = {
        "registration": found,
        "form": form,
        "until": queries.undone_until(found, timezone.now(), case_clock.calendar()),
        "is_paused": standing_of(found, timezone.now()) == PAUSED,
        "is_mobile": count_of(found) is not None,
    }
    return render(request, "portal/applicant/end_registration.html", context)


@person_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def pause_registration(request: HttpRequest, reference: str) -> HttpResponse:
    found, by = own_registration(request, reference)
    if queries.standing(found, timezone.now()) is not Standing.VALID:
        return redirect("portal:registration", reference=found.reference)
    form = PauseForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        days = form.cleaned_data["days"]
        try:
            decide_ending.pause(registration=found, days=days, actor=by.actor, now=timezone.now())
        except NotValid:
            return no_longer_valid(request, found)
        return redirect("portal:registration", reference=found.reference)
    context = {"registration": found, "form": form, "is_mobile": count_of(found) is not None}
    return render(request, "portal/applicant/pause_registration.html", context)


@person_required
@posted_from("portal:registration", "reference")
def go_on(request: HttpRequest, reference: str) -> HttpResponse:
    """Undo the end, or end the pause."""
    found, by = own_registration(request, reference)
    try:
        _registration, lost = decide_ending.undo_end(registration=found, actor=by.actor, now=timezone.now())
    except (decide_ending.NotYours, decide_ending.TooLate):
        messages.warning(request, why(decide_ending.TooLate))
        return redirect("portal:registration", reference=found.reference)
    if lost:
        messages.warning(
            request,
            _("The registration continues, but not everything came back. What is registered now is shown below."),
        )
    else:
        messages.success(
            request, _("The registration continues under the same number. Operators get it within seconds.")
        )
    return redirect("portal:registration", reference=found.reference)


@person_required
@posted_from("portal:registration", "reference")
def say_right(request: HttpRequest, reference: str) -> HttpResponse:
    """The yearly question, answered by somebody who is signed in."""
    found, by = own_registration(request, reference)
    actions.say_right(registration=found, actor=by.actor, now=timezone.now())
    messages.success(request, _("Thank you. We know now that it is still right."))
    return redirect("portal:registration", reference=found.reference)
