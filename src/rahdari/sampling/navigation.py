"""The link at the top of an officer's pages."""

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from rahdari.people import queries as people
from rahdari.people.models import User
from rahdari.web.context import Link


def links(request: HttpRequest) -> list[Link]:
    user = getattr(request, "user", None)
    if not isinstance(user, User) or not people.is_officer(user):
        return []
    match = request.resolver_match
    here = match is not None and match.namespace == "sampling"
    return [Link(_("Second reviews"), reverse("sampling:second_looks"), here=here)]
