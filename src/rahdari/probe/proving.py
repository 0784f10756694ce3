"""The one door: hold one claim against one address, once.

answer = prove(WireguardClaim(...), address=ip_address("203.0.113.7"))
answer.outcome, answer.as_data(), advice_for(answer)
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from rahdari.address import Address, Block

from . import http, ikev2, openvpn, tls, wireguard
from .claims import (
    AlpnClaim,
    Claim,
    DnsClaim,
    HttpClaim,
    IkeClaim,
    Method,
    OpenVpnClaim,
    SstpClaim,
    TlsClaim,
    WireguardClaim,
)
from .outcome import Outcome, ProbeAnswer

TIMEOUT = 10.0
LONGEST = 60.0


@dataclass(frozen=True)
class Standpoint:
    """From where it is looked: the special ranges that may be asked there (demonstration, tests), and the resolvers
    for names, as `ADDRESS` or `ADDRESS:PORT` / `[ADDRESS]:PORT`; none means that names cannot be asked from here.
    """

    allowed_ranges: tuple[str | Block, ...] = ()
    resolvers: tuple[str, ...] = ()


def prove(
    claim: Claim, *, address: Address, timeout: float = TIMEOUT, standpoint: Standpoint | None = None
) -> ProbeAnswer:
    """One attempt, over by its deadline. Never raises for what the other side does."""
    if not 0 < timeout <= LONGEST:
        raise ValueError(f"a timeout is more than nothing and at most {LONGEST:.0f} seconds")
    return _WAYS[claim.METHOD](claim, _Given(address, timeout, standpoint or Standpoint()))


@dataclass(frozen=True)
class _Given:
    address: Address
    timeout: float
    standpoint: Standpoint

    @property
    def allowed_ranges(self) -> Iterable[str | Block]:
        return self.standpoint.allowed_ranges


def _http(claim: HttpClaim, given: _Given) -> ProbeAnswer:
    found = http.fetch_token(
        given.address,
        path=claim.path,
        port=claim.port,
        limit=claim.limit,
        timeout=given.timeout,
        allowed_ranges=given.allowed_ranges,
    )
    outcome, detail = _OF_HTTP[found.outcome], found.detail
    if found.outcome is http.HttpOutcome.FOUND:
        lines = found.body_start.decode("utf-8", "replace").splitlines()
        same = any(line.strip() == claim.line for line in lines)
        outcome, detail = (Outcome.PROVED, "") if same else (Outcome.OTHER_KEY, "other_text")
    elif outcome is Outcome.ANSWERED:
        detail = found.outcome.value
    elif found.outcome is http.HttpOutcome.TOO_LONG:
        detail = "too_long"
    more = {"status": found.status, "location": found.location, "connected_to": found.connected_to}
    if outcome is not Outcome.PROVED and found.body_start:
        more["body_start"] = http.printable(found.body_start[:200])
    return ProbeAnswer(
        outcome,
        Method.HTTP.value,
        detail=detail,
        sent=int(outcome is not Outcome.NOT_GLOBAL),
        elapsed=found.elapsed,
        more={name: value for name, value in more.items() if value is not None},
    )


_OF_HTTP = {
    http.HttpOutcome.FOUND: Outcome.PROVED,
    http.HttpOutcome.NOT_FOUND: Outcome.ANSWERED,
    http.HttpOutcome.REDIRECTED: Outcome.ANSWERED,
    http.HttpOutcome.TOO_LONG: Outcome.MALFORMED,
    http.HttpOutcome.MALFORMED: Outcome.MALFORMED,
    http.HttpOutcome.REFUSED: Outcome.REFUSED,
    http.HttpOutcome.TIMED_OUT: Outcome.TIMED_OUT,
    http.HttpOutcome.RESET: Outcome.RESET,
    http.HttpOutcome.UNREACHABLE: Outcome.UNREACHABLE,
    http.HttpOutcome.NOT_GLOBAL: Outcome.NOT_GLOBAL,
}


def _tls_alpn(claim: AlpnClaim, given: _Given) -> ProbeAnswer:
    return tls.challenge(
        given.address,
        key_authorization=claim.key_authorization,
        port=claim.port,
        timeout=given.timeout,
        allowed_ranges=given.allowed_ranges,
    )


def _tls(claim: TlsClaim, given: _Given) -> ProbeAnswer:
    return tls.match_certificate(
        given.address,
        port=claim.port,
        fingerprint=claim.fingerprint,
        server_name=claim.server_name,
        sstp=isinstance(claim, SstpClaim),
        timeout=given.timeout,
        allowed_ranges=given.allowed_ranges,
    )


def _openvpn(claim: OpenVpnClaim, given: _Given) -> ProbeAnswer:
    return openvpn.match_certificate(
        given.address,
        port=claim.port,
        fingerprint=claim.fingerprint,
        tcp=claim.tcp,
        wrap=claim.wrap,
        shared_key=claim.shared_key,
        direction=claim.direction,
        digest=claim.digest,
        timeout=given.timeout,
        allowed_ranges=given.allowed_ranges,
    )


def _wireguard(claim: WireguardClaim, given: _Given) -> ProbeAnswer:
    return wireguard.shake_hands(
        given.address,
        port=claim.port,
        private_key=claim.private_key,
        peer_key=claim.peer_key,
        psk=claim.psk,
        moment=claim.moment,
        timeout=given.timeout,
        allowed_ranges=given.allowed_ranges,
    )


def _ikev2(claim: IkeClaim, given: _Given) -> ProbeAnswer:
    return ikev2.match_certificate(
        given.address,
        port=claim.port,
        fingerprint=claim.fingerprint,
        server_name=claim.server_name,
        timeout=given.timeout,
        allowed_ranges=given.allowed_ranges,
    )


def _dns(claim: DnsClaim, given: _Given) -> ProbeAnswer:
    from . import names  # needs dnspython, which an operator's machine has no use for

    return names.prove_name(
        given.address,
        name=claim.name,
        value=claim.value,
        resolvers=given.standpoint.resolvers,
        timeout=given.timeout,
        allowed_ranges=given.allowed_ranges,
    )


# Each takes the claim of its method, which its key says.
_WAYS: dict[Method, Callable[[Any, _Given], ProbeAnswer]] = {
    Method.HTTP: _http,
    Method.TLS_ALPN: _tls_alpn,
    Method.TLS: _tls,
    Method.SSTP: _tls,
    Method.OPENVPN: _openvpn,
    Method.WIREGUARD: _wireguard,
    Method.IKEV2: _ikev2,
    Method.DNS: _dns,
}
