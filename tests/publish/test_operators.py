"""Operators, their receipts, and what the pages are told."""

import datetime as dt
import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import translation

from rahdari.journal import queries as journal
from rahdari.proof import EMPTY, AppliedTarget, Receipt, holder_of
from rahdari.proof.access import FILE_NAME, parse_access
from rahdari.proof.entry import time_text
from rahdari.publish import actions, queries
from rahdari.publish.envelope import Repository
from rahdari.publish.models import Edition, Operator
from rahdari.publish.rules import LagState, ReceiptStanding
from rahdari.register import queries as registered
from rahdari.register.models import Entry, Registration
from tests.needs import needs_root

from .world import NOW, address, entered, moved, publish

pytestmark = pytest.mark.django_db
SECOND = dt.timedelta(seconds=1)


def an_operator(slug: str = "sample-fibre", *, name: str = "Sample Fibre", name_ur: str = "") -> Operator:
    actions.create_operator(slug=slug, name=name, name_ur=name_ur, asns=[64500], now=NOW)
    return Operator.objects.get(slug=slug)


def a_receipt(
    sequence: int | None = None, *, after: dt.timedelta = SECOND, ok: bool = True, digest: str | None = None
) -> Receipt:
    edition = Edition.objects.get(pk=sequence) if sequence is not None else Edition.objects.latest("sequence")
    return Receipt(
        edition.session_id,
        edition.sequence,
        digest or edition.digest_after,
        time_text((edition.published_at or NOW) + after),
        (AppliedTarget("North gateway", "nft", edition.entries, ok),),
    )


def received(operator: Operator, receipt: Receipt, *, after: dt.timedelta = 2 * SECOND) -> actions.Recorded:
    return actions.record_receipt(operator=operator, receipt=receipt, now=NOW + after)


def entries_of(registration: Registration) -> list[Entry]:
    return list(registered.entries_of(registration))


class TestCreateOperator:
    def test_gives_a_token_once_and_keeps_its_hash(self, data: Path) -> None:
        token = actions.create_operator(slug="sample-fibre", name="Sample Fibre", asns=[64500], now=NOW)
        operator = queries.operator_by_slug("sample-fibre")
        assert operator is not None and operator.asns == [64500]
        assert len(token) >= 43 and token not in json.dumps(Operator.objects.values_list("token_hash", flat=True)[0])
        assert queries.operator_by_token(token) == operator
        assert queries.operator_by_token(token + "x") is None and queries.operator_by_token("") is None
        assert [row.act for row in journal.about("operator:sample-fibre")] == ["publish.operator_added"]

    def test_is_refused_for_a_slug_that_is_taken_or_none(self, data: Path) -> None:
        an_operator()
        with pytest.raises(actions.OperatorExists):
            actions.create_operator(slug="sample-fibre", name="Another", asns=[], now=NOW)
        for slug in ("", "Sample", "a/b", "-a", "a" * 51, "a\n"):
            with pytest.raises(actions.SlugUnusable):
                actions.create_operator(slug=slug, name="Another", asns=[], now=NOW)

    def test_lets_the_operator_in_at_the_feed(self, data: Path, django_capture_on_commit_callbacks: Any) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            token = actions.create_operator(slug="sample-fibre", name="Sample Fibre", asns=[], now=NOW)
        path = data / FILE_NAME
        assert path.stat().st_mode & 0o777 == 0o600 and token not in path.read_text()
        assert holder_of(token, parse_access(path.read_bytes())) == "sample-fibre"
        operator = Operator.objects.get()
        with django_capture_on_commit_callbacks(execute=True):
            new = actions.replace_token(operator=operator, actor="officer:1", now=NOW)
        accesses = parse_access(path.read_bytes())
        assert holder_of(token, accesses) is None and holder_of(new, accesses) == "sample-fibre"
        with django_capture_on_commit_callbacks(execute=True):
            actions.stop_operator(operator=operator, actor="officer:1", now=NOW)
        assert parse_access(path.read_bytes()) == [] and queries.operator_by_token(new) is None

    def test_leaves_the_access_file_to_the_owner_of_the_data_folder(self, data: Path) -> None:
        """The command runs as root, the process that reads the file does not."""
        needs_root()
        os.chown(data, 65534, 65534)
        an_operator()
        actions.write_access()
        written = (data / FILE_NAME).stat()
        assert (written.st_uid, written.st_gid) == (65534, 65534)
        assert stat.S_IMODE(written.st_mode) == 0o600

    def test_that_was_killed_before_the_file_was_written_is_mended_by_the_publisher(self, feed: Repository) -> None:
        an_operator()
        assert not (feed.data / FILE_NAME).exists()
        publish()
        assert [each.slug for each in parse_access((feed.data / FILE_NAME).read_bytes())] == ["sample-fibre"]


