"""The one search over decided cases: within a case, or for a demand. A search is a form that is sent, never a link."""

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from rahdari.people.access import officer_required, person

from . import searching
from .case_access import opened, render
from .forms import DemandForm, SearchForm
from .models import Case


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@officer_required
def search(request: HttpRequest) -> HttpResponse:
    return _search(request, DemandForm(request.POST if request.method == "POST" else None))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@officer_required
def search_from_case(request: HttpRequest, reference: str) -> HttpResponse:
    case = opened(request, reference)
    return _search(request, SearchForm(request.POST if request.method == "POST" else None, case=case), case)


def _search(request: HttpRequest, form: SearchForm, case: Case | None = None) -> HttpResponse:
    found = None
    if form.is_valid():
        found = searching.search(
            officer=person(request),
            asked=form.cleaned_data["asked"],
            case=case,
            demand=form.ground if isinstance(form, DemandForm) else "",
            now=timezone.now(),
        )
    context = {"form": form, "found": found, "application": case.application if case is not None else None}
    return render(request, "decide/search.html", context, 422 if form.is_bound and found is None else 200)
