"""Where django-allauth meets this room: who may sign in, how its mail leaves, how its secrets are kept.

Invariants: the only mail that signing in sends is the code; it goes to known and unknown addresses alike; accounts
are made by `sign_in` after the code was right and in no other way; secrets of authenticator apps are encrypted.
"""

import base64
import hmac
import io
import logging
import secrets
from typing import Any, cast

import segno
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.stagekit import unstash_login
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import get_language, gettext_lazy

from rahdari.errors import RahdariError
from rahdari.vault import cipher, index
from rahdari.web import visitor

from . import access, queries
from .models import Language, User

CODE_MAIL = "account/email/login_code"
# A cookie that stays while somebody is signed in, so that the sign-in page can say when a session ended by itself.
WAS_SIGNED_IN = "was_signed_in"
# Signed, and in no need of a session: this browser has signed in with that address before (its keyed hash).
WAS_HERE, WAS_HERE_PATH = "was_here", "/sign-in/"
# The way to show once more who one is that allauth has not: a code by mail (`confirming`).
CODE_BY_MAIL = "code"
logger = logging.getLogger(__name__)


def hashed_address(email: str) -> str:
    return index.blind("people.was_here", email)


def was_here(request: HttpRequest, email: str) -> bool:
    """Whether this browser has signed in with the address before."""
    shown = request.get_signed_cookie(WAS_HERE, default="", salt=WAS_HERE)
    return hmac.compare_digest(shown or "", hashed_address(email))


class UnknownMail(RahdariError):
    """Something tried to send a mail that nobody has written. `.template` is its name."""

    says = "no letter is written for {template}"
    template: str


class AccountAdapter(DefaultAccountAdapter):
    error_messages = DefaultAccountAdapter.error_messages | {
        "incorrect_code": gettext_lazy("That code is wrong. Use the one in the latest email"),
        "rate_limited": gettext_lazy("Too many tries. Wait a few minutes, then try again"),
        "too_many_login_attempts": gettext_lazy("Too many tries. Wait a few minutes, then try again"),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Hand the code to the room that writes letters. It stands above this one, so the settings name its act."""
        if template_prefix != CODE_MAIL:
            raise UnknownMail(template_prefix)
        write = import_string(settings.SIGN_IN_LETTER)
        write(
            email=email,
            language=current_language(),
            code=context["code"],
            confirms=context.get("confirms", False),
            now=timezone.now(),
        )

    def add_message(self, *args: Any, **kwargs: Any) -> None:
        """Say nothing: each page tells what happened itself, once, and in the reader's language."""

    def post_login(self, request: HttpRequest, user: Any, **kwargs: Any) -> HttpResponse:
        response: HttpResponse = super().post_login(request, user, **kwargs)
        # Whoever holds a post may have to show a second factor first.
        if isinstance(response, HttpResponseRedirect) and not queries.holds_post(user):
            # The room of applications stands above this one.
            response["Location"] = import_string(settings.AFTER_SIGN_IN)(request, response.url)
        response.set_cookie(
            WAS_SIGNED_IN,
            "1",
            max_age=30 * 24 * 3600,
            httponly=True,
            samesite="Lax",
            secure=settings.SESSION_COOKIE_SECURE,
        )
        response.set_signed_cookie(
            WAS_HERE,
            hashed_address(user.email),
            salt=WAS_HERE,
            max_age=400 * 24 * 3600,
            path=WAS_HERE_PATH,
            httponly=True,
            samesite="Lax",
            secure=settings.SESSION_COOKIE_SECURE,
        )
        return response

    def get_login_stages(self) -> list[str]:
        """allauth's stages, with our own rule for who is asked for a second factor."""
        replaced = {"allauth.mfa.stages.AuthenticateStage": "rahdari.people.sign_in.SecondFactorStage"}
        return [replaced.get(stage, stage) for stage in super().get_login_stages()]

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Whoever has shown who they are in the last minutes need not do it again."""
        return not access.proved_lately(self.request) and super().is_reauthentication_required(app=app, **kwargs)

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        """The ways to show once more who one is, the best first."""
        if not user.is_authenticated:
            return []
        held = access.second_factors_of(user)
        has_app = Authenticator.Type.TOTP in held
        # The page of the app takes recovery codes too, and whoever has a passkey has those.
        app = {"id": "app" if has_app else "recovery", "description": "2", "url": reverse("mfa_reauthenticate")}
        passkey = {"id": "passkey", "description": "1", "url": reverse("mfa_reauthenticate_webauthn")}
        mail = {"id": CODE_BY_MAIL, "description": "3", "url": reverse("people:confirm_code")}
        ways = [app] if has_app else []
        ways += [passkey] if Authenticator.Type.WEBAUTHN in held else []
        ways += [] if access.needs_second_factor(user) else [mail]
        return [*ways, app] if held and not has_app else ways

    def get_client_ip(self, request: HttpRequest) -> str:
        """What rate limits count by, as an address: of IPv6 the first of the household's."""
        return visitor.household(request).partition("/")[0]


class SecondFactorAdapter(DefaultMFAAdapter):
    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": gettext_lazy("That code is wrong. Use the one that the app shows now"),
    }

    def encrypt(self, text: str) -> str:
        return base64.b64encode(cipher.seal("fields", text.encode(), where=self._bound_to())).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """For a secret that stood in somebody else's row: one that nobody knows, so that no code is right."""
        try:
            return cipher.unseal("fields", base64.b64decode(encrypted_text), where=self._bound_to()).decode()
        except cipher.CannotDecrypt:
            logger.error("The second factor of %s was not written for them, or its key is gone.", self._bound_to())
            return base64.b32encode(secrets.token_bytes(20)).decode()

    def _bound_to(self) -> str:
        """Secrets are bound to the person. allauth hands over the secret alone: the person is the one who is signed in,
        or on the way to it."""
        person = context.request.user
        if not person.is_authenticated:
            login = unstash_login(context.request, peek=True)
            person = login.user if login is not None else None
        return f"people.second_factor:{person.pk if person else ''}"

    def build_totp_svg(self, url: str) -> str:
        """The picture of the key, drawn by the library that the certificates use too."""
        picture = io.BytesIO()
        segno.make(url, error="m").save(picture, kind="svg", xmldecl=False, scale=4, border=3, light="#fff")
        return picture.getvalue().decode()

    def _get_site_name(self) -> str:
        return "Rahdari"

    def get_public_key_credential_user_entity(self, user: Any) -> dict[str, Any]:
        """What a device stores beside a passkey: the person's address, so that it can name it when it asks."""
        entity: dict[str, Any] = super().get_public_key_credential_user_entity(user)
        return entity | {"display_name": cast(User, user).name or user.email}


def current_language() -> str:
    code = (get_language() or "en").split("-")[0]
    return code if code in Language.values else Language.ENGLISH