class TestRecordReceipt:
    def test_of_the_edition_that_was_published_is_good(self, feed: Repository) -> None:
        publish()
        recorded = received(an_operator(), a_receipt())
        assert recorded.new and recorded.standing is ReceiptStanding.GOOD

    def test_sent_again_is_the_same_receipt(self, feed: Repository) -> None:
        publish()
        operator = an_operator()
        first = received(operator, a_receipt())
        again = received(operator, a_receipt(), after=60 * SECOND)
        assert not again.new and again.receipt == first.receipt
        assert received(an_operator("other"), a_receipt()).new

    def test_with_another_digest_is_kept_as_drift(self, feed: Repository) -> None:
        entered(address(1))
        publish()
        assert received(an_operator(), a_receipt(digest=EMPTY)).standing is ReceiptStanding.DRIFT

    @pytest.mark.parametrize(("session", "sequence"), [("0" * 32, 0), (None, 99)])
    def test_of_an_edition_that_was_never_published_is_kept_as_drift(
        self, feed: Repository, session: str | None, sequence: int
    ) -> None:
        publish()
        good = a_receipt()
        other = Receipt(session or good.session, sequence, good.digest, good.applied_at, good.targets)
        assert received(an_operator(), other).standing is ReceiptStanding.DRIFT

    def test_says_incomplete_when_a_place_did_not_take_all(self, feed: Repository) -> None:
        publish()
        assert received(an_operator(), a_receipt(ok=False)).standing is ReceiptStanding.INCOMPLETE


