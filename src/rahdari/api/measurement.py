"""An endpoint that is measured: consent and its end, how it stands, and what the holder's own program says of it."""

import datetime as dt
import uuid
from typing import Any

from django.utils.translation import gettext as _

from rahdari.applicant import measurement
from rahdari.people.acting import Acting
from rahdari.people.rules import Act
from rahdari.probe import Outcome
from rahdari.programs import answers as programs
from rahdari.programs.operation import Answer, Ok
from rahdari.programs.problems import IMPOSSIBLE, impossible, not_found, plain, too_many
from rahdari.programs.schema import MOMENT, TRUTH, Json, choice, closed, listed, named, or_null, text, whole
from rahdari.register.models import Entry
from rahdari.watch import control, queries, reports, words
from rahdari.watch.models import Consent
from rahdari.watch.verdicts import Rule, State

from . import registrations
from .interface import API, Call
from .rules import Scope
from .serializers import stamp, stamp_or_none

manage = API.part(registrations.TAG, Scope.MEASUREMENTS_MANAGE)
ONE = f"{registrations.ONE}/entries/{{entry}}/measurement"
# Reports of one endpoint: more often nothing becomes of them.
REPORTS, PER_SECONDS = 6, 60
MOST_SPANS = 200

STATES = [state.value for state in State]
SPAN = closed(
    {
        "begins": MOMENT,
        "ends": MOMENT,
        "state": or_null(choice(*STATES)),
        "rule": or_null(choice(*(rule.value for rule in Rule))),
        "ours": TRUTH,
    }
)
MEASUREMENT = named(
    "Measurement",
    closed(
        {
            "agreed": TRUTH,
            "can_be_measured": TRUTH,
            "inside": TRUTH,
            "agent": TRUTH,
            "every_minutes": whole(5, 100_000),
            "kept_days": whole(1, 100_000),
            "state": or_null(choice(*STATES)),
            "rule": or_null(choice(*(rule.value for rule in Rule))),
            "text": text(500),
            "since": or_null(MOMENT),
            "spans": listed(SPAN, MOST_SPANS),
        }
    ),
)


def _row(call: Call, reference: str, entry: uuid.UUID) -> tuple[Entry, Acting]:
    found, by = registrations.held(call, reference, Act.PROVE)
    row = measurement.own_entry(found, entry)
    if row is None or measurement.rules() is None:
        raise not_found()
    return row, by


def _consent(row: Entry) -> Consent:
    consent = queries.consent_of(row.feed_id)
    if consent is None:
        raise impossible("not_agreed", _("Nobody has agreed that this address is measured."))
    return consent


def _said(row: Entry, now: dt.datetime) -> Json:
    rules, personal = measurement.rules(), measurement.is_personal(row.registration)
    consent = queries.consent_of(row.feed_id)
    last = queries.state_of(consent) if consent is not None else None
    spans = queries.series_of(consent, since=now - measurement.SHOWN, now=now) if consent is not None else []
    assert rules is not None  # noqa: S101
    return {
        "agreed": consent is not None,
        "can_be_measured": consent is not None or measurement.asks_of(row) is not None,
        "inside": consent is not None and consent.inside,
        "agent": consent is not None and consent.agent,
        "every_minutes": (rules.persons_every if personal else rules.every) // dt.timedelta(minutes=1),
        "kept_days": (rules.persons_kept if personal else rules.kept).days,
        "state": last.state if last is not None else None,
        "rule": last.rule if last is not None else None,
        "text": plain(words.of(last.state, last.rule)[1]) if last is not None else "",
        "since": stamp_or_none(last.seen.at if last is not None else None),
        "spans": [_span(span) for span in spans[-MOST_SPANS:]],
    }


def _span(span: queries.Span) -> Json:
    return {
        "begins": stamp(span.begins),
        "ends": stamp(span.ends),
        "state": span.state.value if span.state is not None else None,
        "rule": span.rule.value if span.rule is not None else None,
        "ours": span.ours,
    }


@manage("GET", ONE, Ok("How it stands.", MEASUREMENT))
def get_measurement(call: Call, reference: str, entry: uuid.UUID) -> Answer:
    """How an address stands that is measured.

    The last two days by spans: a `state` with its `rule`, or none where nothing was measured; `ours` where our own
    measurement failed.
    """
    return Answer(_said(_row(call, reference, entry)[0], call.now))


