"""Pages of this room. Signing in stands on allauth's views, with our templates and our words.

allauth puts a `site` of its own into the context of some pages; ours, which names the Authority, must stay.
"""

from functools import partial
from typing import Any

from allauth.account import views as account_views
from allauth.account.adapter import get_adapter
from allauth.account.internal.decorators import login_stage_required
from allauth.account.internal.flows.login import record_authentication
from allauth.account.mixins import NextRedirectMixin
from allauth.account.stages import LoginByCodeStage
from allauth.account.utils import passthrough_next_redirect_url
from allauth.mfa.base import views as factor_views
from allauth.mfa.models import Authenticator
from allauth.mfa.stages import AuthenticateStage
from allauth.mfa.totp import views as app_views
from allauth.mfa.webauthn import views as passkey_views
from allauth.mfa.webauthn.internal import auth as webauthn
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, update_session_auth_hash
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.module_loading import import_string
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods
from django.views.generic.edit import FormView

from rahdari import optional, policy
from rahdari.web import language, visitor
from rahdari.web.posting import posted_from

from . import access, actions, demonstration, queries, reauthentication, seconding
from .adapter import WAS_SIGNED_IN, was_here
from .forms import AccountForm, AppointForm, CodeForm, EmailForm
from .models import WITH_TWO, Role, User
from .sign_in import SignInProcess, expected_email


class OurSite:
    """Leaves out allauth's `site`."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)  # type: ignore[misc]
        context.pop("site", None)
        return context


class SignInView(OurSite, account_views.RequestLoginCodeView):
    """Sign in or begin: the address."""

    form_class = EmailForm
    template_name = "account/login.html"

    def get_form_class(self) -> type[EmailForm]:
        return self.form_class

    def get_form_kwargs(self) -> dict[str, Any]:
        kwargs: dict[str, Any] = super().get_form_kwargs()
        return kwargs | {
            "place": visitor.place(self.request),
            "was_here": partial(was_here, self.request),
        }

    def get_initial(self) -> dict[str, Any]:
        return super().get_initial() | {"email": expected_email(self.request)}

    def _redirect_to_pending_stage(self, request: HttpRequest, stage: Any) -> None:
        """Whoever comes back to this page wants to change the address, so it is shown."""

    def form_valid(self, form: EmailForm) -> HttpResponse:
        SignInProcess.begin(request=self.request, email=form.cleaned_data["email"])
        return HttpResponseRedirect(self.passthrough_next_url(reverse("account_confirm_login_code")))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        ended = bool(self.request.GET.get("next")) and self.request.COOKIES.get(WAS_SIGNED_IN) == "1"
        return super().get_context_data(**kwargs) | {
            "session_ended": ended,
            "passkey_failed": self.request.GET.get("passkey") == "failed",
            "demo_sign_in": settings.DEMO,
        }


@method_decorator(login_stage_required(stage=LoginByCodeStage.key, redirect_urlname="account_login"), name="dispatch")
class CodeView(OurSite, NextRedirectMixin, FormView):  # type: ignore[type-arg]
    """Sign in or begin: the code."""

    form_class = CodeForm
    template_name = "account/confirm_login_code.html"

    @method_decorator(never_cache)
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        self.process = SignInProcess(stage=request._login_stage)  # type: ignore[attr-defined]
        if not self.process.is_valid():
            return self.start_again("expired")
        return super().dispatch(request, *args, **kwargs)

    def start_again(self, why: str) -> HttpResponse:
        """The code is of no use any more; one button sends a new one."""
        context = OurSite.get_context_data(self, form=None) | {"email": self.process.email, "why": why}
        return render(self.request, "account/code_ended.html", context)

    def get_form_kwargs(self) -> dict[str, Any]:
        kwargs: dict[str, Any] = super().get_form_kwargs()
        return kwargs | {
            "process": self.process,
            "network": visitor.household(self.request),
            "was_here": was_here(self.request, self.process.email),
        }

    def form_valid(self, form: CodeForm) -> HttpResponse:
        response = self.process.finish(self.get_next_url())
        if self.request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "") not in language.CODES:
            # Nothing was chosen here: whoever reads Urdu because the browser asks for it goes on in Urdu.
            language.keep(response, language.of_browser(self.request), secure=self.request.is_secure())
        return response

    def form_invalid(self, form: CodeForm) -> HttpResponse:
        if form.has_error("code", "incorrect") and not self.process.record_invalid_attempt():
            return self.start_again("tries")
        return super().form_invalid(form)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "email": self.process.email,
            "resent_at": self.process.resent_at,
            "valid_until": self.process.valid_until,
            "tries_left": self.process.tries_left,
            "sender": settings.DEFAULT_FROM_EMAIL,
        }


@method_decorator(login_stage_required(stage=AuthenticateStage.key, redirect_urlname="account_login"), name="dispatch")
class SecondFactorView(OurSite, factor_views.AuthenticateView):
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        held = access.second_factors_of(self.stage.login.user)
        return super().get_context_data(**kwargs) | {
            "has_app": Authenticator.Type.TOTP in held,
            "has_passkey": Authenticator.Type.WEBAUTHN in held,
        }


class PasskeySignInView(passkey_views.LoginWebAuthnView):
    def form_invalid(self, form: Any) -> HttpResponse:
        target = passthrough_next_redirect_url(self.request, reverse("account_login"), "next")
        return redirect(f"{target}{'&' if '?' in target else '?'}passkey=failed")


class PasskeyConfirmView(passkey_views.ReauthenticateWebAuthnView):
    def form_invalid(self, form: Any) -> HttpResponse:
        return self.render_to_response(self.get_context_data() | {"form": form})


class SignOutView(account_views.LogoutView):
    def post(self, *args: Any, **kwargs: Any) -> HttpResponse:
        response: HttpResponse = super().post(*args, **kwargs)
        response.delete_cookie(WAS_SIGNED_IN)
        return response


@method_decorator(reauthentication.fresh_proof_required, name="dispatch")
class AppView(app_views.ActivateTOTPView):
    """Setting up an app. Whoever proves it here has used a second factor in this session."""

    def form_valid(self, form: Any) -> HttpResponse:
        response: HttpResponse = super().form_valid(form)
        record_authentication(self.request, access.person(self.request), "mfa", type=Authenticator.Type.TOTP)
        return response

    def get_success_url(self) -> str:
        return reverse("mfa_view_recovery_codes")


@method_decorator(reauthentication.fresh_proof_required, name="dispatch")
class PasskeyView(passkey_views.AddWebAuthnView):
    """Making a passkey. It counts as a second factor in this session at once."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        context["form"] = kwargs.get("form", context["form"])
        context["js_data"] = {"creation_options": webauthn.begin_registration(access.person(self.request), True)}
        context["next"] = self.request.GET.get("next", "")
        return context

    def form_valid(self, form: Any) -> HttpResponse:
        response: HttpResponse = super().form_valid(form)
        record_authentication(self.request, access.person(self.request), "mfa", type=Authenticator.Type.WEBAUTHN)
        return response

    def get_success_url(self) -> str:
        if queries.holds_post(access.person(self.request)):
            return reverse("mfa_view_recovery_codes")
        target = self.request.POST.get("next", "")
        return target if target and get_adapter().is_safe_url(target) else reverse("people:account")


