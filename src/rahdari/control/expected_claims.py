"""What we hold an address against: from what the applicant gave and from our own tokens, the claim of a probe.

Our tokens and our one-time WireGuard key are derived from the challenge, as the link's token is: no table holds them,
and there is nothing to delete. What the applicant gave in confidence (the key of an OpenVPN profile made for this) is
encrypted while the challenge lives, and erased when it ends.
"""

import base64
import hashlib
import ipaddress
import json
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from django.conf import settings

from rahdari.probe import wireguard
from rahdari.probe.claims import CLAIMS, AlpnClaim, Claim, DnsClaim, HttpClaim, WireguardClaim
from rahdari.probe.claims import Method as Probe
from rahdari.probe.names import challenge_name
from rahdari.vault import links

from . import rules
from .models import Challenge, Method

HTTP = "control.http"
ALPN = "control.tls-alpn"
DNS = "control.dns"
WIREGUARD = "control.wireguard"
RECORD = "control.record"


def is_looked_at(method: str) -> bool:
    """Whether we go and look: all ways but the link, which is opened, and the code, which is typed."""
    return method == Method.RECORD or _is_probed(method)


def _is_probed(method: str) -> bool:
    return method in {probe.value for probe in Probe}


def claim_of(challenge: Challenge) -> Claim:
    """What the next look holds the address against. Raises ValueError for what was given and will not do."""
    return make_claim(challenge.method, challenge.facts, tokens_of(challenge))


def tokens_of(challenge: Challenge) -> str:
    """From what our tokens and our key are derived: a proof that is shown again has those of the first time."""
    return str(challenge.repeats_id or challenge.pk)


def make_claim(method: str, given: Mapping[str, Any], id: str) -> Claim:
    """The claim of a way, from what was given and from the tokens of the challenge with this id. Raises ValueError."""
    if method in rules.OF_THE_WHOLE:
        raise ValueError(method)
    facts = {name: value for name, value in given.items() if name != "at"}
    match method:
        case Method.HTTP:
            line = rules.token_line(links.token(HTTP, id))
            return HttpClaim(line=line, path=rules.TOKEN_PATH, port=settings.PROOF_HTTP_PORT, limit=rules.TOKEN_BYTES)
        case Method.TLS_ALPN:
            facts["key_authorization"] = links.token(ALPN, id)
        case Method.DNS:
            facts["value"] = rules.token_line(links.token(DNS, id))
        case Method.WIREGUARD:
            facts["private_key"] = our_wireguard_key(id)
    return CLAIMS[Probe(method)](**facts)


def our_wireguard_key(id: str) -> str:
    return wireguard.format_key(hashlib.sha256(links.token(WIREGUARD, id).encode()).digest())


def our_wireguard_public_key(challenge: Challenge) -> str:
    """What the applicant adds as a peer without addresses."""
    private = X25519PrivateKey.from_private_bytes(base64.b64decode(our_wireguard_key(tokens_of(challenge))))
    return wireguard.format_key(private.public_key().public_bytes_raw())


def shown_for(challenge: Challenge) -> dict[str, str]:
    """What the applicant copies for this way: our public key, or what to put where."""
    if challenge.method == Method.RECORD:
        return {"text": rules.token_line(links.token(RECORD, tokens_of(challenge)))}
    match claim_of(challenge):
        case WireguardClaim():
            return {"our_key": our_wireguard_public_key(challenge)}
        case HttpClaim(line=line, path=path, port=port):
            return {"path": path, "text": line, "port": str(port)}
        case AlpnClaim(key_authorization=text):
            digest = hashlib.sha256(text.encode())
            return {"text": text, "digest": digest.hexdigest(), "digest_bytes": digest.digest().hex(":")}
        case DnsClaim(name=name, value=text):
            return {"record": challenge_name(name), "text": text}
    return {}


def address_asked(challenge: Challenge) -> rules.Address:
    """The one address of the block at which we look: the one that was given, or the first usable one."""
    at = challenge.facts.get("at")
    return ipaddress.ip_address(at) if at else rules.address_to_ask(challenge.network)


def without_secrets(challenge: Challenge) -> str:
    """What stays of what was given when the challenge has ended."""
    if not challenge.given or challenge.method == Method.CONTACT:
        return ""  # of contacts the evidence has the domain
    secrets = CLAIMS[Probe(challenge.method)].SECRETS if _is_probed(challenge.method) else frozenset()
    return json.dumps({name: value for name, value in challenge.facts.items() if name not in secrets}, sort_keys=True)


def can_be_repeated(challenge: Challenge) -> bool:
    """Whether we can look again without the holder: not a link, and nothing of which a part was erased or not kept."""
    if not is_looked_at(challenge.method) or challenge.facts.get("wrap"):
        return False
    if challenge.method == Method.RECORD:
        return True  # the line may still be there
    try:
        claim_of(challenge)
    except (TypeError, ValueError):
        return False
    return True
