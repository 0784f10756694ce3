"""What was found, in a sentence of the reader's language. Evidence is data; this is the only place that words it.

Every address, code and figure that a right-to-left text would turn round is isolated by the value, not the sentence.
"""

import datetime as dt
from collections.abc import Callable
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from rahdari.web.values import clock_time, code, day, ltr, name

from . import paper_words, proof_words, roster_words
from .models import Attempt, Challenge, Check, Method
from .roster_words import roster_title as roster_title
from .saying import Said, clock, fill

# -- checks ------------------------------------------------------------------------------------------------------


def of_check(check: Check) -> SafeString:
    """What a check found, in one or two sentences."""
    if check.facts.get("erased"):
        return fill(_("What was found can no longer be read here: the period of the file has ended."))
    return _CHECKS.get(check.finding, _not_answered)(check, check.evidence)


def title_of(check: Check, language: str) -> str:
    return check.title.get(language) or check.title.get("en") or check.kind


_AWAITED: dict[str, Callable[[], str]] = {
    "control": lambda: _("We are waiting for the proof of control of %(block)s."),
    "not_registered": lambda: _(
        "We asked the registered holder of %(block)s whether it is shared, and wait for the answer."
    ),
    "operator": lambda: _("We asked the operator whether %(block)s goes with the subscriber number, and wait for it."),
    "fee": lambda: _("The fee comes last. We ask for it when everything else has passed."),
    "mobile_line": lambda: _("We asked the operator whether the SIM is in the name given, and wait for its answer."),
    "attestation": lambda: _("We asked the association, and wait for its answer."),
    "employer": lambda: _("We have emailed the client or employer, and wait for the answer."),
    "represents": lambda: _("Nothing shows yet that the applicant may apply for the company."),
}


def _not_answered(check: Check, evidence: dict[str, Any]) -> SafeString:
    if check.facts.get("asked"):
        return fill(_("Somebody is registered under this number already. They were asked whether it is from them."))
    if check.kind == "roster" and check.facts.get("by_contact"):
        return fill(
            _("The number is on the list of %(roster)s. Nothing shows yet that the contact on the list is theirs."),
            roster=roster_title(check.facts.get("roster", "")),
        )
    if check.kind in _AWAITED:
        return fill(_AWAITED[check.kind](), block=_block(check))
    if check.facts.get("awaits_stronger"):
        return fill(
            _("What was sent is enough for a provisional registration. One more proof or certificate is still missing.")
        )
    return fill(_("This check has not been answered yet."))


def _fee(sentence: Callable[[], str]) -> Callable[[Check, dict[str, Any]], SafeString]:
    def said(check: Check, evidence: dict[str, Any]) -> SafeString:
        paid_at = evidence.get("paid_at")
        return fill(
            sentence(),
            invoice=ltr(evidence.get("invoice", "")),
            amount=ltr(f"{evidence.get('currency', '')} {evidence.get('amount', '')}"),
            date=day(dt.datetime.fromisoformat(paid_at)) if paid_at else "",
        )

    return said


def _block(check: Check) -> SafeString:
    return code(check.facts.get("block", "").removesuffix("/32").removesuffix("/128"))


def _proved(check: Check, evidence: dict[str, Any]) -> SafeString:
    at = dt.datetime.fromisoformat(evidence["proved_at"])
    values = {"block": _block(check), "date": day(at), "time": ltr(clock_time(at))}
    return fill(proof_words.proved_how(evidence["method"]), **values)


def _not_proved(check: Check, evidence: dict[str, Any]) -> SafeString:
    count = evidence.get("attempts", 0)
    if count == 0:
        return fill(_("Control of %(block)s was not proved in time. Nothing was tried."), block=_block(check))
    sentence = ngettext(
        "Control of %(block)s was not proved in time. %(count)s try is on record.",
        "Control of %(block)s was not proved in time. %(count)s tries are on record.",
        count,
    )
    return fill(sentence, block=_block(check), count=count)


def _by_operator(sentence_for: Callable[[dict[str, Any]], str]) -> Callable[[Check, dict[str, Any]], SafeString]:
    """`why` is the operator's reason, in both languages."""

    def say(check: Check, evidence: dict[str, Any]) -> SafeString:
        why = evidence.get("why", {})
        values: dict[str, object] = {"operator": name(evidence.get("operator", "")), "block": _block(check)}
        if evidence.get("at"):
            values["date"] = day(dt.datetime.fromisoformat(evidence["at"]))
        if why:
            values["why"] = why.get(get_language() or "en") or why.get("en", "")
        return fill(sentence_for(evidence), **values)

    return say


