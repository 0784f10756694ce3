"""The certificate on paper: one page of A4 in both languages, set from what a `Sheet` says (`web.typesetting`)."""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import segno
from django.conf import settings
from django.utils import timezone

from rahdari.apply import queries as apply
from rahdari.apply import subjects
from rahdari.policy import Text, Unregistered, asked_by
from rahdari.register import queries as register
from rahdari.register.models import Registration
from rahdari.web.typesetting import in_words, typeset

from . import links
from .lines import count_of
from .registration_status import addresses_of, standing_of
from .titles import service_title

TEMPLATE = Path(__file__).parent / "templates" / "applicant" / "certificate.typ"
# Setting a sheet takes a quarter of a second of a processor: one household has so many a minute, and one program.
SHEETS, PER_SECONDS = 20, 60
# Of an instrument of which there is only what others wrote about it.
NOT_SEEN = ("not_found", "secondary")

# Instead of "valid until", by how it stands.
NOT_VALID = {
    "paused": ("Paused until {}", "{} تک رکی ہوئی"),
    "suspended": ("Suspended since {}", "{} سے معطل"),
    "ended": ("Ended on {}", "{} کو ختم ہوئی"),
    "struck_out": ("Struck out on {}", "{} کو خارج ہوئی"),
    "expired": ("No longer valid since {}", "{} سے مؤثر نہیں"),
}


@dataclass(frozen=True)
class Sheet:
    """All that a certificate says. Pairs are (English, Urdu). `link` holds a secret: it is printed as the code only."""

    reference: str
    standing: str
    holder: str
    authority: tuple[str, str]
    # Empty where the rules know one for everybody; and so is the holder, of whom no name is asked.
    category: tuple[str, str]
    registered_on: dt.date
    valid_until: dt.date
    addresses: int
    link: str
    check_at: str
    printed_at: dt.datetime
    demo: bool
    provisional: bool = False
    # Of a registration for mobile lines, which has no address.
    lines: int | None = None
    # What happens to connections that are not on the register, and whose word that is.
    unregistered: Text | None = None
    said_by: Text | None = None
    # Since when it is not valid, and of a pause until when.
    changed_on: dt.date | None = None

    @property
    def is_valid(self) -> bool:
        return self.standing == "valid"

    @property
    def tone(self) -> str:
        if self.is_valid:
            return "wait" if self.provisional else "ok"
        return "wait" if self.standing == "paused" else "off"

    @property
    def state(self) -> tuple[str, str]:
        """How it stands on the day of printing. A sheet that was printed before says what was true then."""
        if self.is_valid and self.provisional:
            return f"Provisional, valid until {self.until_en}", f"عبوری، {self.until_ur} تک مؤثر"
        if self.is_valid:
            return f"Valid until {self.until_en}", f"{self.until_ur} تک مؤثر"
        en, ur = NOT_VALID[self.standing]
        day = self.changed_on or self.valid_until
        return en.format(in_words(day, "en")), ur.format(in_words(day, "ur"))

    @property
    def authority_en(self) -> str:
        return self.authority[0]

    @property
    def authority_ur(self) -> str:
        return self.authority[1]

    @property
    def category_en(self) -> str:
        return self.category[0]

    @property
    def category_ur(self) -> str:
        return self.category[1]

    @property
    def registered_en(self) -> str:
        return in_words(self.registered_on, "en")

    @property
    def registered_ur(self) -> str:
        return in_words(self.registered_on, "ur")

    @property
    def printed_en(self) -> str:
        return f"{in_words(self.printed_at.date(), 'en')}, {self.printed_at:%H:%M}"

    @property
    def until_en(self) -> str:
        return in_words(self.valid_until, "en")

    @property
    def until_ur(self) -> str:
        return in_words(self.valid_until, "ur")


