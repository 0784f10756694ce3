"""The link at the top of an officer's pages."""

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from rahdari.people import queries as people
from rahdari.people.models import User
from rahdari.web.context import Link

from . import queries


def links(request: HttpRequest) -> list[Link]:
    user = getattr(request, "user", None)
    if not isinstance(user, User) or not people.is_officer(user) or queries.terms() is None:
        return []
    match = request.resolver_match
    return [Link(_("Cut off"), reverse("urgent:desk"), here=match is not None and match.namespace == "urgent")]