def _of_block(sentence: Callable[[], str]) -> Callable[[Check, dict[str, Any]], SafeString]:
    def say(check: Check, evidence: dict[str, Any]) -> SafeString:
        since = evidence.get("since")
        return fill(sentence(), block=_block(check), date=day(dt.datetime.fromisoformat(since)) if since else "")

    return say


def _origin_known(check: Check, evidence: dict[str, Any]) -> SafeString:
    known = fill(
        _("%(block)s belongs to the network of %(operator)s, %(asn)s."),
        block=_block(check),
        operator=name(evidence["operator"]),
        asn=ltr(f"AS{evidence['asn']}"),
    )
    if "rpki" not in evidence:
        return known
    sentence, values = proof_words.of_rpki(evidence["rpki"])
    return format_html("{} {}", known, fill(sentence, **values))


def _no_origin(check: Check, evidence: dict[str, Any]) -> SafeString:
    return fill(
        _(
            "Our list of networks in the country does not have %(block)s. An officer looks at it. This alone is "
            "no reason for a refusal."
        ),
        block=_block(check),
    )


def _no_origin_but_in_country(check: Check, evidence: dict[str, Any]) -> SafeString:
    return fill(
        _(
            "%(block)s belongs to the country, but we do not know the operator. An officer looks at it. This "
            "alone is no reason for a refusal."
        ),
        block=_block(check),
    )


def _client(sentence: Callable[[dict[str, Any]], str]) -> Callable[[Check, dict[str, Any]], SafeString]:
    """What a client or employer answered. Their domain is named, never a person."""
    return lambda check, evidence: fill(sentence(evidence), domain=ltr(evidence.get("domain", "")))


def _attestation(
    sentence: Callable[[dict[str, Any]], str],
) -> Callable[[Check, dict[str, Any]], SafeString]:
    """What an association said, until when, and what it counts for. `association` and `claim` are in both "
    "languages."""

    def say(check: Check, evidence: dict[str, Any]) -> SafeString:
        language = get_language() or "en"
        values: dict[str, object] = {}
        for key in ("association", "claim"):
            told = evidence.get(key) or {}
            values[key] = told.get(language) or told.get("en", "")
        values["number"] = ltr(evidence.get("attestation", ""))
        if evidence.get("valid_until"):
            values["until"] = day(dt.date.fromisoformat(evidence["valid_until"]))
        return fill(sentence(evidence), **values)

    return say


def _by_hand(check: Check, evidence: dict[str, Any]) -> SafeString:
    return fill(_("An officer checked this by hand."))


