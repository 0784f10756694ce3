"""The rules in force as text: what they ask, cost and allow, by which law. All of it is read from the policy."""

from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from rahdari import policy
from rahdari.archive import queries as archive
from rahdari.calendar import queries as calendars
from rahdari.calendar.words import days_to_come, hours_of
from rahdari.policy import Allowance, Policy, Provision, Reason, asked_by, history
from rahdari.web.allowances import in_words

# Clocks that run for or against those whom the register is for. One that is not named here counts inside the office.
CLOCKS: dict[str, Promise] = {
    "officer_decision": _("An officer decides"),
    "whitelisting_decision": _("An officer decides on whitelisting"),
    "operator_confirms": _("An operator answers about an address"),
    "client_confirms": _("A client or employer answers"),
    "association_attests": _("An association answers"),
    "question": _("You answer a question"),
    "notice_before_refusal": _("You answer before a refusal"),
    "show_cause_other": _("You answer before a suspension or a striking out"),
    "hearing_notice": _("You are told before a hearing"),
    "hearing_held": _("A hearing is held after your answer"),
    "order_after_hearing": _("A suspension or a striking out is decided after your answer or the hearing"),
    "suspension_lasts": _("A suspension ends automatically"),
    "suspension_before_hearing": _("A suspension before you are heard ends automatically"),
    "appeal_officer_decision": _("You appeal against the decision of an officer"),
    "appeal_officer_decision_decided": _("Such an appeal is decided"),
    "appeal_authority_decision": _("You appeal against the decision of the Authority"),
    "complaint_answered": _("You answer a complaint about your registration"),
    "complaint_decided": _("A complaint is answered"),
    "still_right": _("We ask again whether your registration is still right"),
    "ombudsman_complaint": _("You complain to the Ombudsman"),
    "information_request": _("A request for information is answered"),
}
KINDS: dict[str, Promise] = {
    "question": _("Questions that an officer may ask"),
    "provisional": _("Why a registration may first be provisional"),
    "refusal": _("Why an application may be refused"),
    "suspension": _("Why a registration may be suspended"),
    "striking_out": _("Why a registration may end"),
}
# What is kept of people, as the policy calls it.
KEPT: dict[str, Promise] = {
    "draft": _("A draft that was not sent"),
    "desk_entry": _("What an officer entered for you, until you take it over"),
    "card_number": _("The number of your card"),
    "documents": _("Documents that you send"),
    "client_address": _("The email address of a client whom you name"),
    "proof_of_control": _("What was seen when an address was proved"),
    "came_to_nothing": _("An application that was refused, withdrawn or not pursued"),
    "case": _("The file of an application that was granted"),
    "misuse_report": _("A complaint that was not upheld"),
    "planned_work": _("What you were told of planned work"),
    "incident": _("What was said when a connection was cut, and its evidence"),
    "comment_address": _("The email address of somebody who comments on a draft rule"),
    "entry": _("Whose a registration was, and its addresses"),
    "letters": _("Letters"),
    "letter_delivery": _("How a letter was delivered"),
    "payment": _("A payment"),
    "reads": _("Who looked at your data"),
    "backups": _("Backups"),
}
# Where papers are asked for, they go with it.
WITH_PAPERS = _("An application that was refused, withdrawn or not pursued, with its documents")
# What is held only where the rules ask for one of these (`policy.beyond`).
ONLY_IF_ASKED = {
    "card_number": {"card_number"},
    "documents": {"documents", "profession"},
    "client_address": {"client"},
    "payment": {"fee"},
}
AFTER: dict[str, Promise] = {
    "last_change": _("after your last change"),
    "entered": _("after it was entered"),
    "final_decision": _("after the final decision"),
    "answered": _("after the answer, or after the deadline for it"),
    "collected": _("after it was seen"),
    "given_up_or_refused": _("after that, and never before the deadline for an appeal or a late answer"),
    "entry_ended_or_refused": _("after the end of the entry, or the refusal"),
    "entry_ended": _("after the registration has left the register"),
    "written": _("after it was written"),
    "paid": _("after the payment"),
    "file_ended": _("after the end of the file"),
    "closed": _("after the person who complained was answered"),
    "work_over": _("after the work was over"),
    "comment_over": _("after the last day for comments, or when the draft is adopted or withdrawn, if that is sooner"),
    "made": _("after they were made"),
    "with_the_case": _("with the file of the application"),
}


