"""Ways to prove an address through control's acts, against the real daemons across a line: one right, one wrong each.

The register stands in this process; its one place is the prober's machine of the line.
"""

import datetime as dt
import ipaddress
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings

from rahdari.control import attempts, challenges, expected_claims, method_words, places, queries, reproofs
from rahdari.control.models import Challenge, Method, ProbeAttempt
from rahdari.probe import wireguard
from rahdari.vault import keys
from tests.probe.certificates import Identity
from tests.probe.charon import a_charon
from tests.probe.networks import SERVER, SERVER6, Line
from tests.probe.test_openvpn import a_daemon, hide
from tests.probe.test_tls import behind_stunnel, line  # noqa: F401 (fixtures)
from tests.probe.test_wireguard import PORT, THEIRS, Endpoint, endpoint  # noqa: F401

pytestmark = pytest.mark.django_db

NOW = dt.datetime(2026, 11, 10, 9, 31, 40, tzinfo=dt.UTC)
WEEK = dt.timedelta(days=7)
NOBODY = "0" * 64


@pytest.fixture(autouse=True)
def vault_keys() -> None:
    keys.make_missing(Path(django_settings.DATA) / "keys")


class Register:
    """What an applicant does here, with the looks made from the prober's machine."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.monkeypatch = monkeypatch
        self.now = NOW

    def stands_at(self, where: Line) -> None:
        from_here = places.look_from_all
        self.monkeypatch.setattr(places, "look_from_all", lambda *asked: where.at_prober(lambda: from_here(*asked)))

    def open(self, method: Method, *, at: object = SERVER, subject: str = "", **given: Any) -> Challenge:
        return challenges.open_challenge(
            subject=subject or f"endpoint:{uuid.uuid4()}",
            block=ipaddress.ip_network(str(at)),
            method=method,
            valid_for=WEEK,
            given=given,
            now=self.now,
        )

    def look(self, challenge: Challenge, *, timeout: float = 60.0) -> ProbeAttempt:
        self.now += dt.timedelta(minutes=1)
        return attempts.look_once(challenge=challenge, now=self.now, timeout=timeout)


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch) -> Register:
    return Register(monkeypatch)


def is_proved(challenge: Challenge) -> bool:
    return queries.is_proved(challenge.subject, challenge.network)


class TestWireguard:
    @pytest.mark.parametrize("at", [SERVER, SERVER6])
    def test_is_silent_until_our_key_is_a_peer_and_then_proves(
        self,
        register: Register,
        endpoint: Endpoint,  # noqa: F811
        at: object,
    ) -> None:
        register.stands_at(endpoint.line)
        challenge = register.open(Method.WIREGUARD, at=at, peer_key=THEIRS[1], port=PORT)
        silent = register.look(challenge, timeout=1.5)
        assert silent.finding == "silent"
        assert method_words.advice_of(silent)[0].startswith("Add our key as a peer")
        assert not is_proved(challenge)
        endpoint.add_peer(expected_claims.our_wireguard_public_key(challenge))
        assert register.look(challenge).finding == "proved"
        assert is_proved(challenge)

    def test_of_another_server_proves_nothing(self, register: Register, endpoint: Endpoint) -> None:  # noqa: F811
        register.stands_at(endpoint.line)
        challenge = register.open(Method.WIREGUARD, peer_key=wireguard.new_key()[1], port=PORT)
        endpoint.add_peer(expected_claims.our_wireguard_public_key(challenge))
        assert register.look(challenge, timeout=1.5).finding == "silent"
        assert not is_proved(challenge)

    def test_can_be_shown_again_while_the_peer_is_there(self, register: Register, endpoint: Endpoint) -> None:  # noqa: F811
        register.stands_at(endpoint.line)
        proof = register.open(Method.WIREGUARD, peer_key=THEIRS[1], port=PORT)
        endpoint.add_peer(expected_claims.our_wireguard_public_key(proof))
        register.look(proof)
        proof.refresh_from_db()
        reproof = reproofs.begin_reproof(
            about="entry:1", occasion="term:1", proof=proof, windows=3, between=dt.timedelta(days=2), now=register.now
        )
        assert attempts.look_at_due(now=register.now) == 1
        assert reproofs.follow_reproof(reproof=reproof, now=register.now)
        reproof.refresh_from_db()
        assert reproof.state == "shown"


class TestOpenVpn:
    @pytest.mark.parametrize("tcp", [False, True])
    def test_is_proved_by_its_certificate_alone(self, register: Register, tmp_path: Path, tcp: bool) -> None:
        with a_daemon(tmp_path, tcp=tcp) as daemon:
            register.stands_at(daemon.line)
            wrong = register.open(Method.OPENVPN, fingerprint=NOBODY, port=1194, tcp=tcp)
            other = register.look(wrong)
            assert (other.finding, other.evidence["key"]) == ("other_key", daemon.identity.fingerprint)
            assert not is_proved(wrong)
            right = register.open(Method.OPENVPN, fingerprint=daemon.identity.fingerprint, port=1194, tcp=tcp)
            assert register.look(right).finding == "proved"
            assert is_proved(right)

    def test_behind_tls_crypt_is_proved_with_a_profile_whose_key_is_then_erased(
        self, register: Register, tmp_path: Path
    ) -> None:
        from rahdari.probe.openvpn_keys import read_profile

        hidden = hide(tmp_path, "tls-crypt")
        with a_daemon(tmp_path, tcp=False, more=hidden.server) as daemon:
            register.stands_at(daemon.line)
            given: dict[str, Any] = {"fingerprint": daemon.identity.fingerprint, "port": 1194, "tcp": False}
            challenge = register.open(Method.OPENVPN, **given)
            silent = register.look(challenge, timeout=1.5)
            assert silent.finding == "silent"
            assert "tls-crypt" in method_words.advice_of(silent)[0]
            profile = read_profile(hidden.profile)
            given |= {"wrap": profile.wrap, "shared_key": profile.shared_key}
            given |= {"direction": profile.direction, "digest": profile.digest}
            assert register.open(Method.OPENVPN, subject=challenge.subject, **given).pk == challenge.pk
            proved = register.look(challenge)
            assert proved.finding == "proved"
            challenge.refresh_from_db()
            assert "shared_key" not in challenge.facts
            assert profile.shared_key not in str(proved.evidence)
            assert not expected_claims.can_be_repeated(challenge)


class TestIke:
    def test_is_proved_by_its_certificate(self, register: Register, tmp_path: Path) -> None:
        with a_charon(tmp_path / "charon") as charon:
            register.stands_at(charon.line)
            wrong = register.open(Method.IKEV2, fingerprint=NOBODY)
            assert register.look(wrong).finding == "other_key"
            right = register.open(Method.IKEV2, fingerprint=charon.identity.fingerprint)
            assert register.look(right).finding == "proved"
            assert (is_proved(wrong), is_proved(right)) == (False, True)


class TestTls:
    def test_is_proved_by_its_certificate(
        self,
        register: Register,
        line: Line,  # noqa: F811
        behind_stunnel: Identity,  # noqa: F811
    ) -> None:
        register.stands_at(line)
        wrong = register.open(Method.TLS, fingerprint=NOBODY, port=443)
        assert register.look(wrong).finding == "other_key"
        closed = register.open(Method.TLS, fingerprint=behind_stunnel.fingerprint, port=444)
        assert register.look(closed).finding == "refused"
        right = register.open(Method.TLS, fingerprint=behind_stunnel.fingerprint, port=443)
        assert register.look(right).finding == "proved"
        assert (is_proved(wrong), is_proved(closed), is_proved(right)) == (False, False, True)

    def test_of_a_vpn_that_is_not_sstp_says_so(
        self,
        register: Register,
        line: Line,  # noqa: F811
        behind_stunnel: Identity,  # noqa: F811
    ) -> None:
        register.stands_at(line)
        challenge = register.open(Method.SSTP, fingerprint=behind_stunnel.fingerprint, port=443)
        assert register.look(challenge).finding in {"answered", "reset"}
        assert not is_proved(challenge)
