"""Which letters there are: one row each. Pure.

A letter is a row here, two pages in `templates/letters/`, facts in `samples.py` and a row in `docs/letters.md`; tests
hold that none of them is missing (see the README).
"""

from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from rahdari import optional

Title = str | Promise


@dataclass(frozen=True)
class Kind:
    """One letter. `needs` it must be told, `may` it can be told; `url` (where its link leads) always may,
    and so may `on_behalf` and `agent`: in whose name it was applied for, and by whom."""

    title: Title
    needs: frozenset[str]
    may: frozenset[str] = frozenset()
    # The short note that says by SMS that the letter is there, for whoever chose that. Empty: none goes out.
    note: str = "news"
    # Answers what the person did just now, so that it goes out at night too.
    urgent: bool = False
    # Says once more what another letter or a page says: who wants no such mail has it in the inbox alone. Nothing that
    # decides, asks, gives notice or warns for the last time is one: a notice of a public office is not a mailing list.
    reminder: bool = False

    @property
    def takes(self) -> frozenset[str]:
        return self.needs | self.may


def _kind(title: Title, needs: str, may: str = "", **rest: Any) -> Kind:
    return Kind(title, frozenset(needs.split()), frozenset(may.split()), **rest)


SIGN_IN_CODE = "code"

# What whoever is asked by letter reads (`vouch.parties`).
_BY_LETTER = "about question lead not_asked ends_at stop_url"

