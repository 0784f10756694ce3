"""The one door to all methods, and the claims that go through it."""

import dataclasses
import ipaddress
import json
import socket
import threading
from collections.abc import Iterator

import pytest

from rahdari import probe
from rahdari.probe import Method, Outcome, ProbeAnswer, openvpn_keys, wireguard
from rahdari.probe.advice import _BY_DETAIL, _BY_OUTCOME, Advice
from tests.ports import free_port

LOOPBACK = ipaddress.ip_address("127.0.0.1")
HERE = probe.Standpoint(allowed_ranges=("127.0.0.0/8",))
PRINT = "ab" * 32
OURS, THEIRS = wireguard.new_key(), wireguard.new_key()
CLAIMS: list[probe.Claim] = [
    probe.HttpClaim(line="rahdari=sample"),
    probe.AlpnClaim(key_authorization="sample.key"),
    probe.TlsClaim(fingerprint=PRINT, server_name="vpn.sample.example"),
    probe.SstpClaim(fingerprint=PRINT),
    probe.OpenVpnClaim(fingerprint=PRINT, tcp=True),
    probe.WireguardClaim(private_key=OURS[0], peer_key=THEIRS[1]),
    probe.IkeClaim(fingerprint=PRINT),
    probe.DnsClaim(name="vpn.sample.example", value="sample"),
]


class TestClaims:
    def test_are_there_for_each_method(self) -> None:
        assert [claim.METHOD for claim in CLAIMS] == list(Method)

    @pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.METHOD)
    def test_are_the_same_after_a_journey(self, claim: probe.Claim) -> None:
        assert probe.claim_from(json.loads(json.dumps(claim.as_data()))) == claim

    @pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.METHOD)
    def test_keep_their_secrets_out_of_records(self, claim: probe.Claim) -> None:
        kept = claim.without_secrets()
        assert not claim.SECRETS & set(kept) and kept["method"] == claim.METHOD
        assert OURS[0] not in json.dumps(kept)

    @pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.METHOD)
    def test_are_refused_with_what_they_do_not_know(self, claim: probe.Claim) -> None:
        good = claim.as_data()
        needed = [field.name for field in dataclasses.fields(claim) if field.default is dataclasses.MISSING]
        bad = [
            {**good, "shell": "x"},
            {**good, "method": "ping"},
            {name: value for name, value in good.items() if name != "method"},
            *({name: value for name, value in good.items() if name != missing} for missing in needed),
            *({**good, name: None} for name in needed),
            *({**good, name: value} for name in ("port",) if name in good for value in (0, 65_536, True, "443", 1.0)),
        ]
        for data in bad:
            with pytest.raises(ValueError):
                probe.claim_from(data)

    @pytest.mark.parametrize(
        "wrong",
        [
            {"method": "http", "line": "two words"},
            {"method": "http", "line": "x", "path": "relative"},
            {"method": "http", "line": "x", "path": "/a\r\nb"},
            {"method": "http", "line": "x", "limit": 10**9},
            {"method": "tls", "fingerprint": "ab"},
            {"method": "tls", "fingerprint": PRINT, "server_name": "x y"},
            {"method": "ikev2", "fingerprint": PRINT, "server_name": "-"},
            {"method": "openvpn", "fingerprint": PRINT, "wrap": "tls-crypt"},
            {"method": "openvpn", "fingerprint": PRINT, "shared_key": "x"},
            {"method": "openvpn", "fingerprint": PRINT, "wrap": "xor", "shared_key": "x"},
            {"method": "wireguard", "private_key": "", "peer_key": THEIRS[1]},
            {"method": "wireguard", "private_key": OURS[0], "peer_key": THEIRS[1], "moment": -1},
            {"method": "dns", "name": "localhost", "value": "x"},
            {"method": "dns", "name": "VPN.sample.example", "value": "x"},
            {"method": "dns", "name": "vpn.sample.example", "value": "x" * 256},
        ],
    )
    def test_are_judged_when_they_are_made(self, wrong: dict[str, object]) -> None:
        with pytest.raises(ValueError):
            probe.claim_from(wrong)


@pytest.fixture
def web() -> Iterator[tuple[int, list[bytes]]]:
    """A web server with one answer at a time."""
    answers: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            connection, _ = listener.accept()
            with connection:
                if not connection.recv(4096):
                    return
                connection.sendall(answers[0])

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()[1], answers
    finally:
        socket.create_connection(listener.getsockname()).close()
        thread.join()
        listener.close()


