"""Pages about operators: addresses that none of them would get, or gets, and whether an applicant is a subscriber."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from rahdari.people.access import officer_required, person
from rahdari.web.posting import posted_from

from . import desk, operators, transitions, unreached_addresses
from .addresses import A_PAGE
from .case_access import moved_on, opened, render
from .forms import OperatorForm
from .views import show


@officer_required
@posted_from("decide:case", "reference")
def name_network(request: HttpRequest, reference: str) -> HttpResponse:
    """To which operator an address belongs whose network the directory does not know."""
    shown, chosen = opened(request, reference), request.POST.get("address", "")
    form = OperatorForm(request.POST)
    if not form.is_valid():
        return show(request, shown, operator_form=form, status=422)
    try:
        count = unreached_addresses.name_network(
            case=shown,
            officer=person(request),
            operator=form.cleaned_data["operator"],
            addresses=(chosen,) if chosen else (),
            now=timezone.now(),
        )
    except unreached_addresses.NobodyToName:
        form.add_error("operator", form.fields["operator"].error_messages["required"])
        return show(request, shown, operator_form=form, status=422)
    except (transitions.NotPossibleNow, transitions.NotYourCase):
        messages.warning(request, moved_on())
    else:
        said = ngettext("Named for %(count)s address.", "Named for %(count)s addresses.", count)
        messages.success(request, said % {"count": count})
    return redirect("decide:case", reference=reference)


@officer_required
@posted_from("decide:case", "reference")
def ask_operator(request: HttpRequest, reference: str) -> HttpResponse:
    """Whether the applicant is the subscriber of the addresses of the case."""
    shown = opened(request, reference)
    try:
        count = operators.ask_operator(case=shown, officer=person(request), now=timezone.now())
    except operators.NoOperatorToAsk:
        messages.warning(request, _("There is no operator to ask: each that we know was asked already."))
    except (transitions.NotPossibleNow, transitions.NotYourCase):
        messages.warning(request, moved_on())
    else:
        said = ngettext("Asked about %(count)s address.", "Asked about %(count)s addresses.", count)
        messages.success(request, said % {"count": count})
    return redirect("decide:case", reference=reference)


@never_cache
@require_safe
@officer_required
def unreached(request: HttpRequest) -> HttpResponse:
    """What is in force on paper and reaches no operator: each with the case on whose page its operator is named."""
    officer = person(request)
    rows = Paginator(unreached_addresses.unreached_with_cases(officer=officer), A_PAGE).get_page(
        request.GET.get("page")
    )
    desk.record_looks([file for _entry, file in rows], officer=officer, where="unreached", now=timezone.now())
    return render(request, "decide/unreached.html", {"rows": rows})
