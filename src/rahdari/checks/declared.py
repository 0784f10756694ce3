"""The kinds of check, each declared once: what it is about, who answers it, what it may find, what others see by it.

Where a kind differs from its neighbours, a field says so; every table of kinds derives from here. In the order in which
one of several that are awaited outside is named.
"""

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from rahdari.policy.checks import About

from .check_kind import By, CheckKind, Counted, Others, Party, Sentence

NOTHING = ""
ASKED_TO_SHARE, TOLD = "asked_to_share", "told_at"
BY_HAND: Mapping[str, Sentence] = {"by_hand": _("An officer checked this by hand.")}
_YOUR_OPERATOR = Others(heading=_("Waiting for your operator to answer"), short=_("Waiting for your operator"))

# Of a card number: officers look at it after a grant by rule.
NUMBER_USED_ELSEWHERE = "number_used_elsewhere"
# Of an attestation under a number that the applicant only typed: for officers alone.
ATTESTED_NOT_SHOWN = "attested_not_shown"

# Whoever is registered under a company's number is asked besides, and nothing tells the applicant: what is said while
# it waits is the same of a number that nobody is registered under.

REPRESENTS = CheckKind(
    key="represents",
    about=About.APPLICANT,
    # The association that the applicant named.
    answered_by=Party.ASSOCIATION,
    is_asked=True,
    asked_if=TOLD,
    holds_clock=True,
    seen=_(
        "The contact that the list of companies has for the number can see that you apply, the name that you apply "
        "for and your email address. Anyone registered under the number can see that too, and your own name."
    ),
    waiting=_("There is no proof yet that the applicant may apply for the company."),
    waiting_if={
        "unproved": _("Whose the company number is, is checked when the proof of the address is there."),
        "named": _(
            "An association says that this account acts for its member. The contact on the list was told who applies, "
            "and can say no. Without an answer we continue."
        ),
        TOLD: _(
            "The email address of this account is at the company’s domain. The contact on the list was told "
            "who applies, and can say no. Without an answer we continue."
        ),
        "card": _("The card number is compared when the proof of the address is there."),
    },
    others=Others(heading=_("Waiting for the company’s answer"), short=_("Waiting for the company’s answer")),
    findings={
        "represents_already": _("It was shown before that this account may apply with this number."),
        "mail_of_contact": _(
            "This account signs in with the very address that the list of %(roster)s has for this number."
        ),
        "mail_at_domain": _(
            "The email address of this account is at the domain that the list of %(roster)s has for this number."
        ),
        "code_from_contact": By(
            "channel",
            {"mobile": _("The code sent to the mobile number on the list of %(roster)s was entered.")},
            _("The code sent to the email address on the list of %(roster)s was entered."),
        ),
        "contact_agrees": _("The contact on the list of %(roster)s said that this account may apply for the company."),
        "contact_agrees_for_one": _(
            "The contact on the list of %(roster)s said that this account may apply for the company. Somebody whose "
            "tie to the company is not shown owns the organisation. An officer looks at it."
        ),
        "contact_denies": _(
            "The contact on the list of %(roster)s said that the application is not from them. An officer looks at it."
        ),
        "not_shown": _(
            "There is no proof yet that this account may apply for the company. An officer will review it. "
            "This alone is no reason for a refusal."
        ),
        "representative_agrees": _("The organisation registered under this number agreed to this application."),
        "tie_to_weigh": _(
            "This account has a tie to the company. An officer looks at it. This alone is no reason for a refusal."
        ),
        "number_used_once": _("Nobody else has applied with this card number."),
        NUMBER_USED_ELSEWHERE: _(
            "Somebody else has given this card number too. Nothing is decided by it, and nobody is blamed for it."
        ),
        "another_name": _(
            "The list of %(roster)s has this number under another name, or without a name. An officer looks at it. "
            "This alone is no reason for a refusal."
        ),
        "association_names": _("%(association)s confirmed that this account acts for its member."),
    },
)

