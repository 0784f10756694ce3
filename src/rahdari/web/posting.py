"""Addresses that a form is sent to.

Invariant: whatever such an address answers with a page, the page can be loaded anew, and in the other language. Both
ask for it by GET, so a GET leads back to the page whose form it is.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

View = Callable[..., HttpResponse]


def posted_from(page: str, *kept: str) -> Callable[[View], View]:
    """For a view that answers POST alone, in place of Django's `require_POST`. `page` is the name of the page that has
    the form, `kept` what stands in both addresses. It goes under the decorators that say who may come here.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **given: Any) -> HttpResponse:
            if request.method != "POST":
                return HttpResponseRedirect(reverse(page, kwargs={name: given[name] for name in kept}))
            return view(request, *args, **given)

        answers = require_http_methods(["GET", "HEAD", "POST"])(guarded)
        answers.leads_back = (page, kept)  # type: ignore[attr-defined]
        return answers

    return decorate
