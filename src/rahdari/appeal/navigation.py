"""The link at the top of the pages of those who decide appeals."""

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from rahdari.people.models import User
from rahdari.web.context import Link

from . import queries


def links(request: HttpRequest) -> list[Link]:
    user = getattr(request, "user", None)
    if not isinstance(user, User) or not queries.has_rank(user):
        return []
    match = request.resolver_match
    here = bool(match and match.namespace == "appeal")
    return [
        Link(_("Appeals"), reverse("appeal:appeals"), here=here, count=queries.waiting_for(user), count_words=_("open"))
    ]
