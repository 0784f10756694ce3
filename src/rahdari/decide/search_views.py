"""The one search over decided cases from within a case. A search is a form that is sent, never a link. For a demand it
is made by the room of demands."""

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from rahdari.people.access import officer_required, person

from . import searching
from .case_access import opened, render
from .forms import SearchForm


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@officer_required
def search_from_case(request: HttpRequest, reference: str) -> HttpResponse:
    case = opened(request, reference)
    form, found = SearchForm(request.POST if request.method == "POST" else None, case=case), None
    if form.is_valid():
        found = searching.search(
            officer=person(request), asked=form.cleaned_data["asked"], case=case, now=timezone.now()
        )
    context = {"form": form, "found": found, "application": case.application}
    return render(request, "decide/search.html", context, 422 if form.is_bound and found is None else 200)