ATTESTATION = CheckKind(
    key="attestation",
    room="attest",
    about=About.APPLICANT,
    answered_by=Party.ASSOCIATION,
    is_asked=True,
    holds_clock=True,
    takes_proof=True,
    seen=_(
        "An association that you choose as your proof sees your name, your member number and your email, and "
        "that you apply."
    ),
    waiting=_("We asked the association, and wait for its answer."),
    others=Others(
        heading=_("Waiting for your association to answer"),
        short=_("Waiting for your association"),
    ),
    findings={
        "attested": _(
            "%(association)s attests: %(claim)s (%(number)s, until %(until)s). Under the rules this is "
            "enough on its own."
        ),
        "attested_for_now": _(
            "%(association)s attests: %(claim)s (%(number)s, until %(until)s). Under the rules this is "
            "enough for a provisional registration. One more proof is still missing."
        ),
        "attested_supporting": _(
            "%(association)s attests: %(claim)s (%(number)s, until %(until)s). Under the rules this "
            "supports the application, and an officer reads it."
        ),
        "attested_another_name": _(
            "%(association)s has attested this number or address, but under another name (%(number)s)."
        ),
        ATTESTED_NOT_SHOWN: _(
            "%(association)s has attested the number that was given (%(number)s, until %(until)s). There is no proof "
            "that the applicant is this member, so it does not count."
        ),
        "attestation_not_yet": _(
            "The attestation by %(association)s (%(number)s) is valid from %(begins)s on, so it cannot be used yet."
        ),
        "attestation_no_weight": _(
            "%(association)s attests: %(claim)s (%(number)s, until %(until)s). Under the rules this does not count for "
            "this application."
        ),
        "attestation_over": _(
            "The attestation by %(association)s (%(number)s) was valid until %(until)s, so it cannot be used."
        ),
        "attestation_revoked": _("%(association)s has revoked its attestation (%(number)s), so it cannot be used."),
        "association_withdrew": _("%(association)s withdrew its no, and is checking again."),
        "association_denied": _("%(association)s answered that it has no such member under this number."),
        "association_silent": _("%(association)s did not answer in time."),
    },
)


def _of_a_letter(party: str, *, denied: Sentence) -> Mapping[str, Sentence]:
    """What becomes of a question by letter (`vouch`). Their domain is named, never a person."""
    return {
        f"{party}_confirmed": _("Somebody at %(domain)s confirmed it."),
        f"{party}_denied": denied,
        f"{party}_not_known": _("Somebody at %(domain)s said that they are not the one to ask."),
        f"{party}_silent": _("Nobody at %(domain)s answered in time."),
        f"{party}_stopped": _(
            "The person at %(domain)s does not want mail from us. The applicant can name somebody else, "
            "or send another proof."
        ),
        f"{party}_recalled": _("The question to %(domain)s was withdrawn, and somebody else was named."),
        f"{party}_free_mail": _(
            "Anybody can have an address at %(domain)s, so it proves nothing. Another proof is needed."
        ),
        f"{party}_too_many": _(
            "This account has recently asked as often as the rules allow, in all or at %(domain)s. The applicant "
            "can send another proof, or ask again later."
        ),
    }


EMPLOYER = CheckKind(
    key="employer",
    about=About.APPLICANT,
    answered_by=Party.CLIENT,
    is_asked=True,
    holds_clock=True,
    takes_proof=True,
    seen=_("A client or employer sees your name, and that you ask to register your connection."),
    waiting=_("We ask the client or employer by email, and wait for the answer."),
    others=Others(heading=_("Waiting for your client to confirm"), short=_("Waiting for your client")),
    findings=_of_a_letter(
        "client", denied=_("Somebody at %(domain)s answered no: nobody of this name works for them.")
    ),
)

OPERATOR = CheckKind(
    key="operator",
    about=About.ADDRESS,
    answered_by=Party.OPERATOR,
    is_asked=True,
    holds_clock=True,
    seen=_(
        "An operator that we ask to confirm an address sees the subscriber number there, and the first and last "
        "letters of the name. It learns that you ask to register a VPN."
    ),
    waiting=_("We asked the operator whether %(block)s goes with the subscriber number, and wait for it."),
    others=_YOUR_OPERATOR,
    findings={
        "operator_confirms": _("%(operator)s confirmed on %(date)s that %(block)s goes with the subscriber number."),
        "operator_denies": _("%(operator)s answered no on %(date)s for %(block)s: %(why)s."),
        "operator_cannot_tell": _(
            "%(operator)s cannot tell whether %(block)s goes with the subscriber number. This alone is "
            "no reason for a refusal."
        ),
        "operator_silent": _(
            "%(operator)s was asked whether %(block)s goes with the subscriber number, and is late. We "
            "still accept its answer."
        ),
        "no_operator_to_ask": _("We do not know which operator to ask about %(block)s. An officer looks at it."),
    },
)

