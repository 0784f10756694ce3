"""The page on which a registration is proposed to be taken back, its holder heard, a second officer decides, and it is
restored."""

from functools import partial
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from rahdari.apply import form_errors, screening
from rahdari.apply.late_evidence import File
from rahdari.people.access import officer_required, person
from rahdari.policy import Reason

from . import case_clock, evidence, hearing_views, hearings, queries, revocation, transitions, words
from .case_access import moved_on, opened, render
from .case_page import CasePage
from .forms import RestoreForm, SecondTakingBackForm, SuspendFirstForm, TakeBackForm
from .hearing_forms import OrderForm, RecordHearingForm, SetHearingForm
from .models import Case, Notice
from .rules import HearingState, Status
from .seconding import Second


@never_cache
@officer_required
@require_http_methods(["GET", "HEAD", "POST"])
def revoke(request: HttpRequest, reference: str) -> HttpResponse:
    """What can be done with the registration of a decided case now: propose, hear its holder, decide as second officer,
    restore."""
    case, now = opened(request, reference), timezone.now()
    page = CasePage(case, reader=person(request), now=now, language=get_language() or "en")
    found, restorable = revocation.registration_of(case, now), revocation.to_restore(case, now)
    if case.status != Status.DECIDED or (found is None and restorable is None):
        return redirect("decide:case", reference=reference)
    notice = queries.open_notice(case)
    if notice is not None:
        notice.case = case
    shown = _forms(request, case, notice, may_restore=restorable is not None)
    sent = next((form for form in shown.values() if form.is_bound), None)
    if sent is not None and sent.is_valid() and _done(request, case, sent):
        return redirect("decide:revoke", reference=reference)
    second_form = shown["form"]
    if isinstance(second_form, SecondTakingBackForm) and not page.may_second:
        second_form.offer_to_keep_alone()
    about = notice or (restorable.notice if restorable is not None else None)
    context = {
        "page": page,
        "case": case,
        "application": case.application,
        "registration": found or (restorable.registration if restorable is not None else None),
        "notice": notice,
        "decide_by": case_clock.decided_until(notice) if notice is not None else None,
        "hearings": hearings.hearings_of(about) if about is not None else (),
        "waits_for_hearing": notice is not None and notice.hearing == HearingState.ASKED,
        "restorable": restorable,
        "taken_first": revocation.last_before_hearing(case) if notice is not None else None,
        **_first(request, case, notice),
        **shown,
        "sent": sent,
        "evidence": page.shown_reasons(
            reason
            for reason in (*revocation.codes_of(page.policy), *revocation.codes_of_orders(page.policy))
            if (reason.code in notice.codes if notice is not None else reason.ground == "finding")
        ),
    }
    return render(request, "decide/revoke.html", context, status=422 if sent is not None and sent.errors else 200)


def _first(request: HttpRequest, case: Case, notice: Notice | None) -> dict[str, Any]:
    """Of a proposal to suspend it before its holder is heard: for how many hours, and why the reader may not agree."""
    if not revocation.can_be_first(case, notice):
        return {}
    assert notice is not None  # noqa: S101 - there is a proposal
    why_not = Second(person(request), timezone.now()).cannot_suspend(notice)
    hours = revocation.hours_before_hearing(case_clock.policy_of(case.application))
    return {"first_hours": hours, "why_not_first": words.why_not_second(why_not) if why_not else ""}


# By these a sent form is known; whatever else is sent is the one that the page begins with.
OF_ORDER, OF_FIRST = "order_number", "first_because"