def answer(body: str, status: str = "200 OK", more: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\n{more}Content-Length: {len(body)}\r\n\r\n{body}".encode()


class TestProve:
    @pytest.mark.parametrize(
        ("sent", "outcome", "detail"),
        [
            (answer("hello\nrahdari=sample\n"), Outcome.PROVED, ""),
            (answer("rahdari=another\n"), Outcome.OTHER_KEY, "other_text"),
            (answer("see rahdari=sample"), Outcome.OTHER_KEY, "other_text"),
            (answer("", "404 Not Found"), Outcome.ANSWERED, "not_found"),
            (answer("", "302 Found", "Location: /elsewhere\r\n"), Outcome.ANSWERED, "redirected"),
            (answer("x" * 5000), Outcome.MALFORMED, "too_long"),
        ],
    )
    def test_holds_a_line_of_text_against_a_web_server(
        self, web: tuple[int, list[bytes]], sent: bytes, outcome: Outcome, detail: str
    ) -> None:
        port, answers = web
        answers.append(sent)
        claim = probe.HttpClaim(line="rahdari=sample", port=port)
        found = probe.prove(claim, address=LOOPBACK, timeout=30.0, standpoint=HERE)
        assert (found.outcome, found.detail) == (outcome, detail)
        assert bool(probe.advice_for(found)) is (outcome is not Outcome.PROVED)
        assert ProbeAnswer.from_data(json.loads(json.dumps(found.as_data()))).as_data() == found.as_data()

    @pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.METHOD)
    def test_goes_nowhere_but_into_the_open_net(self, claim: probe.Claim) -> None:
        found = probe.prove(claim, address=LOOPBACK, timeout=1.0)
        assert (found.outcome, found.sent) == (Outcome.NOT_GLOBAL, 0)
        assert probe.advice_for(found) == (Advice.PUBLIC_ADDRESS_NEEDED,)

    @pytest.mark.parametrize("claim", [claim for claim in CLAIMS if claim.METHOD not in {Method.DNS, Method.IKEV2}])
    def test_is_told_when_nothing_listens(self, claim: probe.Claim) -> None:
        # The kernel gives this number to nobody, for TCP or for UDP.
        closed = dataclasses.replace(claim, port=free_port())  # type: ignore[call-arg]
        assert probe.prove(closed, address=LOOPBACK, timeout=30.0, standpoint=HERE).outcome is Outcome.REFUSED

    @pytest.mark.parametrize("timeout", [0, -1, 61])
    def test_has_a_bounded_time(self, timeout: float) -> None:
        with pytest.raises(ValueError):
            probe.prove(CLAIMS[0], address=LOOPBACK, timeout=timeout)


class TestAdvice:
    @pytest.mark.parametrize("outcome", Outcome)
    @pytest.mark.parametrize(
        "protocol", ["wireguard", "openvpn-udp", "openvpn-tcp", "ikev2", "tls", "sstp", "http", "dns"]
    )
    def test_is_there_for_whatever_proves_nothing(self, outcome: Outcome, protocol: str) -> None:
        advice = probe.advice_for(ProbeAnswer(outcome, protocol))
        assert bool(advice) is (outcome is not Outcome.PROVED)
        assert len(set(advice)) == len(advice)

    def test_does_not_ask_for_a_shared_key_that_was_given(self) -> None:
        silent = ProbeAnswer(Outcome.SILENT, "openvpn-udp")
        given = dataclasses.replace(silent, more={"wrap": "tls-crypt"})
        assert probe.advice_for(silent)[0] is Advice.GIVE_SHARED_KEY
        assert probe.advice_for(given)[0] is Advice.CHECK_SHARED_KEY

    def test_is_used_every_word_of_it(self) -> None:
        said = {word for given in (*_BY_DETAIL.values(), *_BY_OUTCOME.values()) for word in given}
        for protocol in ("wireguard", "openvpn-udp", "openvpn-tcp", "ikev2"):
            for outcome in Outcome:
                said |= set(probe.advice_for(ProbeAnswer(outcome, protocol)))
        assert said | {Advice.CHECK_SHARED_KEY} == set(Advice)


class TestFromData:
    @pytest.mark.parametrize(
        "wrong", [{}, {"outcome": "fine"}, {"outcome": "proved", "sent": "1"}, {"outcome": "proved", "key": 3}]
    )
    def test_refuses_what_is_no_answer(self, wrong: dict[str, object]) -> None:
        with pytest.raises(ValueError):
            ProbeAnswer.from_data(wrong)  # type: ignore[arg-type]


class TestProfile:
    KEY = "-----BEGIN OpenVPN Static key V1-----\n" + "ab" * 256 + "\n-----END OpenVPN Static key V1-----"

    def test_gives_what_the_check_needs_and_nothing_else(self) -> None:
        text = (
            "client\nremote vpn.sample.example 443 tcp\nauth SHA256\nkey-direction 1 # ours\n"
            f"<key>\nsecret\n</key>\n<tls-auth>\n{self.KEY}\n</tls-auth>\n"
        )
        profile = openvpn_keys.read_profile(text)
        assert (profile.wrap, profile.direction, profile.digest) == ("tls-auth", "1", "SHA256")
        assert (profile.port, profile.tcp, profile.shared_key) == (443, True, self.KEY)
        assert "secret" not in repr(profile)

    def test_may_hide_nothing(self) -> None:
        assert openvpn_keys.read_profile("client\nremote 192.0.2.1\n") == openvpn_keys.Profile()

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("tls-crypt ta.key\n", "put it inside"),
            ("<tls-crypt>\nx\n</tls-crypt>\n", "256 bytes"),
            ("<tls-crypt-v2>\nx\n</tls-crypt-v2>\n", "client key"),
            ("port x\n", "no number"),
            ("#" * 70_000, "64 KB"),
            (f"auth ROT13\n<tls-auth>\n{KEY}\n</tls-auth>\n", "digest"),
            (f"key-direction 7\n<tls-auth>\n{KEY}\n</tls-auth>\n", "direction"),
        ],
    )
    def test_is_refused_with_the_reason(self, text: str, says: str) -> None:
        with pytest.raises(ValueError, match=says):
            openvpn_keys.read_profile(text)