_CHECKS: dict[str, Callable[[Check, dict[str, Any]], SafeString]] = {
    "proved": _proved,
    "not_proved": _not_proved,
    "operator_confirms": _by_operator(
        lambda _e: _("%(operator)s confirmed on %(date)s that %(block)s goes with the subscriber number.")
    ),
    "operator_denies": _by_operator(lambda _e: _("%(operator)s answered no on %(date)s for %(block)s: %(why)s.")),
    "operator_cannot_tell": _by_operator(
        lambda _e: _(
            "%(operator)s cannot tell whether %(block)s goes with the subscriber number. This alone is no "
            "reason for a refusal."
        )
    ),
    "operator_silent": _by_operator(
        lambda _e: _(
            "%(operator)s was asked whether %(block)s goes with the subscriber number, and is late. We still "
            "accept its answer."
        )
    ),
    "no_operator_to_ask": _by_operator(
        lambda _e: _("We do not know which operator to ask about %(block)s. An officer looks at it.")
    ),
    "mobile_line_confirmed": _by_operator(
        lambda _e: _("%(operator)s confirmed on %(date)s that the SIM is in the name given.")
    ),
    "mobile_line_denied": _by_operator(
        lambda _e: _("%(operator)s answered on %(date)s that the SIM is not in the name given: %(why)s.")
    ),
    "mobile_line_not_told": _by_operator(
        lambda _e: _(
            "%(operator)s cannot tell whether the SIM is in the name given. This alone is no reason for a refusal."
        )
    ),
    "mobile_line_registered": _by_operator(
        lambda _e: _("%(operator)s confirmed the SIM, which is part of another registration. An officer looks at it.")
    ),
    "no_mobile_line": lambda _c, _e: fill(_("No mobile number was confirmed by its code. An officer looks at it.")),
    "free": _of_block(lambda: _("Nobody else has %(block)s in the register.")),
    "registered_by_same": _of_block(lambda: _("%(block)s is in the register already, for the same holder.")),
    "registered_by_another": _of_block(
        lambda: _("%(block)s, or a part of it, is already registered for someone else.")
    ),
    "shared": _of_block(lambda: _("%(block)s is shared: everybody who has it agreed on %(date)s.")),
    "share_declined": _of_block(lambda: _("The registered holder of %(block)s did not agree that it is shared.")),
    "share_silent": _of_block(
        lambda: _("The registered holder of %(block)s did not answer in time whether it is shared.")
    ),
    "origin_known": _origin_known,
    "no_origin": _no_origin,
    "no_origin_but_in_country": _no_origin_but_in_country,
    "all_there": paper_words.all_there,
    "to_be_read": paper_words.to_be_read,
    "seen_before": paper_words.seen_before,
    "noted_only": paper_words.noted_only,
    "client_confirmed": _client(lambda _e: _("Somebody at %(domain)s confirmed it.")),
    "client_denied": _client(lambda _e: _("Somebody at %(domain)s answered no: nobody of this name works for them.")),
    "client_not_known": _client(lambda _e: _("Somebody at %(domain)s said that they are not the one to ask.")),
    "client_silent": _client(lambda _e: _("Nobody at %(domain)s answered in time.")),
    "client_stopped": _client(
        lambda _e: _(
            "The person at %(domain)s does not want mail from us. The applicant can name somebody else, or send "
            "another proof."
        )
    ),
    "client_recalled": _client(lambda _e: _("The question to %(domain)s was withdrawn, and somebody else was named.")),
    "client_free_mail": _client(
        lambda _e: _("Anybody can have an address at %(domain)s, so it proves nothing. Another proof is needed.")
    ),
    "client_too_many": _client(
        lambda _e: _(
            "We have recently sent many emails to %(domain)s or for this account. The applicant can send "
            "another proof, or ask again later."
        )
    ),
    "attested": _attestation(
        lambda _e: _(
            "%(association)s attests: %(claim)s (%(number)s, until %(until)s). Under the rules this is enough "
            "on its own."
        )
    ),
    "attested_for_now": _attestation(
        lambda _e: _(
            "%(association)s attests: %(claim)s (%(number)s, until %(until)s). Under the rules this is enough "
            "for a provisional registration. One more proof is still missing."
        )
    ),
    "attested_supporting": _attestation(
        lambda _e: _(
            "%(association)s attests: %(claim)s (%(number)s, until %(until)s). Under the rules this supports "
            "the application, and an officer reads it."
        )
    ),
    "attested_another_name": _attestation(
        lambda _e: _("%(association)s has attested this number or address, but under another name (%(number)s).")
    ),
    "attestation_over": _attestation(
        lambda _e: _("The attestation by %(association)s (%(number)s) was valid until %(until)s, so it cannot be used.")
    ),
    "attestation_revoked": _attestation(
        lambda _e: _("%(association)s has revoked its attestation (%(number)s), so it cannot be used.")
    ),
    "association_took_back": _attestation(lambda _e: _("%(association)s withdrew its no, and is checking again.")),
    "association_denied": _attestation(
        lambda _e: _("%(association)s answered that it has no such member under this number.")
    ),
    "association_silent": _attestation(lambda _e: _("%(association)s did not answer in time.")),
    "missing": paper_words.missing,
    "by_hand": _by_hand,
    "fee_free": _fee(lambda: _("This service is free.")),
    "fee_too_few": _fee(lambda: _("No fee for so few addresses.")),
    "fee_nothing_new": _fee(lambda: _("No fee: no address is new.")),
    "fee_no_amount": _fee(lambda: _("There would be a fee, but no amount is published. You pay nothing.")),
    "fee_not_asked_yet": _fee(lambda: _("We ask for the fee as soon as everything else has passed.")),
    "fee_asked": _fee(lambda: _("The invoice %(invoice)s for %(amount)s was sent. It is not paid yet.")),
    "fee_paid": _fee(lambda: _("The invoice %(invoice)s for %(amount)s was paid on %(date)s.")),
    "fee_not_paid": _fee(lambda: _("The invoice %(invoice)s for %(amount)s was not paid in time.")),
    "association_names": _attestation(lambda _e: _("%(association)s confirmed that this account acts for its member.")),
    **roster_words.FINDINGS,
}


