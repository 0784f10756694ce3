"""`GET /metrics/dyndns`: how many changing addresses are reported, and how many went silent."""

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from rahdari.web import metrics_access as watching

from . import metrics


@never_cache
@require_safe
def metrics_page(request: HttpRequest) -> HttpResponse:
    """Told to this machine, and to who has the token; to anybody else there is no such page."""
    if not watching.may_watch(request):
        raise Http404
    text = metrics.exposition(now=timezone.now())
    return HttpResponse(text, content_type="text/plain; version=0.0.4; charset=utf-8")
