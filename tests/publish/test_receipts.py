"""Receipts: who signed, what is kept, what is answered, and at what cost."""

import base64
import dataclasses
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from rahdari.feed import EMPTY, InvalidReceipt, SignedReceipt
from rahdari.journal import queries as journal
from rahdari.publish import actions, queries, receipts
from rahdari.publish.envelope import Repository
from rahdari.publish.models import AgentKey, Operator, Receipt
from rahdari.publish.rules import ReceiptStanding
from tests.builders.publishing import NOW, address, an_operator, entered, publish

from .receipts import SECOND, a_receipt, received, signed
from .test_credentials import a_certificate, give, pem

pytestmark = pytest.mark.django_db


def record(operator: Operator, receipt: SignedReceipt) -> receipts.Recorded:
    return receipts.record_receipt(operator=operator, receipt=receipt, now=NOW)


class TestRecordReceipt:
    def test_of_the_edition_that_was_published_is_good(self, feed: Repository, operator: Operator) -> None:
        publish()
        recorded = received(operator)
        assert recorded.new and recorded.standing is ReceiptStanding.GOOD and recorded.head == 0
        row = Receipt.objects.get()
        assert row.stream is not None and row.stream.role == "feed-static" and row.key == AgentKey.objects.get()

    def test_speaks_of_the_stream_whose_session_it_names(self, feed: Repository, operator: Operator) -> None:
        publish()
        for role in ("feed-static", "feed-dynamic", "feed-canary"):
            assert received(operator, a_receipt(operator, role=role)).standing is ReceiptStanding.GOOD
        roles = [receipt.stream.role for receipt in Receipt.objects.order_by("pk") if receipt.stream is not None]
        assert roles == ["feed-static", "feed-dynamic", "feed-canary"]

    def test_sent_again_is_the_same_receipt(self, feed: Repository, operator: Operator) -> None:
        publish()
        assert received(operator).new
        again = received(operator, after=60 * SECOND)
        assert not again.new and again.standing is ReceiptStanding.GOOD and Receipt.objects.count() == 1

    def test_with_another_digest_is_kept_as_drift(
        self, feed: Repository, operator: Operator, caplog: pytest.LogCaptureFixture
    ) -> None:
        entered(address(1))
        publish()
        assert received(operator, a_receipt(operator, digest=EMPTY)).standing is ReceiptStanding.DRIFT
        assert "sample-fibre holds another set" in caplog.text

    @pytest.mark.parametrize(("session", "sequence"), [("0" * 32, 0), (None, 99)])
    def test_of_an_edition_that_was_never_published_is_kept_as_drift(
        self, feed: Repository, operator: Operator, session: str | None, sequence: int
    ) -> None:
        publish()
        good = a_receipt(operator)
        other = dataclasses.replace(good, session=session or good.session, sequence=sequence)
        assert received(operator, other).standing is ReceiptStanding.DRIFT

    def test_of_a_stream_of_others_is_drift_and_says_nothing_of_it(self, feed: Repository, operator: Operator) -> None:
        other = an_operator("sample-mobile", asns=[64501])
        entered(address(1))
        publish()
        recorded = received(other, a_receipt(operator))
        assert recorded.standing is ReceiptStanding.DRIFT and recorded.head is None
        assert Receipt.objects.get().stream is None

    def test_says_incomplete_when_a_place_did_not_take_all(self, feed: Repository, operator: Operator) -> None:
        publish()
        assert received(operator, a_receipt(operator, ok=False)).standing is ReceiptStanding.INCOMPLETE

    def test_costs_the_same_few_queries_with_many_operators_and_receipts(
        self, feed: Repository, operator: Operator
    ) -> None:
        for number in range(4):
            an_operator(f"sample-{number}", asns=[64500 + number])
        for number in range(5):
            entered(address(number))
            publish()
            received(operator)
        receipt = a_receipt(operator, after=9 * SECOND)
        with CaptureQueriesContext(connection) as counted:
            received(operator, receipt)
        statements = [each["sql"].split()[0] for each in counted]
        assert statements == ["SELECT", "SELECT", "INSERT"], "the key, the edition, the row"