MOBILE_LINE = CheckKind(
    key="mobile_line",
    room="mobile",
    about=About.NUMBER,
    answered_by=Party.OPERATOR,
    is_asked=True,
    holds_clock=True,
    seen=_(
        "An operator that we ask about a mobile number sees the number, and the first and last letters of the "
        "name. It learns that you ask to register a VPN."
    ),
    waiting=_("We asked the operator whether the SIM is in the name given, and wait for its answer."),
    others=_YOUR_OPERATOR,
    findings={
        "mobile_line_confirmed": _("%(operator)s confirmed on %(date)s that the SIM is in the name given."),
        "mobile_line_denied": _("%(operator)s answered on %(date)s that the SIM is not in the name given: %(why)s."),
        "mobile_line_not_told": _(
            "%(operator)s cannot tell whether the SIM is in the name given. This alone is no reason for a refusal."
        ),
        "mobile_line_registered": _(
            "%(operator)s confirmed the SIM, which is part of another registration. An officer looks at it."
        ),
        "no_mobile_line": _("No mobile number was confirmed by its code. An officer looks at it."),
    },
)

NOT_REGISTERED = CheckKind(
    key="not_registered",
    about=About.ADDRESS,
    answered_by=Party.REGISTER,
    asked_if=ASKED_TO_SHARE,
    from_facts=True,
    seen=_(
        "The holder of the same address sees that somebody asks to share it, and the name that you choose for "
        "that. Nothing else about you."
    ),
    waiting_if={
        ASKED_TO_SHARE: _("We asked the registered holder of %(block)s whether it is shared, and wait for the answer."),
    },
    others=Others(
        heading=_("Waiting for the other holder of the address to agree"),
        short=_("Waiting for the other holder"),
        title=_("May the address be shared with you?"),
    ),
    findings={
        "free": _("Nobody else has %(block)s in the register."),
        "registered_by_same": _("%(block)s is in the register already, for the same holder."),
        "registered_by_another": _("%(block)s, or a part of it, is already registered for someone else."),
        "shared": _("%(block)s is shared: everybody who has it agreed on %(date)s."),
        "share_declined": _("The registered holder of %(block)s did not agree that it is shared."),
        "share_silent": _("The registered holder of %(block)s did not answer in time whether it is shared."),
    },
)

ROSTER = CheckKind(
    key="roster",
    about=About.APPLICANT,
    answered_by=Party.REGISTER,
    from_facts=True,
    # Compared with what is here: nobody is asked.
    seen=NOTHING,
    waiting_if={
        "by_contact": _("A code to the contact on the list of %(roster)s shows whose the number is."),
    },
    findings={
        "listed": By(
            "name",
            {
                "same": _("The number is on the list of %(roster)s of %(date)s, and the name is the same."),
                "same_but_form": _(
                    "The number is on the list of %(roster)s of %(date)s. The name is the same except for the "
                    "kind of company."
                ),
                "alike": _(
                    "The number is on the list of %(roster)s of %(date)s. The name is the same except for its spelling."
                ),
            },
            # Of checks that passed before a name was needed.
            _("The number is on the list of %(roster)s of %(date)s. There was no name to compare."),
        ),
        "listed_and_shown": _(
            "The number is on the list of %(roster)s of %(date)s, and the contact there is this account’s."
        ),
        "listed_not_shown": _(
            "The number is on the list of %(roster)s of %(date)s. There is no proof whose it is, since others "
            "know it too. This alone is no reason for a refusal."
        ),
        "listed_denied": _(
            "The number is on the list of %(roster)s of %(date)s. The contact there said that the application is not "
            "from them. An officer looks at it."
        ),
        "not_listed": _("The number is not on the list of %(roster)s of %(date)s."),
        "listed_not_active": _("The number is on the list of %(roster)s of %(date)s, but not as active."),
        "listed_expired": _("The number is on the list of %(roster)s of %(date)s, but only until %(until)s."),
        "listed_under_another_name": _("The number is on the list of %(roster)s of %(date)s under another name."),
        "listed_without_a_name": _(
            "The number is on the list of %(roster)s of %(date)s, but there is no name to compare. "
            "An officer looks at it."
        ),
        "no_roster": _("We have no list of %(roster)s at the moment, so an officer checks the number by hand."),
        "no_number": _("No number was given to look up on the list of %(roster)s."),
    },
)