@manage(
    "PUT", ONE, Ok("How it stands.", MEASUREMENT), body=closed({"inside": TRUTH, "agent": TRUTH}), problems=IMPOSSIBLE
)
def agree_to_measurement(call: Call, reference: str, entry: uuid.UUID) -> Answer:
    """Agree that an address is measured.

    From networks of others; and from `inside` the operator's network and by your own `agent`, if you say so. Again, it
    is the same with what is said now.
    """
    row, by = _row(call, reference, entry)
    try:
        measurement.agree(row, by, inside=call.body["inside"], agent=call.body["agent"], now=call.now)
    except measurement.NotMeasurable:
        words = _(
            "A check repeats the handshake by which an address was proved. This one was proved by another method."
        )
        raise impossible("not_repeated", words) from None
    return Answer(_said(row, call.now))


@manage("DELETE", ONE, Ok("It is measured no more.", status=204))
def stop_measurement(call: Call, reference: str, entry: uuid.UUID) -> Answer:
    """Stop measuring an address.

    At once, also in the middle of a look. What was seen is erased, but for what a reported disruption needs.
    """
    row, by = _row(call, reference, entry)
    measurement.withdraw(row, by, now=call.now)
    return Answer(status=204)


TASK = named(
    "MeasurementTask",
    closed(
        {
            "every_seconds": whole(60, 100_000),
            "address": text(45),
            "claim": {"type": "object"},
            "control": or_null(closed({"address": text(45), "claim": {"type": "object"}})),
        }
    ),
)
# Our own program looks so often: what it says counts until the next look of others, and not longer.
EVERY = dt.timedelta(minutes=2)


@manage("GET", f"{ONE}/task", Ok("What to look at, and how often.", TASK), problems=IMPOSSIBLE)
def get_measurement_task(call: Call, reference: str, entry: uuid.UUID) -> Answer:
    """What your own program looks at: `rahdari agent watch` asks for it."""
    row, _by = _row(call, reference, entry)
    consent, asks = _consent(row), measurement.asks_of(row)
    if asks is None or not consent.agent:
        raise impossible("not_agreed", _("Nobody has agreed that your own program looks at this address."))
    address, claim = asks
    ours = control.endpoint()
    found: dict[str, Any] = {
        "every_seconds": int((consent.every if consent.personal else min(EVERY, consent.every)).total_seconds()),
        "address": str(address),
        "claim": claim.as_data(),
        "control": {"address": str(ours.address), "claim": ours.claim.as_data()} if ours is not None else None,
    }
    return Answer(found)


OUTCOMES = choice(*(outcome.value for outcome in Outcome))


@manage(
    "POST",
    f"{ONE}/reports",
    Ok("Heard, or too old to say anything.", closed({"heard": TRUTH})),
    body=closed(
        {
            "outcome": OUTCOMES,
            "control": OUTCOMES,
            "latency_ms": whole(0, 100_000),
            "sent": whole(0, 1_000),
            "age_ms": whole(0, 10**9),
        }
    ),
    problems=IMPOSSIBLE,
)
def report_measurement(call: Call, reference: str, entry: uuid.UUID) -> Answer:
    """Say what your own program saw.

    `outcome` of your endpoint, `control` of ours; `age_ms` is how long ago that was, so that your clock may be wrong.
    """
    row, _by = _row(call, reference, entry)
    consent = _consent(row)
    if seconds := programs.wait_for(f"api.measurement:{consent.pk}", rate=REPORTS, per=PER_SECONDS):
        raise too_many(seconds)
    try:
        heard = reports.take(
            consent=consent,
            outcome=Outcome(call.body["outcome"]),
            control=Outcome(call.body["control"]),
            latency_ms=call.body["latency_ms"],
            sent=call.body["sent"],
            age=dt.timedelta(milliseconds=call.body["age_ms"]),
            now=call.now,
        )
    except reports.NotAgreedTo:
        raise impossible("not_agreed", _("Nobody has agreed that your own program looks at this address.")) from None
    return Answer({"heard": heard})
