"""Many attempts in one request, over the real process: each in its place, signed as one, and bounded."""

import ipaddress
from http import HTTPStatus
from pathlib import Path

import pytest
import urllib3
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rahdari import probe
from rahdari.probe import Answered, Attempt, Outcome
from rahdari.vantage import Vantage, ask_many, batch
from rahdari.vantage.client import BATCH_PATH
from rahdari.vantage.message import Unusable
from tests.ports import free_port
from tests.probe.certificates import an_identity

from .places import LOOPBACK, FakeVantage, a_vantage, now
from .test_process import Web

ANYWHERE = ipaddress.ip_address("10.0.0.1")


def of(answered: Answered) -> Outcome | str:
    return answered if isinstance(answered, str) else answered.outcome


def test_each_is_answered_in_its_place_and_the_rest_is_busy(tmp_path: Path) -> None:
    identity = an_identity(tmp_path, "vpn.sample.example")
    with a_vantage(tmp_path / "v") as place, Web(identity).running() as web:
        closed = probe.TlsClaim(identity.fingerprint, port=free_port())
        other = probe.TlsClaim("0" * 64, port=web.port)
        attempts = [
            Attempt(LOOPBACK, web.claim),
            Attempt(LOOPBACK, closed),
            Attempt(LOOPBACK, other),
            Attempt(ANYWHERE, web.claim),
        ]
        clock, answered = ask_many(place, attempts, timeout=30, now=now())
        assert [of(each) for each in answered] == ["proved", "refused", "other_key", "not_global"]
        assert clock is not None and abs((clock - now()).total_seconds()) < 60
        # The minute holds twelve for one address: three were made, and one elsewhere.
        _, answered = ask_many(place, [attempts[1]] * 11, timeout=30, now=now())
        assert [of(each) for each in answered] == ["refused"] * 9 + ["busy"] * 2
        stale, answered = ask_many(place, attempts, timeout=30, now=now().replace(year=2020))
        assert stale is None and set(answered) == {"failed"}
        assert _post(place, b'{"format":"1.0"}') == HTTPStatus.BAD_REQUEST
        assert _post(place, b"{}", token="another") == HTTPStatus.UNAUTHORIZED


def _post(place: Vantage, body: bytes, *, token: str = "") -> int:
    headers = {"Authorization": f"Bearer {token or place.token}"}
    return urllib3.request("POST", place.url + BATCH_PATH, body=body, headers=headers, retries=False).status


def test_one_that_cannot_be_reached_is_absent() -> None:
    fake = FakeVantage()
    with fake.running() as place:
        pass
    attempts = [Attempt(LOOPBACK, probe.TlsClaim("0" * 64))] * 2
    assert ask_many(place, attempts, timeout=1, now=now()) == (None, ["unreachable"] * 2)


class TestAnAnswer:
    key = Ed25519PrivateKey.generate()
    request = batch.BatchRequest(
        "1b4e28ba-2fa1-41d2-883f-0016d3cca427", (Attempt(LOOPBACK, probe.TlsClaim("0" * 64)),) * 2, 5.0, now()
    ).body()

    def read(self, body: bytes, *, request: bytes = b"", count: int = 2) -> list[Answered]:
        public = self.key.public_key().public_bytes_raw().hex()
        return batch.read_answer(body, request=request or self.request, count=count, vantage="a", key=public)[1]

    def answer(self, *, key: Ed25519PrivateKey | None = None, vantage: str = "a") -> bytes:
        seen = [probe.ProbeAnswer(Outcome.SILENT, "tls", elapsed=1.25), "busy"]
        return batch.answer(self.request, "id", seen, vantage=vantage, now=now(), key=key or self.key)

    def test_is_read_as_it_was_given(self) -> None:
        first, second = self.read(self.answer())
        assert isinstance(first, probe.ProbeAnswer) and first.elapsed == 1.25
        assert second == "busy"

    @pytest.mark.parametrize("how", ["key", "vantage", "request", "count", "altered"])
    def test_is_for_this_request_alone(self, how: str) -> None:
        body = self.answer()
        more: dict[str, object] = {}
        match how:
            case "key":
                body = self.answer(key=Ed25519PrivateKey.generate())
            case "vantage":
                body = self.answer(vantage="b")
            case "request":
                more = {"request": self.request.replace(b"5000", b"6000")}
            case "count":
                more = {"count": 3}
            case "altered":
                body = body.replace(b"silent", b"proved")
        with pytest.raises(Unusable):
            self.read(body, **more)  # type: ignore[arg-type]
