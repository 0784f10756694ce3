"""What is said of attestations, in the reader's language. The texts of the policy come in both."""

import datetime as dt
from collections.abc import Sequence

from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _

from rahdari.policy import Attesting, Text
from rahdari.tables.csv_tables import FileTrouble
from rahdari.web import values

from . import queries, rules
from .models import Attestation, AttestationReview
from .rules import AttestationState, Effect, Judged, Reply, ReviewOutcome, RowTrouble


def title_of(text: Text | None, key: str) -> str:
    return text.in_language(get_language()) if text else key


def association(key: str, attesting: Attesting | None) -> str:
    found = attesting.association(key) if attesting else None
    return title_of(found.title if found else None, key)


def lists_too_often(wait: dt.timedelta) -> str:
    words = _("You sent many lists in a short time. Send this one again after %(when)s.")
    return words % {"when": values.again_after(wait)}


def claim(key: str, attesting: Attesting | None) -> str:
    found = attesting.claim(key) if attesting else None
    return title_of(found.title if found else None, key)


def method(key: str, attesting: Attesting | None) -> str:
    found = next((each for each in attesting.methods if each.key == key), None) if attesting else None
    return title_of(found.title if found else None, key)


def revocation(key: str, attesting: Attesting | None) -> str:
    """Why an attestation was revoked, in the reader's language; the bare key where the policy has it no more."""
    if key == "disputed":
        return _("The member disputed it and was right")
    found = next((each for each in attesting.revocations if each.key == key), None) if attesting else None
    return title_of(found.title if found else None, key)


def weight(key: str | None) -> str:
    """What the word of the association does, for the association and for the member."""
    return {
        "alone": _("It is enough on its own: no letter is needed."),
        "provisional": _("It is enough for a provisional registration. One more proof must follow."),
        "supporting": _("It supports an application, and an officer reads it."),
    }.get(key or "", _("It is not accepted for this service."))


def weights(attestation: Attestation) -> list[tuple[str, str]]:
    """For which services an attestation counts, and how much."""
    policy = queries.in_force()
    attesting = policy.attesting
    if attesting is None:
        return []
    found = []
    for key, service in policy.services.items():
        worth = attesting.weight(attestation.association, attestation.claim, key)
        if worth is not None:
            found.append((service.title.in_language(get_language()), weight(worth)))
    return found


def state(attestation: Attestation, today: object, soon: bool) -> tuple[str, str]:
    """The tone and the words of how an attestation stands."""
    found = attestation.state(today)  # type: ignore[arg-type]
    if found is AttestationState.REVOKED:
        return "off", _("Revoked")
    if found is AttestationState.EXPIRED:
        return "bad", _("Has ended")
    if found is AttestationState.NOT_YET:
        return "wait", _("Begins later")
    return ("warn", _("Ends soon")) if soon else ("ok", _("Attested"))


def identifier(kind: str) -> str:
    return {
        "card": _("by card number"),
        "company": _("by company number"),
        "email": _("by email address"),
    }.get(kind, kind)


def trouble(found: RowTrouble, latest: str = "") -> str:
    return {
        RowTrouble.NO_NUMBER: _("The member number is missing."),
        RowTrouble.LETTER_FOR_FIGURE: _(
            "There is a letter O, I or l among the digits of the number. Write 0 or 1 for a digit."
        ),
        RowTrouble.NUMBER_SHAPE: _("A member number has 3 to 40 letters and digits."),
        RowTrouble.NO_NAME: _("The name is missing, or has no letters."),
        RowTrouble.NAME_TOO_LONG: _("This name is too long: use at most 200 characters."),
        RowTrouble.NAME_LEADS_AWAY: _("Enter only the name, without a web or email address or a telephone number."),
        RowTrouble.NO_IDENTIFIER: _("Give a card number, a company number or an email address."),
        RowTrouble.IDENTIFIER_SHAPE: _(
            "This is not a card number (13 digits), a company number (7 digits) or an email address."
        ),
        RowTrouble.NO_END: _("Enter the last day on which it is valid."),
        RowTrouble.DAY_SHAPE: _("Enter the date like %(example)s.") % {"example": "\u20662027-06-30\u2069"},
        RowTrouble.ENDED: _("This date is in the past. Give a later one."),
        RowTrouble.TOO_FAR: _("This date is too far ahead. The last possible date is %(day)s.") % {"day": latest},
        RowTrouble.ENDS_BEFORE_IT_BEGINS: _("It would end before it begins."),
        RowTrouble.TWICE: _("This card number, company number or email address is in the file twice."),
        RowTrouble.NUMBER_TWICE: _("This member number is in the file twice."),
        RowTrouble.NUMBER_TAKEN: _(
            "This member number is attested for somebody else. Revoke that attestation first, or correct the number."
        ),
        RowTrouble.NOT_ATTESTED: _("Nobody with this number is attested now, so there is nothing to revoke."),
    }[found]


def result(row: Judged, latest: str = "") -> str:
    """What a row does, or what is wrong with it; of one that stands twice also the other row."""
    if row.trouble is None:
        return effect(row.effect) if row.effect is not None else ""
    said = trouble(row.trouble, latest)
    if row.other is None:
        return said
    return _("%(said)s The other one is row %(row)s.") % {"said": said, "row": row.other}


def file_trouble(found: FileTrouble, most_rows: str, needed: Sequence[str] = rules.NEEDED) -> str:
    return {
        FileTrouble.EMPTY: _("The file has no rows. Choose the file with your members."),
        FileTrouble.TOO_LARGE: _("The file is too big. Send your members in several files."),
        FileTrouble.TOO_MANY_ROWS: _("The file has more than %(most)s rows. Send your members in several files.")
        % {"most": most_rows},
        FileTrouble.NOT_TEXT: _("The file cannot be read. Save it as CSV (UTF-8) and choose it again."),
        FileTrouble.NO_COLUMNS: _("The first line must name the columns: %(columns)s.")
        % {"columns": "\u2066" + ", ".join(needed) + "\u2069"},
    }[found]


def effect(found: Effect) -> str:
    return {
        Effect.NEW: pgettext("attestation", "New"),
        Effect.RENEWED: pgettext("attestation", "Brought up to date"),
        Effect.SAME: pgettext("attestation", "There already"),
    }[found]


def reply(matter: AttestationReview) -> str:
    return {
        Reply.KEEPS.value: _("The association has not changed its decision."),
        Reply.YIELDS.value: _("The association says that you are right."),
    }.get(matter.reply, "")


def outcome(matter: AttestationReview) -> str:
    if matter.outcome == ReviewOutcome.STANDS and matter.kind == rules.ReviewKind.DISPUTED:
        return _("The attestation stays as it is.")
    return {
        ReviewOutcome.STANDS.value: _("Your registration stays as it is."),
        ReviewOutcome.ANOTHER_PROOF.value: _("Another proof is needed. Your registration stays as it is meanwhile."),
        ReviewOutcome.MEMBER_RIGHT.value: _("You are right, and it is corrected."),
    }.get(matter.outcome, "")
