"""Members whom the demonstration's association has attested."""

import datetime as dt

from django.utils import timezone

from rahdari.attest import attestations
from rahdari.attest.rules import Identifier, Member
from rahdari.people import demonstration

ASSOCIATION = "sample-software-houses"
YEAR = dt.timedelta(days=365)
# Claim, member number, name, by what they are known again.
MEMBERS = (
    (
        "freelancer",
        "SAMPLE-0031",
        "Sample Freelancer 31",
        Identifier("email", demonstration.email_of("freelancer")),
    ),
    ("it_company", "SAMPLE-0482", "Sample Software House (Pvt) Ltd", Identifier("company", "0000482")),
    ("freelancer", "SAMPLE-0077", "Specimen Exports", Identifier("company", "0000077")),
    ("new_member", "SAMPLE-0102", "Example Helpdesk Services", Identifier("company", "0000102")),
)


def sow_members(now: dt.datetime) -> None:
    today = timezone.localtime(now).date()
    for claim, number, name, identifier in MEMBERS:
        attestations.attest(
            association=ASSOCIATION,
            claim=claim,
            method="register",
            # Some samples walk through weeks that are over: what was attested holds in them too.
            member=Member(number, name, identifier, today - YEAR, today + YEAR),
            by=demonstration.ACTOR,
            now=now,
        )
