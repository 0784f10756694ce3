"""Facts for a preview of each letter: made up, and seen to be so. No letter goes out with them."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.utils.safestring import SafeString

from rahdari import policy

# Some morning in the office; letters in a preview never depend on the day they are looked at.
AT = dt.datetime(2026, 11, 10, 9, 32, tzinfo=dt.UTC)
REFERENCE, REGISTRATION = "A-2611-0482", "RD-5P9X-31GN"
COMPLAINT = "C-K7M2-94QX"
DISRUPTION = "D-K7M2-94QX"

Facts = dict[str, Any]
_Rules = policy.Policy


def _days(number: int) -> dt.datetime:
    return AT + dt.timedelta(days=number)


def _received(rules: _Rules) -> Facts:
    service = next(iter(rules.services.values())).title
    return {
        "reference": REFERENCE,
        "service": service,
        "decided_within": policy.Text("10 working hours", "کام کے 10 گھنٹے"),
    }


def _granted(rules: _Rules) -> Facts:
    service = next(iter(rules.services.values())).title
    return {"reference": REFERENCE, "registration": REGISTRATION, "valid_until": _days(365), "service": service}


def _granted_provisionally(rules: _Rules) -> Facts:
    reason = next(reason for reason in rules.reasons.values() if reason.kind == "provisional")
    return {**_granted(rules), "valid_until": _days(90), "reason": [reason], "code": [reason.code]}


def _provisional_ends(rules: _Rules) -> Facts:
    reason = next(reason for reason in rules.reasons.values() if reason.kind == "provisional")
    return {"registration": REGISTRATION, "valid_until": _days(15), "reason": reason, "code": reason.code}


_PLANNED = policy.Text("Planned, and the time is fixed.", "طے شدہ، اور وقت حتمی ہے۔")


def _planned_work() -> Facts:
    starts_at = dt.datetime(2026, 11, 24, 6, 0, tzinfo=dt.UTC)
    nothing = policy.Text("Does not answer", "جواب نہیں ملے گا")
    return {
        "registration": REGISTRATION,
        "work": "PW-K7M2-94QX",
        "who": "Sample Fibre",
        "starts_at": starts_at,
        "ends_at": starts_at + dt.timedelta(hours=1),
        "affected": [("203.0.113.40", nothing), ("203.0.113.41 udp 51820", nothing)],
        "more": 3,
    }


def _a_work(number: str, night: int) -> tuple[object, ...]:
    starts_at = dt.datetime(2026, 11, 24 + night, 6, 0, tzinfo=dt.UTC)
    return number, "Sample Fibre", starts_at, starts_at + dt.timedelta(hours=1), _PLANNED


def _by_letter(about: policy.Text) -> Facts:
    question = policy.Text(
        SafeString("Does <bdi>Sample Freelancer 31</bdi> work for you?"),
        SafeString("کیا <bdi>Sample Freelancer 31</bdi> کا کام آپ کے لیے ہے؟"),
    )
    lead, not_asked = (
        policy.Text("They named you.", "انہوں نے آپ کا نام دیا ہے۔"),
        policy.Text("Nothing else.", "اور کچھ نہیں۔"),
    )
    words = {"about": about, "question": question, "lead": lead, "not_asked": not_asked}
    return {**words, "ends_at": _days(7), "stop_url": "/vouch/sample/stop/"}


def _association(rules: _Rules) -> Any:
    return rules.attesting.associations[0].title if rules.attesting else "Sample Association"


def _attested(rules: _Rules) -> Facts:
    return {"reference": REFERENCE, "association": _association(rules), "text": "Sample note of the officer."}


def _revoked(rules: _Rules) -> Facts:
    reason = rules.attesting.revocations[0].title if rules.attesting else "Sample reason"
    text = "Sample note of the association."
    return {"reference": REFERENCE, "association": _association(rules), "reason": reason, "text": text}


def _notice(rules: _Rules) -> Facts:
    reasons = [reason for reason in rules.reasons.values() if reason.kind == "refusal"][:2]
    return {
        "reference": REFERENCE,
        "code": [reason.code for reason in reasons],
        "reason": reasons,
        "text": "Sample note of the officer.",
        "due_at": _days(9),
    }


def _contact(rules: _Rules) -> Facts:
    told = rules.contact
    return {} if told is None else {"post": told.post, "email": told.email, "phone": told.phone}


def _refused(rules: _Rules) -> Facts:
    reason = next(reason for reason in rules.reasons.values() if reason.kind == "refusal")
    return {
        "reference": REFERENCE,
        "code": reason.code,
        "reason": reason,
        "provisions": list(rules.provisions(reason.provisions)),
        "remedies": [rules.remedies[key] for key in reason.remedies],
        "appeal_until": _days(30),
        "readable_until": _days(30),
        **({"post": rules.contact.post, "email": rules.contact.email} if rules.contact else {}),
    }


def _revocation(rules: _Rules, kind: str, *, told: bool = False) -> Facts:
    found = [each for each in rules.reasons.values() if each.kind == kind and each.ground == "finding"]
    reason = found[0]
    facts = {"registration": REGISTRATION, "code": reason.code, "reason": reason, "text": "Sample note of the officer."}
    facts["provisions"] = list(rules.provisions(reason.provisions))
    facts["remedies"] = [rules.remedies[key] for key in reason.remedies]
    if told:
        return facts
    return facts | {
        **({"ends_at": _days(90)} if kind == "suspension" else {}),
        "appeal_until": _days(30),
        **({"post": rules.contact.post, "email": rules.contact.email} if rules.contact else {}),
    }


def _complaint() -> Facts:
    about = policy.Text("The registration was obtained by a false statement", "رجسٹریشن غلط بیانی پر حاصل کی گئی ہے")
    return {"reference": COMPLAINT, "registration": REGISTRATION, "about": about}


def _disruption(**more: Any) -> Facts:
    return {"reference": DISRUPTION, "registration": REGISTRATION, "operator": "Sample Fibre", **more}


def _to_review() -> Facts:
    return {"reference": f"{REFERENCE}-P1", "what": policy.Text("An appeal", "ایک اپیل")}


def _appeal_decided(rules: _Rules) -> Facts:
    forums = rules.forums_for("authority_decision")
    return {
        "reference": f"{REFERENCE}-P1",
        "outcome": policy.Text("Allowed", "منظور"),
        "points": [
            (
                policy.Text("A fact is wrong", "کوئی بات حقیقت کے خلاف ہے"),
                policy.Text("Allowed", "منظور"),
                "Sample reason of whoever decided.",
            )
        ],
        "text": "Sample note of whoever decided.",
        "carry_out_by": _days(5),
        "lost": 1,
        "forums": [(forum.title, _days(30), forum.address or "", place == 0) for place, forum in enumerate(forums)],
    }


def _question(rules: _Rules) -> Facts:
    text = "The letter of Specimen Media names “Sample F. 31”. Is that you?\nOne sentence is enough."
    return {"reference": REFERENCE, "question": text, "due_at": _days(14)}


def _invoice(rules: _Rules) -> Facts:
    return {
        "reference": REFERENCE,
        "invoice": "I-2611-0031",
        "receipt": "R-2611-0031",
        "amount": Decimal("2400.00"),
        "currency": "PKR",
        "pay_reference": "RF60 I261 1003 1",
        "due_at": _days(30),
    }


_BRANCH: Facts = {"organisation": "Sample Software House", "branch": "Branch North", "registration": REGISTRATION}

# One row a letter, by its name; a letter that is told the number of an application alone needs no function.
LETTERS: dict[str, Callable[[_Rules], Facts]] = {
    "code": lambda rules: {"code": "48291573"},
    "application_received": _received,
    "proof_missing": lambda rules: {"reference": REFERENCE, "to_prove": ["203.0.113.24"]},
    "application_granted": _granted,
    "application_granted_provisionally": _granted_provisionally,
    "application_question": _question,
    "application_notice": _notice,
    "application_refused": _refused,
    "application_late": lambda rules: {"reference": REFERENCE},
    "appeal_received": lambda rules: {"reference": f"{REFERENCE}-P1", "due_at": _days(30), "late": True, "heard": True},
    "appeal_decided": _appeal_decided,
    "appeal_late": lambda rules: {
        "reference": f"{REFERENCE}-P1",
        "stands": True,
        "complaint": rules.remedies.get("ombudsman"),
    },
    "asked_to_review": lambda rules: {**_to_review(), "due_at": _days(30)},
    "reviewer_named": lambda rules: {
        **_to_review(),
        "who": "Sample Reviewer, a retired judge.",
        "due_at": _days(30),
    },
    "consult_code": lambda rules: {"code": "48213907", "reference": "DR-2026-01"},
    "desk_entry_code": lambda rules: {
        "code": "48291537",
        "reference": "E-K7M2-94QX",
        "until": AT + dt.timedelta(days=3),
    },
    "consult_news": lambda rules: {
        "reference": "DR-2026-01",
        "number": 12,
        "change": "moved",
        "version": 2,
        "first": 4,
    },
    "consult_invited": lambda rules: {
        "organisation": policy.Text("Sample Association of Software Houses", "نمونہ سافٹ ویئر ایسوسی ایشن"),
        "domain": "association.example",
    },
    "consult_ended": lambda rules: {"reference": "DR-2026-01", "change": "adopted"},
    "complaint_confirm": lambda rules: {"reference": COMPLAINT},
    "complaint_received": lambda rules: {"reference": COMPLAINT, "due_at": _days(21), "files_until": _days(3)},
    "complaint_closed": lambda rules: {"reference": COMPLAINT, "complaint": rules.remedies.get("ombudsman")},
    "complaint_to_answer": lambda rules: {**_complaint(), "due_at": _days(14)},
    "complaint_decided": lambda rules: {
        **_complaint(),
        "outcome": policy.Text("Not founded", "شکایت درست نہیں نکلی"),
        "text": "Sample reason of whoever decided.",
        "proposed": False,
    },
    "incident_reported": lambda rules: _disruption(mend_by=AT + dt.timedelta(hours=2), called=True, measured=False),
    "incident_answered": lambda rules: _disruption(
        reason=policy.Text("A filter is too wide", "فلٹر بہت وسیع ہے"),
        text="Sample note of the operator.",
        disputes=False,
        mended=True,
        until=_days(3),
    ),
    "incident_closed": lambda rules: _disruption(
        outcome=policy.Text("Closed: we checked that it works", "معاملہ ختم: کنکشن چلنے کی تصدیق ہو گئی"),
        until=_days(14),
    ),
    "incident_report": lambda rules: _disruption(),
    "incident_asked": lambda rules: {
        "reference": DISRUPTION,
        "due_at": AT + dt.timedelta(minutes=30),
        "mend_by": AT + dt.timedelta(hours=2),
    },
    "incident_disputed": lambda rules: {"reference": DISRUPTION, "due_at": AT, "mend_by": AT + dt.timedelta(hours=2)},
    "incident_late": lambda rules: {"reference": DISRUPTION, "operator": "Sample Fibre", "due_at": AT},
    "application_not_pursued": lambda rules: {"reference": REFERENCE, "readable_until": _days(90)},
    "reminder_to_answer": lambda rules: {"reference": REFERENCE, "due_at": _days(2)},
    "answer_time_moved": lambda rules: {"reference": REFERENCE, "due_at": _days(9), "registration": REGISTRATION},
    "cases_due_soon": lambda rules: {"number": 3, "due_at": _days(1)},
    "hearing_day_closed": lambda rules: {
        "reference": REFERENCE,
        "day": _days(9),
        "registration": REGISTRATION,
        "sets": False,
    },
    "invoice": _invoice,
    "invoice_due_soon": _invoice,
    "invoice_short": lambda rules: {**_invoice(rules), "paid": Decimal("800.00"), "missing": Decimal("400.00")},
    "invoice_paid": lambda rules: {**_invoice(rules), "over": Decimal("50.00")},
    "client_question": lambda _: _by_letter(
        policy.Text("A question: does this person work for you?", "ایک سوال: کیا ان کا کام آپ کے لیے ہے؟")
    ),
    "client_reminder": lambda _: _by_letter(
        policy.Text("Reminder: does this person work for you?", "یاد دہانی: کیا ان کا کام آپ کے لیے ہے؟")
    ),
    "represents_missing": lambda rules: {"reference": REFERENCE, "organisation": "Sample Software House"},
    "represents_code": lambda rules: {
        "name": "Sample Software House",
        "listed": "Sample Software House (Pvt) Ltd",
        "email": "manager@mail.example",
        "code": "7kq2-m4xz",
        "ends_at": _days(1),
    },
    "contact_told": lambda rules: {
        "name": "Sample Software House",
        "listed": "Sample Software House (Pvt) Ltd",
        "email": "manager@softwarehouse.example",
        "owners": [{"name": "Sample Owner", "email": "owner@mail.example"}],
        "goes_on_at": _days(2),
    },
    "contact_acts": lambda rules: {
        "organisation": "Sample Software House",
        "listed": "Sample Software House (Pvt) Ltd",
        "acts": [
            {"what": "registered", "on": _days(-1), "reference": REGISTRATION},
            *({"what": each, "on": _days(-1), "reference": ""} for each in ("owner_added", "you_removed", "renamed")),
        ],
        "owners": [{"name": "Sample Owner", "email": "owner@mail.example"}],
    },
    "representative_asked_more": lambda rules: {"organisation": "Sample Software House"},
    "representative_asked": lambda rules: {
        "organisation": "Sample Software House",
        "name": "Sample Manager 4",
        "email": "manager@mail.example",
        "due_at": _days(3),
    },
    "representative_overruled": lambda rules: {
        "organisation": "Sample Software House",
        "name": "Sample Manager 4",
        "email": "manager@mail.example",
        "denied": True,
    },
    "former_agent": lambda rules: {"organisation": "Sample Software House", "agent": "Sample Consultants"},
    "number_used_again": lambda rules: {"organisation": "Sample Software House"},
    "own_number_used": lambda rules: {"is_card": True},
    "address_proved_by_another": lambda rules: {"registration": REGISTRATION, "address": "203.0.113.24"},
    "post_changed": lambda rules: {
        "email": "officer@authority.example",
        "post": "officer, director",
        "change": "given",
        "by": "administrator@authority.example",
    },
    "program_allowed": lambda rules: {"name": "Sample script", "until": _days(90)},
    "registry_code": lambda rules: {
        "name": "Sample Software House",
        "address": "203.0.113.16/28",
        "code": "7kq2-m4xz",
        "ends_at": _days(7),
    },
    "branch_proof_wanted": lambda rules: {**_BRANCH, "address": "203.0.113.24"},
    "branch_proof_in_vain": lambda rules: {**_BRANCH, "address": "203.0.113.24"},
    "branch_expires_soon": lambda rules: {**_BRANCH, "valid_until": _days(30)},
    "home_line_withdrawn": lambda rules: {"registration": REGISTRATION, "number": 3},
    "mandate_offered": lambda rules: {
        "organisation": "Sample Software House",
        "by": "owner@sample.example",
        "is_registered": False,
        "until": _days(14),
    },
    "organisation_invitation": lambda rules: {
        "organisation": "Sample Software House",
        "by": "owner@sample.example",
        "is_registered": False,
        "until": _days(14),
    },
    "member_removed": lambda rules: {"organisation": "Sample Software House", "by": "owner@sample.example"},
    "operator_asked": lambda rules: {"due_at": _days(1)},
    "operator_terms": lambda rules: {},
    "association_asked": lambda rules: {"association": _association(rules), "due_at": _days(10)},
    "attestation_revoked": _revoked,
    "attestation_another_proof": lambda rules: {**_attested(rules), "due_at": _days(30)},
    "attestation_decided": _attested,
    "attestation_ends_soon": lambda rules: {
        "registration": REGISTRATION,
        "valid_until": _days(200),
        "association": _association(rules),
        "until": _days(30),
    },
    "registration_confirmed": lambda rules: {"registration": REGISTRATION, "valid_until": _days(365)},
    "registration_provisional_ends": _provisional_ends,
    "proof_wanted": lambda rules: {"registration": REGISTRATION, "address": "203.0.113.24", "until": _days(6)},
    "proof_in_vain": lambda rules: {"registration": REGISTRATION, "address": "203.0.113.24"},
    "urgent_given": lambda rules: {"registration": REGISTRATION, "address": "203.0.113.77", "until": _days(30)},
    "urgent_ends_soon": lambda rules: {"registration": REGISTRATION, "address": "203.0.113.77", "until": _days(14)},
    "urgent_ended": lambda rules: {"registration": REGISTRATION, "address": "203.0.113.77", "until": _days(0)},
    "urgent_confirmed": lambda rules: {"registration": REGISTRATION, "address": "203.0.113.77"},
    "dyndns_silent": lambda rules: {
        "registration": REGISTRATION,
        "address": "203.0.113.77",
        "reported_at": _days(-1),
        "until": _days(3),
    },
    "share_asked": lambda rules: {"name": "Sample Software House", "address": "203.0.113.24", "due_at": _days(14)},
    "share_agreed": lambda rules: {"reference": REFERENCE, "address": "203.0.113.24"},
    "share_not_agreed": lambda rules: {"reference": REFERENCE, "address": "203.0.113.24", "silent": True},
    "share_notice": lambda rules: {"address": "203.0.113.24", "until": _days(30)},
    "share_goes_on": lambda rules: {"address": "203.0.113.24"},
    "share_ended": lambda rules: {"address": "203.0.113.24"},
    "webhook_stopped": lambda rules: {"place": "https://program.example/hook", "since": _days(-5)},
    "callback_stopped": lambda rules: {"place": "https://answers.operator.example/hook", "since": _days(-5)},
    "dyndns_ended": lambda rules: {
        "registration": REGISTRATION,
        "address": "203.0.113.77",
        "reported_at": _days(-4),
        "until": _days(0),
    },
    "mobile_line_denied": lambda rules: {"reference": REFERENCE, "operator": "Placeholder Net"},
    "mobile_line_left": lambda rules: {
        "registration": REGISTRATION,
        "operator": "Placeholder Net",
        "until": _days(7),
    },
    "registration_expires_soon": lambda rules: {"registration": REGISTRATION, "valid_until": _days(30)},
    "registration_in_grace": lambda rules: {
        "registration": REGISTRATION,
        "valid_until": AT,
        "stays_until": _days(30),
    },
    "registration_expired": lambda rules: {"registration": REGISTRATION, "valid_until": AT},
    "still_right": lambda rules: {"registration": REGISTRATION, "said_at": _days(-365), **_contact(rules)},
    "still_right_again": lambda rules: {
        "registration": REGISTRATION,
        "said_at": _days(-407),
        "asked_at": _days(-42),
        **_contact(rules),
    },
    "registration_ended": lambda rules: {"registration": REGISTRATION, "until": _days(30)},
    "registration_paused": lambda rules: {"registration": REGISTRATION, "until": _days(7)},
    "registration_notice": lambda rules: {
        **_revocation(rules, "striking_out", told=True),
        "due_at": _days(30),
        "decide_by": _days(44),
        "kind": "striking_out",
    },
    "registration_ordered": lambda rules: {
        **_revocation(rules, "striking_out", told=True),
        "order": "Sample order 12 of 2026, Sample Court",
    },
    "planned_work": lambda rules: (
        _planned_work()
        | {
            "why": policy.Text("Lines move to other equipment", "لائنیں دوسرے آلات پر منتقل ہوں گی"),
            "text": policy.Text("We move lines to a new gateway.", "لائنیں نئے گیٹ وے پر منتقل ہوں گی۔"),
            "text_waits": False,
            "minutes": 10,
            "changed": True,
            "changes": [
                policy.Text(
                    "The time was 23 November 2026, 11:00 to 23 November 2026, 12:00.",
                    "پہلے وقت 23 نومبر 2026، 11:00 سے 23 نومبر 2026، 12:00 تک تھا۔",
                ),
                policy.Text(
                    "203.0.113.41 udp 51820 is affected too.",
                    "ایڈریس \u2066203.0.113.41 udp 51820\u2069 پر بھی اثر ہو گا۔",
                ),
            ],
            "tentative": True,
        }
    ),
    "planned_work_cancelled": lambda rules: _planned_work(),
    "planned_work_over": lambda rules: _planned_work(),
    "planned_work_several": lambda rules: {
        "registration": REGISTRATION,
        "works": [_a_work("PW-K7M2-94QX", 0), _a_work("PW-3H8D-51VW", 1)],
        "more": 3,
    },
    "another_night": lambda rules: {
        "registration": REGISTRATION,
        "work": "PW-K7M2-94QX",
        "who": "Sample Fibre",
        "starts_at": _days(12),
        "reason": policy.Text("Others work on it at that time", "اس وقت دوسرے ادارے بھی اس پر کام کریں گے"),
        "text": "Sample words of the operator.",
    },
    "another_night_asked": lambda rules: {"reference": "PW-K7M2-94QX", "starts_at": _days(12), "due_at": _days(2)},
    "hearing_set": lambda rules: {
        "registration": REGISTRATION,
        "day": _days(12),
        "place": "Sample Road 1, Sample City, room 2",
    },
    "hearing_held": lambda rules: {
        "registration": REGISTRATION,
        "text": "Sample minutes of the officer.",
        "decide_by": _days(26),
    },
    "hearing_off": lambda rules: {"reference": REFERENCE, "application": REFERENCE, "day": _days(12)},
    "registration_suspended": lambda rules: _revocation(rules, "suspension"),
    "registration_struck_out": lambda rules: _revocation(rules, "striking_out"),
    "file_kept": lambda rules: {
        "reference": REFERENCE,
        "until": _days(300),
        "because": "appeal",
        "text": "Sample number of the appeal.",
    },
    "registration_stays": lambda rules: {"registration": REGISTRATION, "text": "Sample note of the officer."},
    "registration_goes_on": lambda rules: {"registration": REGISTRATION},
    "proposal_lapsed": lambda rules: {"reference": REFERENCE},
}


def facts_of_letter(template: str) -> Facts:
    return LETTERS[template](policy.current(settings.POLICY_FILE))
