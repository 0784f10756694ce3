"""The links at the top of an officer's pages."""

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from rahdari.people import queries as people
from rahdari.people.models import User
from rahdari.web.context import Link

from . import desk


def links(request: HttpRequest) -> list[Link]:
    user = getattr(request, "user", None)
    if not isinstance(user, User) or not people.is_officer(user):
        return []
    # A page that lists cases has asked it with the rest.
    known: int | None = getattr(request, "for_me", None)
    match = request.resolver_match
    page = match.url_name if match and match.namespace == "decide" else ""
    return [
        Link(_("Queue"), reverse("decide:queue"), here=page not in {"", "approvals"}),
        Link(
            _("Approvals"),
            reverse("decide:approvals"),
            here=page == "approvals",
            count=desk.for_me(officer=user) if known is None else known,
            count_words=_("for you"),
        ),
    ]
