"""The page on which an officer writes a note about a case."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from rahdari.people.access import officer_required, person

from . import notes
from .case_access import opened, render, to_page
from .forms import NoteForm


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@officer_required
def note(request: HttpRequest, reference: str) -> HttpResponse:
    case, officer = opened(request, reference), person(request)
    if case.application.erased_at is not None:
        return to_page(request, "case", reference=reference)
    form = NoteForm(request.POST if request.method == "POST" else None, colleagues=notes.colleagues(case, officer))
    if form.is_valid():
        notes.write_note(case=case, officer=officer, **form.cleaned_data, now=timezone.now())
        messages.success(request, _("The note is in the file."))
        return to_page(request, "case", reference=reference)
    return render(
        request, "decide/note.html", {"application": case.application, "form": form}, 422 if form.is_bound else 200
    )