CONTROL = CheckKind(
    key="control",
    about=About.ADDRESS,
    answered_by=Party.APPLICANT,
    from_facts=True,
    holds_clock=True,
    stands_apart=True,
    seen=_("If you ask us to write to the contact of a range of addresses, that contact sees your name."),
    waiting=_("We are waiting for the proof of control of %(block)s."),
    findings={
        "proved": By(
            "method",
            {
                "link": _("Control of %(block)s was proved on %(date)s at %(time)s: the link was opened there."),
                "http": _("Control of %(block)s was proved on %(date)s at %(time)s: the token was found there."),
                "report": _("Control of %(block)s was proved on %(date)s at %(time)s: its router reported it."),
                "wireguard": _(
                    "Control of %(block)s was proved on %(date)s at %(time)s: the WireGuard server there answered us."
                ),
                "tls-alpn": _(
                    "Control of %(block)s was proved on %(date)s at %(time)s: the certificate made for it was there."
                ),
                "dns": _("Control of %(block)s was proved on %(date)s at %(time)s: the record of the name was found."),
                "operator": _("Control of %(block)s was confirmed on %(date)s at %(time)s by its operator."),
                "record": _(
                    "Control of %(block)s was proved on %(date)s at %(time)s: the line was in the registry’s record."
                ),
                "contact": _(
                    "Control of %(block)s was proved on %(date)s at %(time)s: the range’s contact passed on our code."
                ),
            },
            _("Control of %(block)s was proved on %(date)s at %(time)s: the server there showed its certificate."),
        ),
        "not_proved": Counted(
            "attempts",
            ngettext_lazy(
                "Control of %(block)s was not proved in time. %(count)s try is on record.",
                "Control of %(block)s was not proved in time. %(count)s tries are on record.",
                "count",
            ),
            _("Control of %(block)s was not proved in time. Nothing was tried."),
        ),
    },
)

ORIGIN = CheckKind(
    key="origin",
    about=About.ADDRESS,
    answered_by=Party.REGISTER,
    from_facts=True,
    # Compared with what is here: nobody is asked.
    seen=NOTHING,
    findings={
        "origin_known": _("%(block)s belongs to the network of %(operator)s, %(asn)s."),
        "no_origin": _(
            "Our list of networks in the country does not have %(block)s. An officer looks at it. This "
            "alone is no reason for a refusal."
        ),
        "no_origin_but_in_country": _(
            "%(block)s belongs to the country, but we do not know the operator. An officer looks at it. "
            "This alone is no reason for a refusal."
        ),
    },
)

DOCUMENTS = CheckKind(
    key="documents",
    about=About.APPLICANT,
    answered_by=Party.APPLICANT,
    takes_proof=True,
    # Read by officers, of whom the page speaks by itself.
    seen=NOTHING,
    waiting_if={
        "awaits_stronger": _(
            "What was sent is enough for a provisional registration. One more proof or certificate is still missing."
        ),
    },
    findings={
        "all_there": Counted(
            "needed",
            ngettext_lazy(
                "The %(count)s required document is there.", "The %(count)s required documents are there.", "count"
            ),
            _("No document is required."),
        ),
        "missing": Counted(
            "needed",
            ngettext_lazy(
                "%(given)s of %(count)s required document is there.",
                "%(given)s of %(count)s required documents are there.",
                "count",
            ),
        ),
        "to_be_read": _("The documents are there. An officer reads them."),
        "seen_before": _(
            "The documents were checked with %(applications)s and are still accepted. The documents "
            "themselves are not kept."
        ),
        "noted_only": _(
            "The documents were sent with %(applications)s, where this check did not pass, and are not kept. "
            "An officer looks at it."
        ),
    },
)

FEE = CheckKind(
    key="fee",
    room="fees",
    about=About.APPLICANT,
    answered_by=Party.APPLICANT,
    is_asked=True,
    holds_clock=True,
    stands_apart=True,
    seen=_("The staff who keep the accounts see invoices and payments."),
    waiting=_("The fee comes last. We ask for it when everything else has passed."),
    findings={
        "fee_free": _("This service is free."),
        "fee_too_few": _("No fee for so few addresses."),
        "fee_nothing_new": _("No fee: no address is new."),
        "fee_no_amount": _("There would be a fee, but no amount is published. You pay nothing."),
        "fee_not_asked_yet": _("We ask for the fee as soon as everything else has passed."),
        "fee_asked": _("The invoice %(invoice)s for %(amount)s was sent. It is not paid yet."),
        "fee_paid": _("The invoice %(invoice)s for %(amount)s was paid on %(date)s."),
        "fee_not_paid": _("The invoice %(invoice)s for %(amount)s was not paid in time."),
    },
)

ALL = (
    *(REPRESENTS, ATTESTATION, EMPLOYER, OPERATOR, MOBILE_LINE, NOT_REGISTERED),
    *(ROSTER, CONTROL, ORIGIN, DOCUMENTS, FEE),
)
