"""Signing in and beginning are one thing: an address, a code sent to it, the code typed in the same browser.

Invariants: the code goes out whether the address is known or not, and all pages are the same for both; an account is
made only after the code was right; a code works once, for ten minutes, three tries, in the session that asked for it;
the session keeps a keyed hash of the code, so that a copy of the database holds no code. The steps in between are
allauth's login stages: a person who set up an app is asked for it after the code, one who only has a passkey is not,
since a code must do on a device that has none.
"""

import datetime as dt
from importlib import import_module
from typing import Any, cast

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.code_verification import AbstractCodeVerificationProcess
from allauth.account.internal.flows.login import perform_login, record_authentication
from allauth.account.internal.flows.login_by_code import LoginCodeVerificationProcess
from allauth.account.internal.stagekit import unstash_login
from allauth.account.models import Login
from allauth.account.stages import LoginByCodeStage, LoginStageController
from allauth.mfa.stages import AuthenticateStage
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from rahdari.vault import index
from rahdari.web import limits

from . import access, actions, queries
from .adapter import CODE_MAIL, current_language
from .models import User

# In the session, from `expect` until somebody has signed in.
EXPECTED = "people.expected"


def hashed(email: str, code: str) -> str:
    """What the session keeps of a code."""
    return index.blind("people.sign_in_code", f"{email} {code}")


class MailedCode(AbstractCodeVerificationProcess):
    """What all codes by mail have in common."""

    def send_code(self, email: str, **more: Any) -> None:
        adapter = get_adapter()
        code = adapter.generate_login_code()
        self.state["code"] = hashed(email, code)
        adapter.send_mail(CODE_MAIL, email, {"code": code, **more})

    @property
    def email(self) -> str:
        return cast(str, self.state["email"])

    @property
    def resent_at(self) -> dt.datetime | None:
        """When the code went out, if it was not the first one that this browser asked for at the address."""
        return dt.datetime.fromtimestamp(self.state["at"], tz=dt.UTC) if self.state.get("again") else None

    @property
    def valid_until(self) -> dt.datetime:
        return dt.datetime.fromtimestamp(self.state["at"] + self.timeout, tz=dt.UTC)

    @property
    def tries_left(self) -> int:
        return self.max_attempts - cast(int, self.state["failed_attempts"])

    def is_right(self, code: str) -> bool:
        # The session counts the tries too, but requests that come at once all read the same count. This one is the
        # database's, for all processes.
        tries = limits.allow(f"people.code_try:{self.code}", rate=self.max_attempts, per=self.timeout)
        # Both sides are keyed hashes of which a guesser knows neither, so the time of comparing tells nothing.
        return bool(self.code) and tries and hashed(self.email, code) == self.code


class SignInProcess(MailedCode, LoginCodeVerificationProcess):
    """allauth's process for a code, for addresses that may be new."""

    @classmethod
    def begin(cls, *, request: HttpRequest, email: str) -> "SignInProcess":
        """Send a code to the address and remember the rest in the session."""
        user = queries.person_by_email(email)
        again = pending_email(request) == email
        login = Login(user=user, email=email)
        login.state["stages"] = {"current": LoginByCodeStage.key}
        stage = LoginByCodeStage(LoginStageController(request, login), request, login)
        stage.state.update(cls.initial_state(user=user, email=email) | {"initiated_by_user": True, "again": again})
        process = cls(stage=stage)
        process.send()
        process.persist()
        return process

    def send_by_email(self, email: str, skip_enumeration_mails: bool = False) -> None:
        self.send_code(email)

    def finish(self, redirect_url: str | None) -> HttpResponse:
        """The code was right: make the person if they are new, and go on with signing in."""
        user = actions.register_person(email=self.email, language=current_language(), now=timezone.now())
        self.abort()
        self.request.session.pop(EXPECTED, None)
        record_authentication(self.request, user, method="code", email=self.email)
        return perform_login(self.request, Login(user=user, redirect_url=redirect_url, email=self.email))


def pending_email(request: HttpRequest) -> str:
    """The address to which this session asked for a code, if it did; the code may be too old by now."""
    login = unstash_login(request, peek=True)
    return (login.email or "") if login is not None else ""


def expect(request: HttpRequest, email: str) -> None:
    """Whoever signs in next in this browser is most likely this one: the form has the address already."""
    request.session[EXPECTED] = email


def expected_email(request: HttpRequest) -> str:
    return pending_email(request) or request.session.get(EXPECTED, "")


def forget_ended_sessions() -> None:
    """A session that ended holds who was signed in, or the address of whoever asked for a code and left."""
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()


class SecondFactorStage(AuthenticateStage):
    """Asks for the second factor after a code: staff always, others when they chose an app."""

    def _should_handle(self, request: HttpRequest) -> bool:
        user = self.login.user
        if user is None or not super()._should_handle(request):
            return False
        return access.needs_second_factor(cast(User, user))
