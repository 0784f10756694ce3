"""Which language a page speaks: the one chosen (cookie), then the reader's own setting, then the browser's.

The middleware stands behind the one that knows who is signed in.
"""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.module_loading import import_string
from django.views.decorators.http import require_http_methods

from rahdari.policy import Text

from .context import link_to

CODES = ("en", "ur")
A_YEAR = 365 * 24 * 3600


def of_browser(request: HttpRequest) -> str:
    """The language by what the browser sent, asking no database."""
    code = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
    if code in CODES:
        return code
    code = translation.get_language_from_request(request).split("-")[0]
    return code if code in CODES else "en"


def of_reader(request: HttpRequest) -> str:
    if request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "") not in CODES and request.user.is_authenticated:
        code = getattr(request.user, "language", "")
        if code in CODES:
            return str(code)
    return of_browser(request)


def in_both(say: Callable[[], str]) -> Text:
    """What `say` says in each language: for what is written before it is known who reads it."""
    said = {}
    for code in CODES:
        with translation.override(code):
            said[code] = say()
    return Text(**said)


def keep(response: HttpResponse, code: str, *, secure: bool) -> None:
    """This browser goes on in that language."""
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME, code, max_age=A_YEAR, samesite="Lax", secure=secure, httponly=True
    )


class LanguageMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        code = of_reader(request)
        with translation.override(code):
            request.LANGUAGE_CODE = code
            response = self.get_response(request)
        response.headers.setdefault("Content-Language", code)
        patch_vary_headers(response, ("Accept-Language", "Cookie"))
        return response


@require_http_methods(["GET", "HEAD", "POST"])
def switch(request: HttpRequest, code: str) -> HttpResponse:
    """Choose a language and go back to where the reader was, within this site.

    A link on another site may not change the setting of an account; it only changes this browser's cookie.
    """
    target = request.POST.get("next", "") or request.GET.get("next", "")
    if not url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        target = link_to("portal:start") or "/"
    response = HttpResponseRedirect(target)
    if code in CODES:
        keep(response, code, secure=request.is_secure())
        if request.user.is_authenticated and request.headers.get("Sec-Fetch-Site", "none") in ("same-origin", "none"):
            # `people` stands above this room, so the act that remembers the choice is named in the settings.
            import_string(settings.REMEMBER_LANGUAGE)(user=request.user, language=code)
    return response
