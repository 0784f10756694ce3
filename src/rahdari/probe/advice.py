"""What to try next after a probe that proved nothing: keys, whose words are the page's.

The first is what helps most often. No answer proves nothing, so none of them says that somebody is not who they say.
"""

from enum import StrEnum

from .outcome import Outcome, ProbeAnswer


class Advice(StrEnum):
    ADD_OUR_KEY = "add_our_key"  # WireGuard: as a peer without allowed addresses
    CHECK_THEIR_KEY = "check_their_key"  # the public key that was claimed
    CHECK_FINGERPRINT = "check_fingerprint"  # another certificate answered; `.key` says which
    GIVE_SHARED_KEY = "give_shared_key"  # OpenVPN: a temporary client profile
    CHECK_SHARED_KEY = "check_shared_key"
    CHECK_TRANSPORT = "check_transport"  # OpenVPN: TCP or UDP
    CHECK_PORT = "check_port"
    CHECK_PROTOCOL = "check_protocol"  # something else lives at that port
    START_DAEMON = "start_daemon"
    OPEN_FIREWALL = "open_firewall"
    SET_SERVER_NAME = "set_server_name"
    ALLOW_EAP = "allow_eap"  # IKEv2: a responder shows itself first to clients who come by EAP
    OFFER_COMMON_CIPHERS = "offer_common_ciphers"
    PUT_TEXT = "put_text"  # the file, record or certificate of the challenge is not there
    CORRECT_TEXT = "correct_text"  # it is there and says something else
    NO_REDIRECT = "no_redirect"
    POINT_NAME_HERE = "point_name_here"
    CHECK_ADDRESS = "check_address"
    TRY_AGAIN = "try_again"
    OTHER_WAY = "other_way"  # prove it by another method
    PUBLIC_ADDRESS_NEEDED = "public_address_needed"
    OUR_FAULT = "our_fault"  # our resolvers, our network: nothing that the applicant can do


A = Advice
_NOBODY = (A.CHECK_PORT, A.OPEN_FIREWALL, A.TRY_AGAIN, A.OTHER_WAY)
# What a protocol answers to strangers is silence, or nothing that identifies it.
_BY_PROTOCOL: dict[tuple[str, Outcome], tuple[Advice, ...]] = {
    ("wireguard", Outcome.SILENT): (A.ADD_OUR_KEY, A.CHECK_THEIR_KEY, A.CHECK_PORT, A.TRY_AGAIN, A.OTHER_WAY),
    ("wireguard", Outcome.MALFORMED): (A.CHECK_PORT, A.CHECK_THEIR_KEY),
    ("openvpn-udp", Outcome.SILENT): (A.GIVE_SHARED_KEY, A.CHECK_TRANSPORT, A.CHECK_PORT, A.TRY_AGAIN, A.OTHER_WAY),
    ("openvpn-udp", Outcome.REFUSED): (A.CHECK_TRANSPORT, A.CHECK_PORT, A.START_DAEMON),
    ("openvpn-tcp", Outcome.REFUSED): (A.CHECK_TRANSPORT, A.CHECK_PORT, A.START_DAEMON),
    ("openvpn-tcp", Outcome.TIMED_OUT): (A.GIVE_SHARED_KEY, A.CHECK_TRANSPORT, A.OPEN_FIREWALL, A.TRY_AGAIN),
    ("openvpn-tcp", Outcome.RESET): (A.GIVE_SHARED_KEY, A.CHECK_PORT, A.OTHER_WAY),
    ("ikev2", Outcome.SILENT): (A.CHECK_PORT, A.OPEN_FIREWALL, A.TRY_AGAIN, A.OTHER_WAY),
}
_BY_DETAIL: dict[tuple[str, str], tuple[Advice, ...]] = {
    ("http", "not_found"): (A.PUT_TEXT,),
    ("http", "redirected"): (A.NO_REDIRECT,),
    ("http", "other_text"): (A.CORRECT_TEXT,),
    ("http", "too_long"): (A.CORRECT_TEXT,),
    ("tls-alpn-01", "no_alpn"): (A.PUT_TEXT, A.OTHER_WAY),
    ("tls-alpn-01", "no_extension"): (A.PUT_TEXT, A.OTHER_WAY),
    ("tls-alpn-01", "no_certificate"): (A.PUT_TEXT, A.OTHER_WAY),
    ("tls-alpn-01", "other_name"): (A.CHECK_ADDRESS, A.CORRECT_TEXT),
    ("tls-alpn-01", "other_token"): (A.CORRECT_TEXT,),
    ("sstp", "no_sstp"): (A.CHECK_PROTOCOL, A.SET_SERVER_NAME),
    ("ikev2", "authentication_failed"): (A.ALLOW_EAP, A.SET_SERVER_NAME, A.OTHER_WAY),
    ("ikev2", "no_certificate"): (A.ALLOW_EAP, A.OTHER_WAY),
    ("ikev2", "no_proposal_chosen"): (A.OFFER_COMMON_CIPHERS, A.OTHER_WAY),
    ("dns", "no_record"): (A.PUT_TEXT, A.TRY_AGAIN),
    ("dns", "other_text"): (A.CORRECT_TEXT, A.TRY_AGAIN),
    ("dns", "other_address"): (A.POINT_NAME_HERE, A.TRY_AGAIN),
    ("dns", "no_resolver"): (A.OUR_FAULT,),
    ("dns", "resolver"): (A.OUR_FAULT, A.TRY_AGAIN),
}
_BY_OUTCOME: dict[Outcome, tuple[Advice, ...]] = {
    Outcome.PROVED: (),
    Outcome.ANSWERED: (A.TRY_AGAIN, A.OTHER_WAY),
    Outcome.OTHER_KEY: (A.CHECK_FINGERPRINT, A.CHECK_PORT),
    Outcome.MALFORMED: (A.CHECK_PROTOCOL, A.CHECK_PORT),
    Outcome.SILENT: _NOBODY,
    Outcome.REFUSED: (A.START_DAEMON, A.CHECK_PORT),
    Outcome.RESET: (A.CHECK_PROTOCOL, A.CHECK_PORT, A.OTHER_WAY),
    Outcome.TIMED_OUT: (A.OPEN_FIREWALL, A.CHECK_ADDRESS, A.TRY_AGAIN),
    Outcome.UNREACHABLE: (A.CHECK_ADDRESS, A.TRY_AGAIN),
    Outcome.NOT_GLOBAL: (A.PUBLIC_ADDRESS_NEEDED,),
}


def advice_for(answer: ProbeAnswer) -> tuple[Advice, ...]:
    """What to try next, the likeliest first; nothing after a proof."""
    if answer.outcome is Outcome.PROVED:
        return ()
    found = (
        _BY_DETAIL.get((answer.protocol, answer.detail))
        or _BY_PROTOCOL.get((answer.protocol, answer.outcome))
        or _BY_OUTCOME[answer.outcome]
    )
    if A.GIVE_SHARED_KEY in found and answer.more.get("wrap"):
        return tuple(A.CHECK_SHARED_KEY if each is A.GIVE_SHARED_KEY else each for each in found)
    return found