class TestStandingOf:
    def test_goes_from_nothing_to_published_to_in_force(self, feed: Repository) -> None:
        publish()
        first, second = an_operator("sample-fibre"), an_operator("sample-mobile", name="Sample Mobile")
        registration = entered(address(1))
        entries = entries_of(registration)
        assert queries.standing_of(entries) == queries.Standing(None, None, [], 2)
        actions.cut_edition(now=NOW)
        assert queries.standing_of(entries) == queries.Standing(1, None, [], 2)
        publish(NOW + SECOND)
        assert queries.standing_of(entries) == queries.Standing(1, NOW + SECOND, [], 2)
        received(second, a_receipt(after=2 * SECOND), after=5 * SECOND)
        assert queries.standing_of(entries).in_force == [("Sample Mobile", NOW + 3 * SECOND)]
        received(first, a_receipt(after=3 * SECOND), after=5 * SECOND)
        in_force = queries.standing_of(entries).in_force
        assert in_force == [("Sample Fibre", NOW + 4 * SECOND), ("Sample Mobile", NOW + 3 * SECOND)]

    def test_counts_the_edition_of_the_last_change(self, feed: Repository) -> None:
        operator = an_operator()
        registration = entered(address(1), address(2))
        publish()
        received(operator, a_receipt())
        assert len(queries.standing_of(entries_of(registration)).in_force) == 1
        moved(registration, address(3))
        assert queries.standing_of(entries_of(registration)).sequence is None
        publish()
        standing = queries.standing_of(entries_of(registration))
        assert standing.sequence == 2 and standing.in_force == []

    def test_an_edition_that_came_later_has_it_too_and_the_first_one_gives_the_time(self, feed: Repository) -> None:
        operator = an_operator()
        registration = entered(address(1))
        publish()
        for number in range(2, 5):
            entered(address(number))
            publish(NOW + number * SECOND)
        received(operator, a_receipt(3, after=SECOND), after=20 * SECOND)
        received(operator, a_receipt(4, after=SECOND), after=20 * SECOND)
        assert queries.standing_of(entries_of(registration)).in_force == [("Sample Fibre", NOW + 4 * SECOND)]

    def test_an_operator_that_has_drifted_since_does_not_count(self, feed: Repository) -> None:
        operator = an_operator()
        registration = entered(address(1))
        publish()
        received(operator, a_receipt())
        received(operator, a_receipt(digest=EMPTY))
        assert queries.standing_of(entries_of(registration)).in_force == []
        received(operator, a_receipt(after=9 * SECOND), after=10 * SECOND)
        assert len(queries.standing_of(entries_of(registration)).in_force) == 1

    def test_an_operator_that_was_stopped_does_not_count(self, feed: Repository) -> None:
        operator = an_operator()
        registration = entered(address(1))
        publish()
        received(operator, a_receipt())
        actions.stop_operator(operator=operator, actor="officer:1", now=NOW)
        assert queries.standing_of(entries_of(registration)) == queries.Standing(1, NOW, [], 0)

    def test_of_no_entries_is_nothing(self, feed: Repository) -> None:
        assert queries.standing_of([]) == queries.Standing(None, None, [], 0)

    def test_names_the_operator_in_the_language_of_the_page(self, feed: Repository) -> None:
        operator = an_operator(name_ur="نمونہ فائبر")
        registration = entered(address(1))
        publish()
        received(operator, a_receipt())
        with translation.override("ur"):
            assert queries.standing_of(entries_of(registration)).in_force[0].name == "نمونہ فائبر"


class TestOperatorsWithLag:
    def test_tells_how_late_and_how_far_behind(self, feed: Repository) -> None:
        operator = an_operator()
        publish()

        def lag(at: dt.datetime) -> queries.OperatorLag:
            return queries.operators_with_lag(at)[0]

        assert lag(NOW).state is LagState.NEVER and not lag(NOW).in_step
        received(operator, a_receipt(after=2 * SECOND), after=3 * SECOND)
        seen = lag(NOW + 3600 * SECOND)
        assert (seen.state, seen.lag, seen.behind, seen.sequence) == (LagState.IN_STEP, 2 * SECOND, 0, 0)
        assert seen.points == [queries.Point("North gateway", "nft", 0, 0, True)]
        for number in (1, 2):
            entered(address(number))
            publish(NOW + 60 * number * SECOND)
        seen = lag(NOW + 90 * SECOND)
        assert (seen.state, seen.lag, seen.behind) == (LagState.IN_STEP, 30 * SECOND, 2)
        assert (seen.register_sequence, seen.register_published_at) == (2, NOW + 120 * SECOND)
        assert lag(NOW + 361 * SECOND).state is LagState.BEHIND
        received(operator, a_receipt(after=5 * SECOND), after=130 * SECOND)
        assert (lag(NOW + 400 * SECOND).lag, lag(NOW + 400 * SECOND).behind) == (5 * SECOND, 0)
        received(operator, a_receipt(after=6 * SECOND, ok=False), after=131 * SECOND)
        seen = lag(NOW + 400 * SECOND)
        assert seen.state is LagState.INCOMPLETE and seen.sequence == 2 and not seen.points[0].ok
        received(operator, a_receipt(after=7 * SECOND, digest=EMPTY), after=132 * SECOND)
        assert lag(NOW + 400 * SECOND).state is LagState.DRIFT

    def test_lists_past_lags_once_for_each_edition(self, feed: Repository) -> None:
        operator = an_operator()
        for number in range(3):
            entered(address(number))
            publish(NOW + number * SECOND)
            received(operator, a_receipt(after=SECOND), after=30 * SECOND)
            received(operator, a_receipt(after=9 * SECOND), after=30 * SECOND)
        lags = queries.lags_of(operator=operator, since=NOW)
        assert [(past.sequence, past.lag) for past in lags] == [(1, SECOND), (2, SECOND), (3, SECOND)]
        assert queries.lags_of(operator=operator, since=NOW + 31 * SECOND) == []


