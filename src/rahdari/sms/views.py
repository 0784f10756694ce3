"""`POST /sms/reports/NAME/`: a gateway tells what became of a message.

Answers: 204 it was taken (also on what we do not know yet), 401 not signed, 404 no such gateway, 413, 422.
"""

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from . import actions, queries
from .providers import configuration
from .providers.http import LARGEST_ANSWER, HttpProvider, NotReadable, NotSigned


@csrf_exempt  # signed by a program; no browser sends it on its own
@never_cache
@require_POST
def report(request: HttpRequest, provider: str) -> HttpResponse:
    try:
        found = [one for one in queries.providers(told=actions.on_report) if one.name == provider]
    except configuration.ConfigurationError:
        raise Http404 from None
    gateway = found[0] if found else None
    if not isinstance(gateway, HttpProvider):
        raise Http404
    body = request.read(LARGEST_ANSWER + 1)
    if len(body) > LARGEST_ANSWER:
        return HttpResponse("A report has at most 64 KB.\n", status=413, content_type="text/plain")
    try:
        given = gateway.read_report(request.headers, body)
    except NotSigned:
        return HttpResponse("The signature is missing or not right.\n", status=401, content_type="text/plain")
    except NotReadable as error:
        return HttpResponse(f"The report has no {error.missing}.\n", status=422, content_type="text/plain")
    actions.record_report(provider=provider, report=given, now=timezone.now())
    return HttpResponse(status=204)