def _has_name(user: User) -> bool:
    """Whether the account of this person has a name: of staff, of whoever gave one, and where the rules ask for one."""
    asked = policy.asked_by(policy.current(settings.POLICY_FILE))
    return bool(user.name or asked & {"name", "organisation"} or queries.posts_of(user))


@access.person_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def account(request: HttpRequest) -> HttpResponse:
    """Who we think you are, and how you sign in."""
    user = access.person(request)
    form = AccountForm(
        request.POST or None, initial={"name": user.name, "language": user.language}, has_name=_has_name(user)
    )
    if request.method == "POST" and form.is_valid():
        actor, now = access.actor_of(user), timezone.now()
        if form.cleaned_data.get("name", user.name) != user.name:
            actions.name_person(user=user, name=form.cleaned_data["name"], actor=actor, now=now)
        actions.set_language(user=user, language=form.cleaned_data["language"])
        response = redirect("people:account")
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            user.language,
            max_age=365 * 24 * 3600,
            samesite="Lax",
            secure=settings.SESSION_COOKIE_SECURE,
        )
        return response
    authenticators = list(Authenticator.objects.filter(user=user).order_by("created_at", "pk"))
    kinds = {authenticator.type for authenticator in authenticators}
    return render(
        request,
        "people/account.html",
        {
            "form": form,
            "passkeys": [each.wrap() for each in authenticators if each.type == Authenticator.Type.WEBAUTHN],
            **optional.joined(__package__, "on_account", user),
            "has_app": Authenticator.Type.TOTP in kinds,
            "has_recovery_codes": Authenticator.Type.RECOVERY_CODES in kinds,
            "organisations": queries.organisations_of(user),
            "invitations": queries.invitations_to(user, timezone.now()).exists(),
            "posts": queries.posts_of(user),
        },
    )


@access.person_required
@posted_from("people:account")
def end_other_sessions(request: HttpRequest) -> HttpResponse:
    """Sign this person out everywhere but here: sessions are bound to a random value that is renewed."""
    user = access.person(request)
    user.set_unusable_password()
    user.save(update_fields=["password"])
    update_session_auth_hash(request, user)
    import_string(settings.END_PROGRAMS)(owner=user, now=timezone.now())
    return redirect(reverse("people:account") + "#sessions")