def _forms(request: HttpRequest, case: Case, notice: Notice | None, *, may_restore: bool) -> dict[str, forms.Form]:
    """The forms of the page, by their names in the template; the one that was sent is bound."""
    given = request.POST if request.method == "POST" else None
    rules, now = case_clock.policy_of(case.application), timezone.now()

    def of(key: str) -> Any:
        return given if given is not None and key in given else None

    def files(data: Any) -> Any:
        return request.FILES if data is not None else None

    first = None if any(of(key) for key in (OF_ORDER, OF_FIRST, *hearing_views.KEYS)) else given
    if notice is not None:
        found: dict[str, forms.Form] = {"form": SecondTakingBackForm(first)}
        first_form = (
            revocation.can_be_first(case, notice) and Second(person(request), now).cannot_suspend(notice) is None
        )
        if first_form:
            found["first_form"] = SuspendFirstForm(of(OF_FIRST))
        if notice.hearing == HearingState.ASKED:
            found |= hearing_views.forms_of(notice, given, case_clock.notice_heard_between(notice, now), now)
        return found
    if may_restore:
        return {"form": RestoreForm(first)}
    codes = revocation.codes_of(rules)
    can_be_first = [each.code for each in codes if revocation.may_be_before_hearing(case, rules, each, now)]
    found = {"form": TakeBackForm(first, files(first), codes=_titled(codes), first=can_be_first)}
    if orders := _titled(revocation.codes_of_orders(rules)):
        found["order_form"] = OrderForm(of(OF_ORDER), files(of(OF_ORDER)), codes=orders)
    return found


def _titled(reasons: list[Reason]) -> list[tuple[str, str]]:
    language = get_language() or "en"
    return [(reason.code, f"{reason.code} {reason.text.in_language(language)}") for reason in reasons]


# What says by which code it is proposed.
PROPOSING = ("take_code", "order_code")


def _done(request: HttpRequest, case: Case, form: forms.Form) -> bool:
    """Do what the form says. False: it says something that cannot be, and the form shows what."""
    try:
        _act(request, case, form)
    except screening.FileRefused as error:
        form.add_error("order_file" if isinstance(form, OrderForm) else "take_paper", form_errors.file(error))
        return False
    except evidence.EvidenceMissing as error:
        rules, language = case_clock.policy_of(case.application), get_language() or "en"
        field = next(name for name in (*PROPOSING, "first_because", "decision") if name in form.fields)
        form.add_error(field, words.lacking(rules, error.missing, language, is_proposed=field not in PROPOSING))
        return False
    except transitions.MayNotSecond as error:
        messages.warning(request, words.why_not_second(error.why))
    except (
        transitions.NotPossibleNow,
        transitions.CodeNotUsable,
        transitions.AlreadyAnswered,
        hearings.NotSet,
    ):
        messages.warning(request, moved_on())
    return not form.errors


def _file(case: Case, sent: Any) -> File:
    """Raises screening.FileRefused for one that is not even read into memory."""
    most = case_clock.policy_of(case.application).limits.document_bytes
    if sent.size > most:
        raise screening.FileRefused(screening.FileFault.TOO_BIG, sent.name or "", limit=most)
    return File(sent.name or "", sent.read())


def _act(request: HttpRequest, case: Case, form: Any) -> None:
    facts: dict[str, Any] = {"case": case, "officer": person(request), "now": timezone.now()}
    given = form.cleaned_data
    match form:
        case TakeBackForm():
            revocation.propose_revocation(
                code=given["take_code"],
                text=given["take_text"],
                evidence=given["take_evidence"],
                paper=_file(case, given["take_paper"]) if given["take_paper"] else None,
                before_hearing=bool(given.get("take_first")),
                **facts,
            )
            messages.success(request, _("The holder was told why, and has time to answer. A second officer decides."))
        case OrderForm():
            revocation.propose_by_order(
                code=given["order_code"],
                order=form.order,
                text=given["order_text"],
                evidence=given["order_copy"],
                copy=_file(case, given["order_file"]),
                **facts,
            )
            messages.success(request, _("The holder was told. A second officer decides."))
        case SuspendFirstForm():
            revocation.suspend_before_hearing(because=given["first_because"], **facts)
            messages.success(request, _("It is suspended until the time below. The holder was told."))
        case RestoreForm():
            revocation.restore_registration(why=given["why"], **facts)
            messages.success(request, _("It is valid again, and we have told the holder."))
        case SetHearingForm() | RecordHearingForm():
            acts = partial(hearings.set_hearing, **facts), partial(hearings.record_hearing, **facts)
            hearing_views.act(request, form, *acts)
        case _ if given["decision"] == "take":
            revocation.second_revocation(because=given["because"], **facts)
            messages.success(request, _("It was revoked. The holder was told why, and how to appeal."))
        case _:
            revocation.keep_registration(why=given["because"], **facts)
            messages.success(request, _("It stays as it is, and the holder was told."))