def sheet_of(registration: Registration, now: dt.datetime) -> Sheet:
    """What stands on the certificate of a registration at this moment, in both languages."""
    rules = apply.policy_in_force()
    standing = standing_of(registration, now)
    changed = {
        "paused": registration.suspended_until,
        "suspended": registration.suspended_at,
        "ended": registration.struck_out_at,
        "struck_out": registration.struck_out_at,
    }.get(standing)
    return Sheet(
        reference=registration.reference,
        standing=standing,
        changed_on=timezone.localdate(changed) if changed else None,
        holder=subjects.holder_name_of(registration),
        authority=(rules.authority.en, rules.authority.ur),
        category=(
            service_title(registration.category, rules, "en"),
            service_title(registration.category, rules, "ur"),
        )
        if "category" in asked_by(rules)
        else ("", ""),
        registered_on=timezone.localdate(registration.valid_from),
        valid_until=timezone.localdate(register.shown_until(registration, now)),
        addresses=addresses_of(registration),
        lines=count_of(registration),
        link=links.absolute(links.certifies(registration)),
        check_at=links.check(),
        printed_at=timezone.localtime(now),
        demo=settings.DEMO,
        provisional=registration.is_provisional,
        unregistered=rules.unregistered.text if rules.unregistered else None,
        said_by=whose_word(rules.unregistered) if rules.unregistered else None,
    )


def whose_word(said: Unregistered) -> Text:
    """By what it is so and since when, and who signed that: as `web/parts/unregistered.html` says it, but for both
    languages at once."""
    en, ur = [], []
    if said.instrument is not None and said.on is not None:
        en.append(f"Since {in_words(said.on, 'en')}: {said.instrument.short.en}.")
        ur.append(f"{in_words(said.on, 'ur')} سے: {said.instrument.short.ur}۔")
        if said.instrument.read in NOT_SEEN:
            en.append("We have not seen its text.")
            ur.append("ہم نے اس کا متن نہیں دیکھا۔")
    if said.signed.is_signed and (day := said.signed.day) is not None:
        en.append(f"Signed by {said.signed.name}, {said.signed.office}, on {in_words(day, 'en')}.")
        ur.append(f"دستخط: {said.signed.name}، {said.signed.office}، {in_words(day, 'ur')}۔")
    else:
        en.append("Nobody has signed this statement yet.")
        ur.append("اس بیان پر ابھی کسی کے دستخط نہیں۔")
    return Text(" ".join(en), " ".join(ur))


def qr_path(link: str) -> dict[str, object]:
    """A square code as one SVG path: its side in modules and the `d` of a stroke of width 1."""
    matrix = segno.make(link, error="m", micro=False).matrix
    runs = []
    for y, row in enumerate(matrix):
        x = 0
        while x < len(row):
            if not row[x]:
                x += 1
                continue
            start = x
            while x < len(row) and row[x]:
                x += 1
            runs.append(f"M{start} {y}h{x - start}")
    return {"side": len(matrix), "d": "".join(runs)}


def _both(text: Text | None) -> tuple[str, str]:
    return (text.en, text.ur) if text is not None else ("", "")


def render(sheet: Sheet) -> bytes:
    """The certificate as PDF (PDF/UA-1 tagged). Bytes of one file."""
    qr = qr_path(sheet.link)
    side = int(str(qr["side"])) + 4
    data = {
        "reference": sheet.reference,
        "valid": sheet.is_valid,
        "state": sheet.state,
        "holder": sheet.holder,
        "authority": sheet.authority,
        "category": sheet.category,
        "registered": (sheet.registered_en, sheet.registered_ur),
        "addresses": sheet.addresses,
        "lines": sheet.lines,
        "check_at": sheet.check_at,
        "printed": sheet.printed_en,
        "demo": sheet.demo,
        "unregistered": _both(sheet.unregistered),
        "said_by": _both(sheet.said_by),
        "qr": (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-2 -2.5 {side} {side}">'
            f'<path d="{qr["d"]}" stroke="#000" fill="none"/></svg>'
        ),
    }
    return typeset(TEMPLATE, data, now=sheet.printed_at)