# What becomes of it when its time is over: nothing needs to be said of what is erased.
THEN: dict[archive.Disposal, Promise | str] = {
    archive.Disposal.ERASE: "",
    archive.Disposal.SEAL: _("Then it is sealed, as the law on archives requires: nobody here can read it."),
    archive.Disposal.KEEP: _("Under the law on archives it is kept longer for now."),
}
BY_HAND = _("The operators of the register do this themselves; it is not automatic.")


@dataclass(frozen=True)
class RuleRow:
    what: str
    span: str
    note: str = ""
    law: tuple[Provision, ...] = ()


def _clock(rules: Policy, key: str, clock: Allowance) -> RuleRow:
    instrument, _colon, place = clock.source.partition(":")
    by_law = clock.basis == "law" and bool(place) and instrument in rules.instruments
    return RuleRow(str(CLOCKS[key]), in_words(clock), "", rules.provisions([clock.source]) if by_law else ())


def kept_rows(rules: Policy) -> list[RuleRow]:
    """How long what is kept: a span and from when it counts; and what then becomes of it, if it is not erased."""
    found = []
    asked = asked_by(rules)
    titles = KEPT | ({"came_to_nothing": WITH_PAPERS} if asked & ONLY_IF_ASKED["documents"] else {})
    for key, title in titles.items():
        kept = rules.retention.get(key)
        if kept is None or (key in ONLY_IF_ASKED and not ONLY_IF_ASKED[key] & asked):
            continue
        span = in_words(kept.allowance) if kept.allowance else ""
        after = str(AFTER.get(kept.after, ""))
        then = BY_HAND if kept.erased_by == "hand" else THEN[archive.disposal_of(rules, key)] if kept.keep else ""
        # Each language has a full stop of its own.
        both = gettext("%(after)s. %(then)s") % {"after": after, "then": then}
        found.append(RuleRow(str(title), span, both if then else after))
    return found


@dataclass(frozen=True)
class Code:
    reason: Reason
    provisions: tuple[Provision, ...]
    remedies: tuple[str, ...]


def _codes(rules: Policy, kind: str) -> list[Code]:
    language = get_language()
    return [
        Code(
            reason,
            rules.provisions(reason.provisions),
            tuple(rules.remedies[key].text.in_language(language) for key in reason.remedies),
        )
        for reason in rules.reasons.values()
        if reason.kind == kind
    ]


@require_safe
def rules(request: HttpRequest) -> HttpResponse:
    found = policy.current(settings.POLICY_FILE)
    language = get_language()
    events = history.events(settings.DATA)
    return render(
        request,
        "portal/public/rules.html",
        {
            "rules": found,
            "begun": history.last_in_force([event for event in events if event.digest == found.digest]),
            "announced": history.announced(events),
            "services": [
                {
                    "title": service.title.in_language(language),
                    "open": service.open,
                    "fee": service.fee.text.in_language(language),
                    "decided": in_words(found.clocks[service.clock]),
                    "months": service.validity_months,
                }
                for service in found.services.values()
            ],
            "hours": list(hours_of(calendars.in_force().week)),
            "days": days_to_come(timezone.localdate(), language),
            "clocks": [
                _clock(found, key, found.clocks[key])
                for key in CLOCKS
                if key in found.clocks and found.clocks[key].enabled
            ],
            "kinds": [{"key": kind, "title": title, "codes": _codes(found, kind)} for kind, title in KINDS.items()],
            "kept": kept_rows(found),
            "laws": found.instruments.values(),
        },
    )
