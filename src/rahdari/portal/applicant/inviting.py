"""The inviter's side: begin an invitation, take its links as a file, stop it, and read one number after its end."""

import datetime as dt
import uuid
from contextlib import suppress
from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from rahdari.applicant import links
from rahdari.applicant.inviting import inviters_for
from rahdari.invite import actions, queries, rules, words
from rahdari.invite.models import Campaign
from rahdari.invite.rules import Cannot, Inviter, Whom
from rahdari.people.access import actor_of, person, person_required
from rahdari.policy import Inviting
from rahdari.tables.csv_tables import write_table
from rahdari.web.posting import posted_from


class InviteForm(forms.Form):
    """Which body invites whom, by how many links, for how many days. There is no field for words."""

    use_required_attribute = False
    whom = forms.ChoiceField(
        label=gettext_lazy("Who is invited?"),
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose who is invited.")},
    )
    links = forms.IntegerField(
        label=gettext_lazy("How many people?"),
        min_value=1,
        widget=forms.NumberInput(attrs={"inputmode": "numeric", "dir": "ltr"}),
        error_messages={"required": gettext_lazy("Enter how many people you invite.")},
    )
    days = forms.IntegerField(
        label=gettext_lazy("For how many days?"),
        min_value=1,
        widget=forms.NumberInput(attrs={"inputmode": "numeric", "dir": "ltr"}),
        error_messages={"required": gettext_lazy("Enter how many days the links work.")},
    )

    def __init__(self, *args: Any, inviters: list[Inviter], terms: Inviting, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._by_choice = {f"{each.key} {whom}": (each, whom) for each in inviters for whom in each.whom}
        fields: dict[str, Any] = self.fields
        fields["whom"].choices = [(key, words.WHOM[whom]) for key, (_, whom) in self._by_choice.items()]
        fields["whom"].hints = {key: each.name for key, (each, _) in self._by_choice.items()}
        fields["links"].max_value, fields["days"].max_value = terms.most_links, terms.longest.days

    @property
    def chosen(self) -> tuple[Inviter, Whom]:
        return self._by_choice[self.cleaned_data["whom"]]


def _inviters(request: HttpRequest, now: dt.datetime) -> list[Inviter]:
    return inviters_for(person(request), now, get_language() or "en")


def _own(request: HttpRequest, id: uuid.UUID) -> Campaign:
    """A campaign of a body for which the reader may invite; what is not there and what is another's are alike."""
    keys = [each.key for each in _inviters(request, timezone.now())]
    found = queries.of_inviters(keys).filter(pk=id).first()
    if found is None:
        raise Http404
    return found


@person_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def inviting(request: HttpRequest) -> HttpResponse:
    """For which bodies the reader may invite, what runs and ran, and the form."""
    now, terms = timezone.now(), queries.terms()
    inviters = _inviters(request, now)
    if terms is None or not inviters:
        return render(request, "portal/applicant/inviting.html", {"inviters": [], "offered": terms is not None})
    form = InviteForm(request.POST or None, inviters=inviters, terms=terms)
    if request.method == "POST" and form.is_valid():
        inviter, whom = form.chosen
        facts = {"links": form.cleaned_data["links"], "days": form.cleaned_data["days"], "terms": terms}
        try:
            begun = actions.begin(inviter=inviter, whom=whom, **facts, actor=actor_of(person(request)), now=now)
        except actions.MayNotInvite as error:
            form.add_error(FIELD.get(error.why, "whom"), words.cannot(error.why))
        else:
            return redirect("portal:invitation", id=begun.pk)
    rows = queries.of_inviters(each.key for each in inviters)
    context = {"inviters": inviters, "form": form, "terms": terms, "rows": [(each, words.head(each)) for each in rows]}
    return render(request, "portal/applicant/inviting.html", context, status=422 if form.errors else 200)


FIELD = {Cannot.TOO_MANY_LINKS: "links", Cannot.TOO_LONG: "days"}


@person_required
@never_cache
@require_safe
def invitation(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    campaign = _own(request, id)
    context = {
        "campaign": campaign,
        "head": words.head(campaign),
        "runs": queries.runs(campaign, timezone.now()),
        "how": words.how(campaign),
        "why": words.why(campaign),
        "fewest": rules.FEWEST,
    }
    return render(request, "portal/applicant/invitation.html", context)


@person_required
@never_cache
@require_safe
def invitation_links(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """A row for each person: its number and its link. The inviter puts them into its own mail."""
    campaign = _own(request, id)
    if not queries.runs(campaign, timezone.now()):
        raise Http404
    rows = (
        (str(number), links.absolute(reverse("portal:invited", args=[campaign.pk, number, token])))
        for number, token in queries.tokens_of(campaign)
    )
    response = HttpResponse(write_table(("number", "link"), rows), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="invitation-links.csv"'
    return response


@person_required
@posted_from("portal:invitation", "id")
def stop_inviting(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    campaign = _own(request, id)
    with suppress(actions.HasEnded):
        actions.stop(campaign=campaign, actor=actor_of(person(request)), now=timezone.now())
    return redirect("portal:invitation", id=id)
