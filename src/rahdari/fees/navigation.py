"""The links at the top of a page of fees: for those who keep accounts."""

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from rahdari.people import queries as people
from rahdari.people.models import User
from rahdari.web.context import Link

from . import queries


def links(request: HttpRequest) -> list[Link]:
    user = getattr(request, "user", None)
    if not isinstance(user, User) or not people.keeps_accounts(user):
        return []
    match = request.resolver_match
    page = match.url_name if match and match.namespace == "fees" else ""
    waiting = queries.payments_that_wait().count()
    return [
        Link(
            _("Payments"),
            reverse("fees:payments"),
            here=page in {"payments", "payment"},
            count=waiting,
            count_words=ngettext("payment waits", "payments wait", waiting),
        ),
        Link(_("Open invoices"), reverse("fees:open"), here=page == "open"),
        Link(_("Bank statements"), reverse("fees:statements"), here=page == "statements"),
    ]