@access.person_required
@never_cache
def second_factor(request: HttpRequest) -> HttpResponse:
    """Where staff without a second factor are led."""
    return render(request, "people/second_factor.html", {"held": access.second_factors_of(access.person(request))})


@never_cache
@access.watchers_required
@require_http_methods(["GET", "HEAD", "POST"])
def posts(request: HttpRequest) -> HttpResponse:
    """Who holds which post, and which wait for a second person; giving one."""
    user, now = access.person(request), timezone.now()
    gives = queries.is_administrator(user)
    if request.method == "POST" and not gives:
        return access.no_access(request, Role.ADMINISTRATOR)
    rules = policy.current(settings.POLICY_FILE).attesting
    form = AppointForm(request.POST or None, associations=[each.key for each in rules.associations] if rules else ())
    if request.method == "POST" and form.is_valid() and _give_post(request, form):
        return redirect("people:posts")
    context = {
        "form": form if gives else None,
        "posts": [(post, queries.keys_of(post, now)) for post in queries.all_posts()],
        "proposed": queries.proposed_posts(user, now),
        "to_agree": set(queries.posts_to_agree_to(user, now).values_list("pk", flat=True)),
        "nobody_else": gives and not queries.somebody_else_watches(user),
    }
    return render(request, "people/posts.html", context)


def _give_post(request: HttpRequest, form: AppointForm) -> bool:
    """What the form says, or what is wrong with it beside the field. Returns whether it was done."""
    by, facts = access.person(request), form.cleaned_data
    user = queries.person_by_email(facts["email"])
    if user is None:
        form.add_unknown_person()
        return False
    if user == by:
        form.add_yourself()
        return False
    reauthentication.need_fresh_proof(request)
    actor, now = access.actor_of(by, Role.ADMINISTRATOR), timezone.now()
    if facts["role"] in WITH_TWO:
        actions.propose_post(user=user, role=facts["role"], rank=facts["rank"], by=by, actor=actor, now=now)
        return True
    place = {"operator": facts["operator"], "association": facts["association"]}
    post = actions.appoint(user=user, role=facts["role"], actor=actor, now=now, **place)
    actions.notify_of_post(user=user, title=post.label, change="given", actor=actor, now=now)
    return True


@never_cache
@access.watchers_required
@posted_from("people:posts")
@reauthentication.fresh_proof_required
def answer_proposed_post(request: HttpRequest, id: int) -> HttpResponse:
    """Agree to a post that somebody else proposed, or drop it. An answer that is neither does nothing."""
    by, now = access.person(request), timezone.now()
    actor = access.actor_of(by, Role.ADMINISTRATOR if queries.is_administrator(by) else Role.SUPERVISOR)
    try:
        match request.POST.get("answer"):
            case "yes":
                actions.agree_to_post(id=id, by=by, actor=actor, now=now)
            case "no":
                actions.drop_proposed_post(id=id, by=by, actor=actor, now=now)
            case _other:
                raise Http404
    except queries.ProposalNotFound:
        raise Http404 from None
    except seconding.NotSecond as error:
        messages.warning(request, seconding.says(error.why))
    return redirect("people:posts")


@access.administrator_required
@posted_from("people:posts")
@reauthentication.fresh_proof_required
def end_post(request: HttpRequest, id: int) -> HttpResponse:
    post = get_object_or_404(queries.all_posts(), pk=id)
    if post.user_id != access.person(request).pk:  # nobody locks themselves out by mistake
        actor, now = access.actor_of(access.person(request), Role.ADMINISTRATOR), timezone.now()
        actions.end_post(post=post, actor=actor, with_keys="keys" in request.POST, now=now)
        actions.notify_of_post(user=post.user, title=post.label, change="ended", actor=actor, now=now)
    return redirect("people:posts")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def demo_sign_in(request: HttpRequest) -> HttpResponse:
    """One button for each ready account. In the demonstration only: its URL is not there otherwise."""
    if not settings.DEMO:
        raise Http404
    target = request.POST.get("next") or request.GET.get("next") or ""
    if not (target and get_adapter().is_safe_url(target)):
        target = ""
    ready = demonstration.ready_accounts()
    if request.method == "POST":
        user = next((account.user for account in ready if str(account.user.pk) == request.POST.get("account")), None)
        if user is None:
            raise Http404
        login(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
        record_authentication(request, user, "demonstration")
        return redirect(target or settings.LOGIN_REDIRECT_URL)
    return render(request, "people/demo_sign_in.html", {"accounts": ready, "next": target})