# -- attempts ----------------------------------------------------------------------------------------------------


def of_attempt(attempt: Attempt) -> Said:
    """What one try saw, and what to do about it."""
    evidence = attempt.evidence
    values: dict[str, object] = {"time": clock(attempt.at)}
    if "seen" in evidence:
        values |= {"seen": code(evidence["seen"])}
        if attempt.finding == "reported":
            reported = fill(_("At %(time)s the router reported the address from %(seen)s."), **values)
            return Said("ok", _("Proved"), _("Proved"), reported)
        if attempt.finding == "proved":
            opened = fill(_("At %(time)s the link was opened from %(seen)s."), **values)
            return Said("ok", _("Proved"), _("Proved"), opened)
        return Said(
            "bad",
            _("Opened from another network"),
            _("The link was opened from another network"),
            fill(_("At %(time)s it was opened from %(seen)s. Open it on the network of the address."), **values),
        )
    values |= {
        "address": code(evidence.get("asked", "")),
        "port": ltr(evidence.get("port", "")),
        "status": ltr(evidence.get("status") or ""),
        "location": code(evidence.get("location") or ""),
    }
    short, heading, text = _looked(attempt.finding, evidence)
    tone = "ok" if attempt.finding == "token_found" else "bad"
    return Said(tone, short, heading, fill(text, **values))


def _looked(finding: str, evidence: dict[str, Any]) -> tuple[str, str, str]:
    match finding:
        case "token_found":
            return _("Proved"), _("Proved"), _("At %(time)s we found the token at %(address)s.")
        case "token_wrong":
            return (
                _("The file has another text"),
                _("We found the file, but not this text"),
                _("At %(time)s %(address)s gave another text. Put the text in the file, on a line of its own."),
            )
        case "not_found" if evidence.get("status") == 404:
            return (
                _("File not found yet"),
                _("We reached the server, but not the file"),
                _("At %(time)s %(address)s answered %(status)s. Check the folder name: it starts with a dot."),
            )
        case "not_found":
            return (
                _("The server did not give the file"),
                _("We reached the server, but it did not give us the file"),
                _(
                    "At %(time)s %(address)s answered %(status)s. "
                    "The file must be open to everyone, without a password."
                ),
            )
        case "redirected":
            return (
                _("The server sent us elsewhere"),
                _("The server sent us elsewhere"),
                _(
                    "At %(time)s %(address)s redirected us to %(location)s. We do not follow redirects. Put the "
                    "file at port %(port)s of this address itself."
                ),
            )
        case "too_long":
            return (
                _("The file is too long"),
                _("The file is too long"),
                _("At %(time)s %(address)s sent more than we read. The file needs this one line and no more."),
            )
        case "malformed":
            return (
                _("The answer cannot be read"),
                _("We could not read the answer"),
                _(
                    "At %(time)s something answered at %(address)s, port %(port)s, but not as a plain web "
                    "server does. "
                    "Serve the file over HTTP without encryption or compression."
                ),
            )
        case "refused":
            return (
                _("Nothing answers there"),
                _("Nothing answers at this port"),
                _(
                    "At %(time)s %(address)s refused the connection at port %(port)s. "
                    "Start the web server, or open the port."
                ),
            )
        case "timed_out":
            return (
                _("No answer in time"),
                _("The server did not answer in time"),
                _("At %(time)s we waited 10 seconds for %(address)s, port %(port)s. Perhaps a firewall blocks us."),
            )
        case "reset":
            return (
                _("The connection was interrupted"),
                _("The connection was interrupted"),
                _(
                    "At %(time)s %(address)s closed the connection at port %(port)s before it gave the file. "
                    "Check the log of the web server, or a firewall in front of it."
                ),
            )
        case "not_global":
            return (
                _("Not a public address"),
                _("We cannot check this address"),
                _("%(address)s cannot be reached from the internet. Give the public address in your application."),
            )
        case _:
            return (
                _("We cannot reach the address"),
                _("We cannot reach the address"),
                _("At %(time)s there was no route to %(address)s. Check that the connection works, then try again."),
            )


def waiting(challenge: Challenge) -> str:
    """What is awaited of a challenge for which nothing was tried yet."""
    if challenge.method == Method.LINK:
        return _("Waiting for the link to be opened")
    return _("We check as soon as you ask us to")