class TestAgentKeys:
    def test_are_enrolled_when_they_are_first_shown(self, feed: Repository, operator: Operator) -> None:
        publish()
        received(operator)
        received(operator, a_receipt(operator, after=5 * SECOND))
        (key,) = queries.agent_keys_of(operator)
        assert key.enrolled_at == NOW + 2 * SECOND
        enrolled = [row for row in journal.about("operator:sample-fibre") if row.act == "publish.agent_key_enrolled"]
        assert len(enrolled) == 1 and enrolled[0].detail == {"key": key.key[:16]}

    def test_that_were_revoked_sign_no_more(self, feed: Repository, operator: Operator) -> None:
        publish()
        received(operator)
        (key,) = queries.agent_keys_of(operator)
        receipts.revoke_key(operator=operator, key=key.key[:12], actor="officer:1", now=NOW)
        with pytest.raises(receipts.KeyRefused, match="key"):
            received(operator, a_receipt(operator, after=5 * SECOND))
        assert Receipt.objects.count() == 1
        assert journal.about("operator:sample-fibre")[0].act == "publish.agent_key_revoked"

    @pytest.mark.parametrize("shortened", ["", "0", "0123456", "ffffffffffff"])
    def test_are_revoked_only_when_one_is_meant(self, feed: Repository, operator: Operator, shortened: str) -> None:
        publish()
        received(operator)
        with pytest.raises(receipts.NoSuchKey):
            receipts.revoke_key(operator=operator, key=shortened, actor="officer:1", now=NOW)

    def test_of_one_operator_do_not_speak_for_another(self, feed: Repository, operator: Operator) -> None:
        other = an_operator("sample-mobile")
        publish()
        received(operator)
        with pytest.raises(receipts.KeyRefused):
            record(other, signed(operator, a_receipt(other)))

    def test_do_not_sign_what_was_changed_after(self, feed: Repository, operator: Operator) -> None:
        publish()
        whole = signed(operator, a_receipt(operator))
        changed = dataclasses.replace(whole, receipt=a_receipt(operator, digest="0" * 64))
        with pytest.raises(InvalidReceipt) as refused:
            record(operator, changed)
        assert refused.value.field == "signature" and not AgentKey.objects.exists()

    def test_are_not_taken_without_end(
        self, feed: Repository, operator: Operator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        publish()
        monkeypatch.setattr("rahdari.publish.receipts.MOST_KEYS", 2)
        for _ in range(2):
            record(operator, SignedReceipt.sign(a_receipt(operator), Ed25519PrivateKey.generate()))
        with pytest.raises(receipts.KeyRefused):
            record(operator, SignedReceipt.sign(a_receipt(operator), Ed25519PrivateKey.generate()))


@pytest.mark.urls("rahdari.publish.urls")
class TestReceiptApi:
    """Only our own address, so that this room is tested alone."""

    @pytest.fixture
    def token(self, feed: Repository) -> str:
        token = actions.create_operator(slug="sample-fibre", name="Sample Fibre", asns=[64500], now=NOW)
        publish()
        return token

    @property
    def operator(self) -> Operator:
        return Operator.objects.get(slug="sample-fibre")

    def body(self, **options: Any) -> bytes:
        return signed(self.operator, a_receipt(self.operator, **options)).body

    def post(self, body: bytes, token: str, *, content_type: str = "application/json", **headers: str) -> Any:
        if token:
            headers["Authorization"] = f"Bearer {token}"
        return Client(enforce_csrf_checks=True).post("/feed/receipt", body, content_type=content_type, headers=headers)

    def test_answers_with_where_the_operator_stands(self, token: str) -> None:
        body = self.body()
        first, again = self.post(body, token), self.post(body, token)
        assert (first.status_code, again.status_code) == (201, 200)
        assert first.json() == again.json() == {"standing": "good", "sequence": 0}
        assert first["Cache-Control"].startswith("max-age=0")
        drifted = self.post(self.body(digest="0" * 64), token)
        assert (drifted.status_code, drifted.json()["standing"]) == (201, "drift")

    @pytest.mark.parametrize("given", ["", "x", "x" * 5000, "ناقص"])
    def test_refuses_who_has_no_token(self, token: str, given: str) -> None:
        answer = self.post(self.body(), given)
        assert answer.status_code == 401 and answer["WWW-Authenticate"] == "Bearer"
        assert answer["Content-Type"] == "application/problem+json"
        assert answer.json()["type"] == "urn:rahdari:problem:unauthorised"

    def test_refuses_an_operator_that_was_stopped(self, token: str) -> None:
        body = self.body()
        assert self.post(body, token).status_code == 201
        actions.stop_operator(operator=self.operator, actor="officer:1", now=NOW)
        assert self.post(body, token).status_code == 401

    def test_takes_a_certificate_from_a_proxy_that_is_trusted_and_from_nobody_else(
        self, token: str, settings: Any
    ) -> None:
        certificate = a_certificate()
        give(self.operator, pem(certificate))
        shown = ":" + base64.b64encode(certificate.public_bytes(Encoding.DER)).decode() + ":"
        header = {"Client-Cert": shown}
        body = self.body()
        assert self.post(body, "", **header).status_code == 401, "no header is named"
        settings.FEED_CERTIFICATE_HEADER = "Client-Cert"
        assert self.post(body, "", **header).status_code == 401, "no proxy is trusted"
        settings.TRUSTED_PROXIES = ["192.0.2.0/24"]
        assert self.post(body, "", **header).status_code == 401, "it is not that one"
        settings.TRUSTED_PROXIES = ["127.0.0.0/8"]
        assert self.post(body, "", **header).status_code == 201
        assert self.post(body, "", **{"Client-Cert": ":AAAA:"}).status_code == 401

    @pytest.mark.parametrize("body", [b" ", b"{", b"[]", b"\xff", b"[" * 60_000, b'{"receipt":null}'])
    def test_refuses_what_is_no_receipt(self, token: str, body: bytes) -> None:
        answer = self.post(body, token)
        assert answer.status_code == 422 and answer.json()["field"] in {"receipt", "key"}

    def test_refuses_what_is_not_signed(self, token: str) -> None:
        answer = self.post(a_receipt(self.operator).body, token)
        assert (answer.status_code, answer.json()["field"]) == (422, "receipt")

    def test_refuses_a_signature_of_a_key_that_was_revoked(self, token: str) -> None:
        body = self.body()
        self.post(body, token)
        (key,) = queries.agent_keys_of(self.operator)
        receipts.revoke_key(operator=self.operator, key=key.key, actor="officer:1", now=NOW)
        answer = self.post(body, token)
        assert (answer.status_code, answer.json()["field"]) == (422, "key")

    @pytest.mark.parametrize(
        ("change", "status", "kind"),
        [
            ({"sequence": -1}, 422, "invalid-receipt"),
            ({"digest": None}, 422, "invalid-receipt"),
            ({"digest": "0" * 64}, 422, "invalid-receipt"),
            ({"targets": [{"name": "\ud800", "kind": "nft", "loaded": 1, "ok": True}]}, 422, "invalid-receipt"),
            ({"targets": [{"name": "a\u0000", "kind": "nft", "loaded": 1, "ok": True}]}, 422, "invalid-receipt"),
            ({"format": "2.0"}, 422, "unsupported-format"),
            ({"more": "x" * 70_000}, 413, "too-large"),
        ],
    )
    def test_says_what_is_wrong(self, token: str, change: dict[str, Any], status: int, kind: str) -> None:
        whole = json.loads(self.body())
        whole["receipt"].update(change)
        answer = self.post(json.dumps(whole).encode(), token)
        assert (answer.status_code, answer.json()["type"]) == (status, f"urn:rahdari:problem:{kind}")

    def test_takes_json_by_post_only(self, token: str) -> None:
        assert self.post(self.body(), token, content_type="text/plain").status_code == 415
        answer = Client().get("/feed/receipt", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 405 and answer["Allow"] == "POST"
