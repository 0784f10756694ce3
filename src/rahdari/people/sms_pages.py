"""Pages of the account: the mobile number for short notes, and whether they are wanted."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from rahdari.sms import codes, numbers, queries
from rahdari.web import visitor
from rahdari.web.posting import posted_from

from . import access
from .adapter import current_language
from .sms_forms import NumberCodeForm, NumberForm


def _account() -> HttpResponse:
    return redirect(reverse("people:account") + "#number")


def _sent(request: HttpRequest, form: NumberForm, number: str) -> bool:
    """Send the code, or say on the form why not."""
    try:
        numbers.ask_for_number(
            user=access.person(request),
            number=number,
            network=visitor.household(request),
            language=current_language(),
            now=timezone.now(),
        )
    except codes.TooManyCodes as error:
        form.add_too_many(error.wait)
    except codes.SmsNotSetUp:
        form.add_not_set_up()
    else:
        return True
    return False


@never_cache
@access.person_required
@require_http_methods(["GET", "HEAD", "POST"])
def number(request: HttpRequest) -> HttpResponse:
    """Where the notes are to go."""
    form = NumberForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and _sent(request, form, form.cleaned_data["number"]):
        return redirect("people:number_code")
    status = 422 if form.errors else 200
    return render(request, "people/number.html", {"form": form, "set_up": queries.is_set_up()}, status=status)


@never_cache
@access.person_required
@require_http_methods(["GET", "HEAD", "POST"])
def number_code(request: HttpRequest) -> HttpResponse:
    """The code that came by SMS."""
    user = access.person(request)
    kept = queries.contact_number(user)
    if kept is None or not kept.code:
        return redirect("people:number")
    form = NumberCodeForm(request.POST or None)
    ended = ""
    if request.method == "POST" and form.is_valid():
        try:
            numbers.confirm_number(user=user, code=form.cleaned_data["code"], now=timezone.now())
        except codes.CodeWrong as error:
            form.add_wrong(error.tries_left)
        except codes.CodeEnded as error:
            ended = error.why
        except codes.NoCodeWaiting:
            return redirect("people:number")
        else:
            messages.success(request, _("Your mobile number is confirmed."))
            return _account()
    elif kept.tries >= codes.TRIES:
        ended = "tries"
    elif kept.code_until is not None and kept.code_until <= timezone.now():
        ended = "expired"
    status = 422 if form.errors or (ended and request.method == "POST") else 200
    return render(request, "people/number_code.html", {"form": form, "kept": kept, "ended": ended}, status=status)


@access.person_required
@posted_from("people:account")
def remove_number(request: HttpRequest) -> HttpResponse:
    numbers.remove_number(user=access.person(request), now=timezone.now())
    messages.success(request, _("Your mobile number is deleted."))
    return _account()


@access.person_required
@posted_from("people:account")
def choose_notes(request: HttpRequest) -> HttpResponse:
    of_disruptions = "disruptions" in request.POST
    wanted = request.POST.get("disruptions" if of_disruptions else "notes") == "yes"
    numbers.choose_notes(user=access.person(request), wanted=wanted, of_disruptions=of_disruptions)
    return _account()
