"""Who may open a page: decorators for views, and the rule that staff hold a second factor.

Invariants: a page of staff is opened only by someone who holds the post now; outside the demonstration a person with
any post does nothing before a second factor is set up, and nothing in a session that was not opened with it.
"""

import datetime as dt
import time
from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from allauth.account.authentication import get_authentication_records
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from rahdari.web import errors

from . import queries
from .acting import Acting
from .models import Role, User

View = Callable[..., HttpResponse]

# For so long whoever has shown who they are need not show it again.
FRESH = dt.timedelta(minutes=10)
SECOND_FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
# What a person whose second factor is not there yet may reach: setting it up, the language, and the way out.
OPEN_WITHOUT_SECOND_FACTOR = frozenset(
    {
        "people:second_factor",
        "web:language",
        "account_logout",
        "account_login",
        "account_reauthenticate",
        "mfa_reauthenticate",
        "mfa_reauthenticate_webauthn",
        "people:confirm_code",
    }
)
SETTING_UP = frozenset({"mfa_activate_totp", "mfa_add_webauthn"})


def person(request: HttpRequest) -> User:
    """The person who is signed in. For views that stand behind one of the decorators."""
    return cast(User, request.user)


def actor_of(user: User, as_role: str = "") -> str:
    """How the journal names this person in their own right, or in the post that they hold. What is done for a holder is
    done by whom the gatekeeper said (`acting.Acting`)."""
    if not as_role:
        return Acting(user).actor
    if as_role == Role.OPERATOR:
        return f"operator:{queries.operator_of(user) or user.pk}"
    if as_role == Role.ASSOCIATION:
        return f"association:{queries.association_of(user) or user.pk}"
    return f"{Role(as_role).value}:{user.pk}"


def no_access(request: HttpRequest, role: str) -> HttpResponse:
    return render(request, "people/no_access.html", {"role": role}, status=403)


def _ask_to_sign_in(request: HttpRequest) -> HttpResponse:
    """Nobody is signed in: a page waits behind the sign-in; what was typed into a form is kept on a page."""
    if request.method in ("GET", "HEAD"):
        return redirect_to_login(request.get_full_path(), reverse("account_login"))
    return errors.session_ended(request)


def person_required(view: View) -> View:
    """For pages that need somebody, whoever it is."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            return _ask_to_sign_in(request)
        return view(request, *args, **kwargs)

    return guarded


def _required(role: Role, holds: Callable[[User], bool]) -> Callable[[View], View]:
    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not request.user.is_authenticated:
                return _ask_to_sign_in(request)
            if not holds(person(request)):
                return no_access(request, role)
            return view(request, *args, **kwargs)

        return guarded

    return decorate


officer_required = _required(Role.OFFICER, queries.is_officer)
operator_required = _required(Role.OPERATOR, lambda user: queries.operator_of(user) is not None)
association_required = _required(Role.ASSOCIATION, lambda user: queries.association_of(user) is not None)
# For what shows nobody's file: officers, and administrators who have none to see.
staff_required = _required(Role.OFFICER, lambda user: queries.is_officer(user) or queries.is_administrator(user))
accounts_required = _required(Role.ACCOUNTS, queries.keeps_accounts)
administrator_required = _required(Role.ADMINISTRATOR, queries.is_administrator)
# For what a second person agrees to: administrators and supervisors.
watchers_required = _required(Role.ADMINISTRATOR, queries.watches_posts)


def second_factors_of(user: User) -> set[str]:
    """The kinds of second factor that a person has set up. Recovery codes alone are none."""
    held = Authenticator.objects.filter(user=user, type__in=SECOND_FACTORS)
    return set(held.values_list("type", flat=True))


def needs_second_factor(user: User) -> bool:
    """Whether a code by mail alone does not do for this person: staff with a second factor, others with an app. Who
    only has a passkey may be at a device that has none."""
    held = second_factors_of(user)
    return bool(held) and (Authenticator.Type.TOTP in held or queries.holds_post(user))


def proved_lately(request: HttpRequest) -> bool:
    """Whether it was shown in the last minutes who sits there: at the sign-in, or since."""
    user = person(request)
    records = get_authentication_records(request, user)
    if needs_second_factor(user):
        records = [record for record in records if record["method"] == "mfa"]
    return any(record["at"] >= time.time() - FRESH.total_seconds() for record in records)


def used_second_factor(request: HttpRequest) -> bool:
    """Whether this session was opened, or confirmed since, with a second factor (or with a passkey, which is both)."""
    return any(record["method"] == "mfa" for record in get_authentication_records(request, person(request)))


class KeepAliveMiddleware:
    """Puts off the end of a session while its owner moves: noted, and so written, once in a few minutes."""

    SEEN = "seen"

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        session, now = request.session, int(timezone.now().timestamp())
        seen = session.get(self.SEEN, 0)
        # Only now: one that has ended is found to be empty as it is read.
        if session.is_empty():
            return response
        # What is written anyway is written with it. A clock that was set back is noted, too.
        if session.modified or abs(now - seen) >= settings.SESSION_KEPT_ALIVE_EVERY:
            session[self.SEEN] = now
        return response


class PrivatePagesMiddleware:
    """Lets no cache keep a page of somebody who is signed in, not even their browser's: phones are shared, and so are
    tables in net cafes, and the way back must show nothing after signing out.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.user.is_authenticated and "no-store" not in response.headers.get("Cache-Control", ""):
            response.headers["Cache-Control"] = "private, no-store"
        return response


class SecondFactorMiddleware:
    """Leads staff without a second factor to the page where it is set up, and keeps every other page from them."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with queries.looking_up_posts_once(only_read=request.method in ("GET", "HEAD")):
            return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: View, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        if not settings.STAFF_SECOND_FACTOR or not request.user.is_authenticated:
            return None
        name = request.resolver_match.view_name if request.resolver_match else ""
        if name in OPEN_WITHOUT_SECOND_FACTOR or not queries.holds_post(person(request)):
            return None
        held = second_factors_of(person(request))
        if not held:
            return None if name in SETTING_UP else HttpResponseRedirect(reverse("people:second_factor"))
        if used_second_factor(request):
            return None
        confirm = "mfa_reauthenticate" if Authenticator.Type.TOTP in held else "mfa_reauthenticate_webauthn"
        back = request.get_full_path() if request.method in ("GET", "HEAD") else reverse("people:account")
        return HttpResponseRedirect(f"{reverse(confirm)}?{urlencode({'next': back})}")
