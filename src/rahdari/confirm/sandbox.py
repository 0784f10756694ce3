"""Samples to practise with: always the same seven, in no table, so that practice can touch nothing real.

An answer is read by the same rules as a real one and then forgotten.
"""

import datetime as dt
from dataclasses import dataclass

from . import rules
from .rules import QuestionKind


@dataclass(frozen=True)
class Sample:
    number: str
    kind: QuestionKind
    subscriber: str
    address: str
    name_masked: str
    hours_left: int


SAMPLES = (
    Sample("Q-TEST-0001", QuestionKind.SUBSCRIBER, "SN-0100338", "203.0.113.61", rules.mask_name("Sample Person"), 1),
    Sample(
        "Q-TEST-0002", QuestionKind.SUBSCRIBER, "SN-0100417", "198.51.100.18", rules.mask_name("Sample Freelancer"), 5
    ),
    Sample("Q-TEST-0003", QuestionKind.SUBSCRIBER, "", "2001:db8:40:9::1", rules.mask_name("Sample Trading House"), 21),
    Sample(
        "Q-TEST-0004", QuestionKind.SUBSCRIBER, "SN-0102911", "203.0.113.160/28", rules.mask_name("Sample Bank Ltd"), 31
    ),
    Sample(
        "Q-TEST-0005", QuestionKind.SUBSCRIBER, "SN-0103004", "192.0.2.77", rules.mask_name("Sample Freelancer"), 39
    ),
    Sample("Q-TEST-0006", QuestionKind.SUBSCRIBER, "", "2001:db8::/56", rules.mask_name("نمونہ فری لانسر"), 47),
    Sample("Q-TEST-0007", QuestionKind.MOBILE, "923000000007", "", rules.mask_name("Sample Freelancer"), 23),
)


def by_number(number: str) -> Sample | None:
    return next((each for each in SAMPLES if each.number == number.upper()), None)


def due_at(sample: Sample, now: dt.datetime) -> dt.datetime:
    return now + dt.timedelta(hours=sample.hours_left)
