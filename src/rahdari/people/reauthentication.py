"""A fresh proof: before some acts, whoever sits there shows once more who they are, unless they did so lately.

So whoever finds a phone open, or takes a session, makes no token, ends no registration and gives no post. Who has an
app or a passkey uses it, others a new code to their mailbox. What was typed waits in the session and is carried out as
it was sent, so nothing is typed twice. The waiting and the ways by app and passkey are allauth's; the code is here.
"""

import datetime as dt
from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from allauth.account import views as account_views
from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import record_authentication
from allauth.core.exceptions import ReauthenticationRequired
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

from rahdari.web import limits, values, visitor

from . import access
from .adapter import CODE_BY_MAIL
from .forms import CODES_OF_A_KNOWN_BROWSER, CodeForm
from .sign_in import MailedCode


class ConfirmProcess(MailedCode):
    """A code to whoever is signed in. The session keeps it as it keeps that of a sign-in, and until it is used."""

    KEPT = "people_confirm_code"

    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        super().__init__(
            state=request.session.get(self.KEPT) or {},
            timeout=settings.ACCOUNT_LOGIN_BY_CODE_TIMEOUT,
            max_attempts=settings.ACCOUNT_LOGIN_BY_CODE_MAX_ATTEMPTS,
            user=access.person(request),
        )

    def begin(self) -> dt.timedelta | None:
        """Send a new code, the old one is of no use then. When there were too many nothing is sent, and it gives how
        long until there is another."""
        email = access.person(self.request).email
        rate, per = CODES_OF_A_KNOWN_BROWSER
        allowance = limits.take(f"people.code:here:{email}", rate=rate, per=per)
        if not allowance.allowed:
            return allowance.wait
        self.state = self.initial_state(user=self.user, email=email)
        self.send()
        self.persist()
        return None

    def send(self) -> None:
        self.send_code(self.email, confirms=True)

    def persist(self) -> None:
        self.request.session[self.KEPT] = self.state

    def abort(self) -> None:
        self.request.session.pop(self.KEPT, None)

    def is_waiting(self) -> bool:
        """Whether a code was sent that can still be typed."""
        return bool(self.state) and self.is_valid()


def need_fresh_proof(request: HttpRequest) -> None:
    """Goes on, or leads away to the proof, after which the same request is carried out. Call it before the act, once it
    is seen that what was typed will do. A page that is only looked at sends no mail: the button there does.
    Raises ReauthenticationRequired.
    """
    if access.proved_lately(request):
        return
    ways = get_adapter(request).get_reauthentication_methods(request.user)
    if request.method == "POST" and ways[0]["id"] == CODE_BY_MAIL:
        ConfirmProcess(request).begin()
    raise ReauthenticationRequired


def fresh_proof_required[Answer: HttpResponseBase](view: Callable[..., Answer]) -> Callable[..., Answer]:
    """For views that are such an act as a whole. Under the decorator that says who may come here."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Answer:
        if request.user.is_authenticated:
            need_fresh_proof(request)
        return view(request, *args, **kwargs)

    return guarded


@method_decorator([never_cache, login_required], name="dispatch")
class ConfirmCodeView(account_views.BaseReauthenticateView):
    """The proof by a code to the mailbox."""

    form_class = CodeForm
    template_name = "people/confirm_code.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        self.process, self.trouble = ConfirmProcess(request), ""
        return cast(HttpResponseBase, super().dispatch(request, *args, **kwargs))

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if "send" in request.POST:
            wait = self.process.begin()
            if wait is None:
                return HttpResponseRedirect(self.passthrough_next_url(reverse("people:confirm_code")))
            return self.ask_for_another("limit", after=values.again_after(wait))
        if not self.process.is_waiting():
            return self.ask_for_another("expired")
        return cast(HttpResponse, super().post(request, *args, **kwargs))

    def ask_for_another(self, trouble: str, **more: str) -> HttpResponse:
        """No code can be typed now; one button sends one. `trouble` says why."""
        self.trouble = trouble
        return cast(HttpResponse, self.render_to_response(self.get_context_data(form=None, **more)))

    def get_form_kwargs(self) -> dict[str, Any]:
        kwargs: dict[str, Any] = super().get_form_kwargs()
        # Whoever is signed in guesses about nobody else.
        return kwargs | {"process": self.process, "network": visitor.household(self.request), "was_here": True}

    def form_valid(self, form: CodeForm) -> HttpResponse:
        self.process.abort()
        record_authentication(self.request, access.person(self.request), "code", reauthenticated=True)
        return cast(HttpResponse, super().form_valid(form))

    def form_invalid(self, form: CodeForm) -> HttpResponse:
        if form.has_error("code", "incorrect") and not self.process.record_invalid_attempt():
            return self.ask_for_another("tries")
        return cast(HttpResponse, super().form_invalid(form))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        context.pop("site", None)
        waiting = self.process.is_waiting() and not self.trouble
        context |= {"email": access.person(self.request).email, "waiting": waiting, "trouble": self.trouble}
        if waiting:
            context |= {
                "valid_until": self.process.valid_until,
                "tries_left": self.process.tries_left,
                "sender": settings.DEFAULT_FROM_EMAIL,
            }
        return context