@pytest.mark.urls("rahdari.publish.urls")
class TestReceiptApi:
    """Only our own address, so that this room is tested alone."""

    @pytest.fixture
    def token(self, feed: Repository) -> str:
        publish()
        return actions.create_operator(slug="sample-fibre", name="Sample Fibre", asns=[], now=NOW)

    def post(self, body: bytes, token: str, *, content_type: str = "application/json") -> Any:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return Client(enforce_csrf_checks=True).post("/feed/receipt", body, content_type=content_type, headers=headers)

    def test_answers_with_where_the_operator_stands(self, token: str) -> None:
        body = a_receipt().body
        first, again = self.post(body, token), self.post(body, token)
        assert (first.status_code, again.status_code) == (201, 200)
        assert first.json() == again.json() == {"standing": "good", "sequence": 0}
        assert first["Cache-Control"].startswith("max-age=0")
        drifted = self.post(a_receipt(digest="0" * 64).body, token)
        assert (drifted.status_code, drifted.json()["standing"]) == (201, "drift")

    @pytest.mark.parametrize("given", ["", "x", "x" * 5000, "ناقص"])
    def test_refuses_who_has_no_token(self, token: str, given: str) -> None:
        answer = self.post(a_receipt().body, given)
        assert answer.status_code == 401 and answer["WWW-Authenticate"] == "Bearer"
        assert answer["Content-Type"] == "application/problem+json"
        assert answer.json()["type"] == "urn:rahdari:problem:unauthorised"

    def test_refuses_an_operator_that_was_stopped(self, token: str) -> None:
        assert self.post(a_receipt().body, token).status_code == 201
        actions.stop_operator(operator=Operator.objects.get(), actor="officer:1", now=NOW)
        assert self.post(a_receipt().body, token).status_code == 401

    @pytest.mark.parametrize(
        ("body", "field"),
        [(b" ", "receipt"), (b"{", "receipt"), (b"[]", "receipt"), (b"\xff", "receipt"), (b"[" * 60_000, "receipt")],
    )
    def test_refuses_what_is_no_receipt(self, token: str, body: bytes, field: str) -> None:
        answer = self.post(body, token)
        assert answer.status_code == 422 and answer.json()["field"] == field

    @pytest.mark.parametrize(
        ("change", "status", "kind"),
        [
            ({"sequence": -1}, 422, "invalid-receipt"),
            ({"digest": None}, 422, "invalid-receipt"),
            ({"targets": [{"name": "\ud800", "kind": "nft", "loaded": 1, "ok": True}]}, 422, "invalid-receipt"),
            ({"targets": [{"name": "a\u0000", "kind": "nft", "loaded": 1, "ok": True}]}, 422, "invalid-receipt"),
            ({"format": "2.0"}, 422, "unsupported-format"),
            ({"more": "x" * 70_000}, 413, "too-large"),
        ],
    )
    def test_says_what_is_wrong(self, token: str, change: dict[str, Any], status: int, kind: str) -> None:
        body = json.dumps({**a_receipt().as_json(), **change}).encode()
        answer = self.post(body, token)
        assert (answer.status_code, answer.json()["title"]) == (status, kind)

    def test_takes_json_by_post_only(self, token: str) -> None:
        assert self.post(a_receipt().body, token, content_type="text/plain").status_code == 415
        answer = Client().get("/feed/receipt", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 405 and answer["Allow"] == "POST"
