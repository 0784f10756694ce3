"""The operator's home: which edition its network has, how late, and where it is applied."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from rahdari.page import errors
from rahdari.people import queries as people
from rahdari.people.access import operator_required, person
from rahdari.publish import queries as publish


@operator_required
@never_cache
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    slug = people.operator_of(person(request)) or ""
    now = timezone.now()
    found = next((each for each in publish.operators_with_lag(now=now) if each.operator.slug == slug), None)
    if found is None:
        return errors.no_access(request)
    return render(request, "portal/operator/home.html", {"seen": found, "operator": found.operator, "now": now})
