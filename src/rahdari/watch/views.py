"""The text of our own control endpoint."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from .control import LINE


@never_cache
@require_safe
def control(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"{LINE}\n", content_type="text/plain; charset=utf-8")