LETTERS: dict[str, Kind] = {
    SIGN_IN_CODE: _kind(_("The code to sign in"), "code", "confirms", note="", urgent=True),
    "application_received": _kind(
        _("An application was received"),
        "reference",
        "service decided_within fee to_prove",
        note="",
        urgent=True,
    ),
    "proof_missing": _kind(_("The proof of an address is still missing"), "reference to_prove", reminder=True),
    "application_granted": _kind(
        _("A registration was granted"),
        "reference registration valid_until",
        "service unreached rests goes_on came leaving leaves_at",
    ),
    "application_granted_provisionally": _kind(
        _("A registration was granted provisionally"),
        "reference registration valid_until reason",
        "service code unreached rests goes_on came leaving leaves_at",
    ),
    "application_question": _kind(_("One question"), "reference question due_at", note="answer_by"),
    "application_notice": _kind(
        _("Notice before a refusal"), "reference reason due_at", "code text alone hearing", note="answer_by"
    ),
    "application_refused": _kind(
        _("A registration was refused"),
        "reference reason",
        "code text provisions remedies appeal_until readable_until post email reviewer",
    ),
    "application_late": _kind(_("The decision is late"), "reference", "complaint"),
    "application_not_pursued": _kind(_("Closed without a decision"), "reference", "readable_until"),
    "appeal_received": _kind(_("An appeal arrived"), "reference due_at", "late heard", note="", urgent=True),
    "appeal_decided": _kind(
        _("An appeal was decided"),
        "reference outcome",
        "points text carry_out_by lost forums",
    ),
    "appeal_late": _kind(_("An appeal was not decided in time"), "reference", "stands complaint"),
    "asked_to_review": _kind(_("Somebody from outside is asked to decide"), "reference what", "due_at"),
    "reviewer_named": _kind(_("Somebody from outside decides"), "reference what who", "due_at"),
    "complaint_confirm": _kind(_("A complaint is to be confirmed"), "reference", note="", urgent=True),
    "complaint_received": _kind(_("A complaint arrived"), "reference due_at", "files_until", note="", urgent=True),
    "complaint_closed": _kind(_("We have finished checking a complaint"), "reference", "complaint", note=""),
    "complaint_to_answer": _kind(
        _("A holder is asked about a complaint"), "reference registration about due_at", note="answer_by"
    ),
    "complaint_decided": _kind(
        _("A complaint about a registration was decided"), "reference registration about outcome text", "proposed"
    ),
    "consult_code": _kind(
        _("The code that proves an address for a comment"), "code reference", "claims", note="", urgent=True
    ),
    "desk_entry_code": _kind(
        _("The code to read what an officer entered for somebody"), "code reference until", note="", urgent=True
    ),
    "consult_news": _kind(
        _("The result of a comment on a draft rule"),
        "reference number change",
        "version since before due_at hidden first",
        note="",
    ),
    "consult_invited": _kind(_("A body is asked to comment as such"), "organisation domain", note=""),
    "consult_ended": _kind(_("A draft rule was adopted or withdrawn"), "reference change", note=""),
    "incident_reported": _kind(
        _("A registered connection is cut"),
        "reference registration mend_by",
        "operator measured called muted_until",
        note="disruption",
        urgent=True,
    ),
    "incident_answered": _kind(
        _("An operator answered about a disruption"),
        "reference registration reason",
        "operator text disputes mended until",
        note="disruption",
    ),
    "incident_closed": _kind(
        _("A disruption was closed"), "reference registration outcome until", "operator", note="disruption"
    ),
    "incident_report": _kind(
        _("An operator says what happened"), "reference registration", "operator", note="disruption", urgent=True
    ),
    "incident_asked": _kind(
        _("An operator is asked about a disruption"), "reference due_at mend_by", note="", urgent=True
    ),
    "incident_disputed": _kind(
        _("An operator’s answer about a disruption is disputed"), "reference mend_by", "due_at", note="", urgent=True
    ),
    "incident_late": _kind(
        _("An operator is late with a disruption"), "reference operator due_at", note="", urgent=True
    ),
    "file_kept": _kind(_("A closed file is kept longer"), "reference", "until because text"),
    "reminder_to_answer": _kind(_("An answer is still missing"), "reference due_at", note="answer_by", reminder=True),
    "answer_time_moved": _kind(_("There is more time to answer"), "reference due_at", "registration", note="answer_by"),
    "cases_due_soon": _kind(_("Cases are close to late"), "number due_at", note=""),
    "hearing_day_closed": _kind(
        _("The office is closed on the day of a hearing"), "reference day", "registration application sets", note=""
    ),
    "invoice": _kind(
        _("An invoice"), "reference invoice amount currency pay_reference due_at", "receipt", note="answer_by"
    ),
    "invoice_due_soon": _kind(
        _("An invoice is not paid yet"),
        "reference invoice amount currency pay_reference due_at",
        "receipt",
        note="answer_by",
        reminder=True,
    ),
    "invoice_short": _kind(
        _("Less was paid than an invoice asks for"),
        "reference invoice amount currency paid missing pay_reference due_at",
        "receipt",
        note="answer_by",
    ),
    "invoice_paid": _kind(
        _("An invoice was paid"), "reference invoice receipt amount currency", "pay_reference due_at over"
    ),
    "client_question": _kind(_("A client or employer is asked"), _BY_LETTER, note="", urgent=True),
    "client_reminder": _kind(_("A client or employer is reminded"), _BY_LETTER, note="", urgent=True),
    "represents_missing": _kind(_("It must be shown whose number it is"), "reference organisation"),
    "represents_code": _kind(
        _("A code to the contact of a company or member"), "name email code ends_at", "listed", note="", urgent=True
    ),
    "contact_told": _kind(
        _("The contact of a company or member hears who applies"),
        "name email",
        "goes_on_at listed owners",
        note="",
        urgent=True,
    ),
    "contact_acts": _kind(
        _("The contact of a company hears what was done in its name"), "organisation acts owners", "listed", note=""
    ),
    "representative_asked_more": _kind(_("More people apply with the number of a company"), "organisation", note=""),
    "representative_asked": _kind(
        _("Somebody applies with the number of a registered company"), "organisation email due_at", "name", note=""
    ),
    "representative_overruled": _kind(
        _("An officer registered your company’s number for somebody, against your answer"),
        "organisation email",
        "name denied",
        note="",
    ),
    "number_used_again": _kind(_("Somebody else gave the same number"), "organisation", note=""),
    "own_number_used": _kind(_("Somebody else gave a person’s card number or member number"), "is_card", note=""),
    "address_proved_by_another": _kind(_("Somebody else showed control of an address"), "registration address"),
    "post_changed": _kind(
        _("A post was given, ended, or its sign-in reset"), "email post change by", "agrees", note=""
    ),
    "program_allowed": _kind(_("A program may act for a person"), "name until", note="", urgent=True),
    "registry_code": _kind(
        _("Code for the contact of an address range"), "name address code ends_at", note="", urgent=True
    ),
    "branch_proof_wanted": _kind(
        _("A branch is told that its address must be proved again"), "organisation branch registration address", note=""
    ),
    "branch_proof_in_vain": _kind(
        _("A branch is told that its address could not be proved again"),
        "organisation branch registration address",
        note="",
    ),
    "branch_expires_soon": _kind(
        _("A branch is told that its registration expires soon"),
        "organisation branch registration valid_until",
        note="",
    ),
    "home_line_withdrawn": _kind(_("Somebody removed their home line"), "registration number", note=""),
    "former_agent": _kind(_("Somebody tried to act by a mandate that has ended"), "organisation agent", note=""),
    "mandate_offered": _kind(
        _("A mandate is offered to an agent"), "organisation until", "by is_registered", note="", urgent=True
    ),
    "organisation_invitation": _kind(
        _("An invitation into an organisation"), "organisation until", "by is_registered", note="", urgent=True
    ),
    "member_removed": _kind(_("Somebody was removed from an organisation"), "organisation", "by", note=""),
    "operator_asked": _kind(_("An operator is asked about its subscribers"), "due_at", note=""),
    "operator_terms": _kind(_("An operator has not accepted the terms of the feed"), "", note=""),
    "association_asked": _kind(_("An association is asked to answer"), "association due_at", note=""),
    "attestation_revoked": _kind(
        _("An association has revoked its attestation"), "reference association reason", "text code due_at"
    ),
    "attestation_another_proof": _kind(
        _("Another proof in place of an attestation"), "reference association due_at", "text", note="answer_by"
    ),
    "attestation_decided": _kind(_("Decision on an attestation"), "reference association", "text"),
    "attestation_ends_soon": _kind(
        _("An attestation ends soon"), "registration valid_until association until", reminder=True
    ),
    "registration_confirmed": _kind(_("A registration is no longer provisional"), "registration valid_until"),
    "registration_provisional_ends": _kind(
        _("Something is still to come for a registration"),
        "registration valid_until",
        "reason code rests",
        note="ends_on",
        reminder=True,
    ),
    "urgent_given": _kind(
        _("A new address is listed before its proof"), "registration address until", "by_telephone", urgent=True
    ),
    "urgent_ends_soon": _kind(
        _("An address that is not proved yet ends soon"), "registration address until", reminder=True
    ),
    "urgent_ended": _kind(
        _("An address that was not proved has ended"), "registration address until", "stopped", note=""
    ),
    "urgent_confirmed": _kind(_("An address that was listed before its proof is proved"), "registration address"),
    "dyndns_silent": _kind(_("A changing address is not reported any more"), "registration address reported_at until"),
    "dyndns_ended": _kind(_("A changing address is off the list"), "registration address reported_at", "until"),
    "mobile_line_denied": _kind(_("An operator did not confirm a SIM"), "reference operator"),
    "mobile_line_left": _kind(
        _("An operator says that a SIM is no longer the holder’s"), "registration operator until"
    ),
    "planned_work": _kind(
        _("Planned work at an address"),
        "registration work who starts_at ends_at affected why",
        "more minutes text text_waits changed changes tentative",
    ),
    "planned_work_cancelled": _kind(
        _("Planned work is cancelled"), "registration work who starts_at ends_at affected", "more"
    ),
    "planned_work_over": _kind(
        _("Planned work is over"),
        "registration work who starts_at ends_at affected",
        "more",
        note="",
        reminder=True,
    ),
    "planned_work_several": _kind(_("Several notices of planned work"), "registration works", "more"),
    "another_night": _kind(
        _("The answer to a request for another night"), "registration work who starts_at", "moved silent reason text"
    ),
    "another_night_asked": _kind(_("Holders ask for another night"), "reference starts_at due_at", note="answer_by"),
    "share_asked": _kind(_("Somebody asks to share an address"), "name address due_at", note=""),
    "share_agreed": _kind(_("An address is shared"), "reference address"),
    "share_not_agreed": _kind(_("An address is not shared"), "reference address", "silent"),
    "share_notice": _kind(_("A shared address ends for one of its holders"), "address until", note=""),
    "share_goes_on": _kind(_("A notice about a shared address was withdrawn"), "address", note=""),
    "share_ended": _kind(_("A shared address has ended for one of its holders"), "address", note=""),
    "webhook_stopped": _kind(_("A webhook was stopped"), "place since", note=""),
    "callback_stopped": _kind(_("Calls to an operator's system were stopped"), "place since", note=""),
    "registration_expires_soon": _kind(
        _("A registration expires soon"), "registration valid_until", "rests", note="ends_on", reminder=True
    ),
    "proof_wanted": _kind(_("An address must be proved again"), "registration address until"),
    "proof_in_vain": _kind(_("An address could not be proved again"), "registration address"),
    "registration_in_grace": _kind(
        _("A registration waits to be renewed"), "registration valid_until stays_until", "rests", note="ends_on"
    ),
    "registration_expired": _kind(_("A registration has expired"), "registration valid_until"),
    "still_right": _kind(_("Once a year: is a registration still right?"), "registration said_at", "post email phone"),
    "still_right_again": _kind(
        _("The yearly question is not answered yet"), "registration said_at asked_at", "post email phone", reminder=True
    ),
    "registration_ended": _kind(_("A registration was ended by its holder"), "registration until", "by_others"),
    "registration_paused": _kind(_("A registration was paused by its holder"), "registration until", "by_others"),
    "registration_notice": _kind(
        _("Notice before a registration is revoked"),
        "registration reason due_at",
        "code text provisions remedies decide_by hours alone kind",
        note="answer_by",
    ),
    "registration_ordered": _kind(
        _("A court ordered that a registration is revoked"),
        "registration reason order",
        "code text provisions remedies",
    ),
    "hearing_set": _kind(_("A hearing is set"), "day place", "reference registration application moved text"),
    "hearing_held": _kind(_("A hearing is over"), "text", "reference registration application decide_by nobody_came"),
    "hearing_off": _kind(_("A hearing does not take place"), "reference day", "registration application"),
    "registration_suspended": _kind(
        _("A registration was suspended"),
        "registration reason ends_at",
        "code text provisions remedies post email appeal_until order before_hearing reviewer",
        urgent=True,
    ),
    "registration_struck_out": _kind(
        _("A registration was struck out"),
        "registration reason",
        "code text provisions remedies post email appeal_until order reviewer",
    ),
    "registration_stays": _kind(_("A registration stays as it is"), "registration", "text undecided again"),
    "registration_goes_on": _kind(_("A registration continues"), "registration", "lost suspension_over came text"),
    "proposal_lapsed": _kind(_("A proposal was not decided in time"), "reference", note=""),
}

# Those that only an optional room writes, by how their names begin.
OF_ROOMS = {
    "home_line_": "remote",
    "invoice": "fees",
    "mobile_line_": "mobile",
    "share_": "share",
    "dyndns_": "dyndns",
    "urgent_": "urgent",
    "association_": "attest",
    "attestation_": "attest",
}
for prefix in (prefix for prefix, room in OF_ROOMS.items() if room in optional.left_out()):
    LETTERS = {name: kind for name, kind in LETTERS.items() if not name.startswith(prefix)}
