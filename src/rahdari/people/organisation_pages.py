"""Pages of an organisation: who belongs to it, and inviting, removing and promoting them.

Invariants: a stranger is told what is told about an organisation that is not there, and so is a member who tries what
only an owner may; a page says the same about an address whether or not anybody has it.
"""

import uuid
from typing import Any

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from rahdari.web.posting import posted_from

from . import access, actions, queries
from .forms import ROLE_HINTS, ROLE_NAMES, InviteForm
from .models import Invitation, Membership, Organisation
from .rules import Act


def _for_member(request: HttpRequest, id: uuid.UUID) -> Organisation:
    try:
        return queries.organisation_for_member(user=access.person(request), id=id)
    except queries.OrganisationNotFound:
        raise Http404 from None


def _for_owner(request: HttpRequest, id: uuid.UUID) -> Organisation:
    try:
        return queries.organisation_for_owner(user=access.person(request), id=id)
    except queries.OrganisationNotFound:
        raise Http404 from None


def _member(organisation: Organisation, id: int) -> Membership:
    try:
        return queries.member_of(organisation=organisation, id=id)
    except queries.MemberNotFound:
        raise Http404 from None


def _say_last_owner(request: HttpRequest) -> None:
    messages.info(request, _("This is the last owner. Make somebody else an owner first."))


@never_cache
@access.person_required
@require_safe
def organisations(request: HttpRequest) -> HttpResponse:
    """What a person belongs to, and who asks them in."""
    user = access.person(request)
    context = {
        "organisations": queries.organisations_of(user),
        # Those whose registrations this person sees: their page says how they stand.
        "seen": set(queries.organisations_for(user, Act.SEE).values_list("pk", flat=True)),
        "invitations": [_shown(each) for each in queries.invitations_to(user, timezone.now())],
    }
    return render(request, "people/organisations.html", context)


@never_cache
@access.person_required
@require_http_methods(["GET", "HEAD", "POST"])
def organisation(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """Who belongs to it; for an owner also a form to invite somebody."""
    user, now = access.person(request), timezone.now()
    found = _for_owner(request, id) if request.method == "POST" else _for_member(request, id)
    owns = queries.owns(user=user, organisation=found)
    form = InviteForm(request.POST or None, inviter=user, organisation=found) if owns else None
    if request.method == "POST" and form is not None and form.is_valid():
        try:
            actions.invite_member(
                organisation=found,
                email=form.cleaned_data["email"],
                role=form.cleaned_data["role"],
                actor=access.actor_of(user),
                now=now,
                language=user.language,
            )
        except actions.AlreadyMember:
            form.add_already_member()
        else:
            messages.success(request, _("The invitation has been sent to this address."))
            return redirect("people:organisation", id=found.pk)
    context = {
        "organisation": found,
        "members": [_shown(each) for each in queries.members_of(found)],
        "invitations": [_shown(each) for each in queries.invitations_of(found, now)] if owns else (),
        "roles": list(ROLE_NAMES.items()),
        "owns": owns,
        "sees": queries.may(user, Act.SEE, organisation=found),
        "form": form,
    }
    return render(request, "people/organisation.html", context)


def _shown(each: Membership | Invitation) -> dict[str, Any]:
    return {"row": each, "role": ROLE_NAMES[each.role], "hint": ROLE_HINTS[each.role]}


@never_cache
@require_safe
def invitation(request: HttpRequest, invitation: int, token: str) -> HttpResponse:
    """Where the letter leads. The link names the invitation; that the address is theirs the sign-in shows."""
    if not queries.is_invitation_link(id=invitation, token=token):
        raise Http404
    if not request.user.is_authenticated:
        return redirect_to_login(reverse("people:organisations"), reverse("account_login"))
    if not queries.invitations_to(access.person(request), timezone.now()).filter(pk=invitation).exists():
        messages.warning(
            request,
            _(
                "This invitation has expired, or it is for another email address. Sign in with the address that "
                "we sent it to."
            ),
        )
    return redirect("people:organisations")


@never_cache
@access.person_required
@posted_from("people:organisation", "id")
def change_role(request: HttpRequest, id: uuid.UUID, member: int) -> HttpResponse:
    found = _for_owner(request, id)
    membership, role = _member(found, member), request.POST.get("role")
    if role not in Membership.Role.values:
        raise Http404
    try:
        actions.change_role(
            organisation=found,
            user=membership.user,
            role=role,
            actor=access.actor_of(access.person(request)),
            now=timezone.now(),
        )
    except actions.LastOwner:
        _say_last_owner(request)
    return redirect("people:organisation", id=found.pk)


@never_cache
@access.person_required
@posted_from("people:organisation", "id")
def remove_member(request: HttpRequest, id: uuid.UUID, member: int) -> HttpResponse:
    """An owner removes anybody; everybody may leave. The last owner stays."""
    user, found = access.person(request), _for_member(request, id)
    membership = _member(found, member)
    leaves = membership.user_id == user.pk
    if not leaves:
        _for_owner(request, id)
    try:
        actions.remove_member(organisation=found, user=membership.user, actor=access.actor_of(user), now=timezone.now())
    except actions.LastOwner:
        _say_last_owner(request)
    else:
        if leaves:
            return redirect("people:organisations")
    return redirect("people:organisation", id=found.pk)


@never_cache
@access.person_required
@posted_from("people:organisation", "id")
def withdraw_invitation(request: HttpRequest, id: uuid.UUID, invitation: int) -> HttpResponse:
    found = _for_owner(request, id)
    try:
        actions.withdraw_invitation(
            organisation=found, id=invitation, actor=access.actor_of(access.person(request)), now=timezone.now()
        )
    except queries.InvitationNotFound:
        raise Http404 from None
    return redirect("people:organisation", id=found.pk)


@never_cache
@access.person_required
@posted_from("people:organisations")
def answer_invitation(request: HttpRequest, invitation: int) -> HttpResponse:
    """Join, or say no. An answer that is neither does nothing."""
    user, now = access.person(request), timezone.now()
    actor = access.actor_of(user)
    try:
        match request.POST.get("answer"):
            case "yes":
                joined = actions.accept_invitation(user=user, id=invitation, actor=actor, now=now)
                return redirect("people:organisation", id=joined.organisation_id)
            case "no":
                actions.decline_invitation(user=user, id=invitation, actor=actor, now=now)
                return redirect("people:organisations")
            case _other:
                raise Http404
    except queries.InvitationNotFound:
        raise Http404 from None
