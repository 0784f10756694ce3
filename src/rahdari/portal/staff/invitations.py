"""The officers' side of invitations: which run, and withdrawing one with a reason that each of its links then shows."""

import uuid
from contextlib import suppress

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from rahdari.invite import actions, queries, words
from rahdari.invite.rules import Why
from rahdari.people.access import actor_of, officer_required, person
from rahdari.people.models import Role
from rahdari.web.posting import posted_from

# So many are shown; the office withdraws what runs, and those stand in front.
SHOWN = 200


class WithdrawForm(forms.Form):
    use_required_attribute = False
    why = forms.ChoiceField(
        label=gettext_lazy("Why?"),
        choices=[(str(why), said) for why, said in words.WHY.items()],
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose why it is withdrawn.")},
    )


def _page(request: HttpRequest, form: WithdrawForm | None = None, of: uuid.UUID | None = None) -> HttpResponse:
    rows = [
        {
            "campaign": each,
            "head": words.head(each),
            "how": words.how(each),
            "why": words.why(each),
            "form": None if each.end else form if each.pk == of else WithdrawForm(auto_id=f"id_{each.pk}_%s"),
        }
        for each in queries.all_campaigns()[:SHOWN]
    ]
    context = {"rows": rows, "form": form}
    return render(request, "portal/staff/invitations.html", context, status=422 if form is not None else 200)


@never_cache
@officer_required
@require_safe
def desk_invitations(request: HttpRequest) -> HttpResponse:
    return _page(request)


@never_cache
@officer_required
@posted_from("portal:desk_invitations")
def withdraw_invitation(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    campaign = queries.all_campaigns().filter(pk=id).first()
    if campaign is None:
        raise Http404
    form = WithdrawForm(request.POST, auto_id=f"id_{id}_%s")
    if not form.is_valid():
        return _page(request, form, id)
    actor = actor_of(person(request), Role.OFFICER)
    with suppress(actions.HasEnded):
        actions.withdraw(campaign=campaign, why=Why(form.cleaned_data["why"]), actor=actor, now=timezone.now())
    return redirect("portal:desk_invitations")
