"""People of the tests, made by our own acts, and what they do on the pages."""

import datetime as dt
import itertools
import re
import time
from types import SimpleNamespace
from typing import Any, cast

from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY, record_authentication
from allauth.mfa.totp.internal import auth as totp
from django.test import Client
from django.utils import timezone

from rahdari.letters.models import Letter
from rahdari.people import actions
from rahdari.people.models import Role, RoleAssignment, User

NOW = dt.datetime(2026, 11, 10, 9, 32, tzinfo=dt.UTC)


def a_person(local: str = "freelancer", *, language: str = "en") -> User:
    return actions.register_person(
        email=f"{local}@sample.example", language=language, name=f"Sample {local.title()}", now=NOW
    )


_numbers = itertools.count(31)


def a_freelancer(language: str = "en", *, now: dt.datetime | None = None) -> User:
    number = next(_numbers)
    return actions.register_person(
        email=f"freelancer-{number}@client.example",
        language=language,
        name=f"Sample Freelancer {number}",
        now=now or timezone.now(),
    )


def an_officer(
    name: str = "",
    *,
    rank: str = "",
    role: str = Role.OFFICER,
    language: str = "en",
    now: dt.datetime | None = None,
) -> User:
    at = now or timezone.now()
    user = actions.register_person(
        email=f"officer-{next(_numbers)}@authority.example", language=language, name=name, now=at
    )
    actions.appoint(user=user, role=role, rank=rank, actor="system:test", now=at)
    return user


def with_post(user: User, role: str = Role.OFFICER, *, rank: str = "", **place: str) -> RoleAssignment:
    """`place` is the operator or the association of whoever needs one."""
    return actions.appoint(user=user, role=role, rank=rank, actor="system:test", now=NOW, **place)


def the_newest_code(**which: Any) -> str:
    letter = Letter.objects.filter(template="code", **which).order_by("-written_at", "-id").first()
    assert letter is not None
    found = re.search(r"^\d{8}$", letter.text, re.MULTILINE)
    assert found is not None
    return found[0]


def ask_for_code(browser: Client, email: str, *, to: str = "") -> str:
    """Ask for a code; return it."""
    Letter.objects.filter(template="code").delete()
    answer = browser.post("/sign-in/" + (f"?next={to}" if to else ""), {"email": email})
    assert answer.status_code == 302, answer.content.decode()
    return the_newest_code()


def sign_in(browser: Client, email: str, *, to: str = "") -> str:
    """Sign in by code; return where that led."""
    code = ask_for_code(browser, email, to=to)
    answer = browser.post("/sign-in/code/" + (f"?next={to}" if to else ""), {"code": code})
    assert answer.status_code == 302, answer.content.decode()
    return answer.headers["Location"]


def app_code(secret: str, *, steps: int = 0) -> str:
    """What the app shows now, or some steps of 30 seconds later."""
    counter = int(time.time()) // 30 + steps
    return totp.format_hotp_value(totp.hotp_value(secret, counter))


def set_up_app(browser: Client) -> str:
    """Set up an app in a signed-in browser; return its secret."""
    page = browser.get("/account/app/").content.decode()
    found = re.search(r'<code dir="ltr">([A-Z2-7]+)</code>', page)
    assert found is not None
    answer = browser.post("/account/app/", {"code": app_code(found[1])})
    assert answer.status_code == 302, answer.content.decode()
    return found[1]


def sign_in_at_once(browser: Client, user: User) -> Client:
    """A session as after a sign-in just now, without its pages."""
    browser.force_login(user)
    session = browser.session
    record_authentication(cast(Any, SimpleNamespace(session=session)), user, "code")
    session.save()
    return browser


def let_it_be_long_ago(browser: Client) -> None:
    """As if whoever sits there had shown who they are an hour ago."""
    session = browser.session
    records = session[AUTHENTICATION_METHODS_SESSION_KEY]
    session[AUTHENTICATION_METHODS_SESSION_KEY] = [each | {"at": each["at"] - 3600} for each in records]
    session.save()
