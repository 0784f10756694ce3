"""The methods to prove an address, in words: what each is, what a look found, and what to try next.

No answer proves nothing, and the sentences say so: servers of these kinds are silent to strangers by design.
"""

import datetime as dt
from dataclasses import dataclass

from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from rahdari.probe.advice import Advice, advice_for
from rahdari.probe.outcome import Outcome, ProbeAnswer
from rahdari.web.values import clock_time, code, day, ltr, name

from . import look_words
from .models import Challenge, Method, ProbeAttempt
from .rules import OF_THE_WHOLE
from .sentences import LookText, Words, clock, fill

PROTOCOLS = {
    "wireguard": "WireGuard",
    "openvpn-udp": "OpenVPN",
    "openvpn-tcp": "OpenVPN",
    "ikev2": "IKEv2",
    "sstp": "SSTP",
    "tls": "TLS",
    "tls-alpn-01": "TLS-ALPN-01",
    "dns": "DNS",
}


@dataclass(frozen=True)
class WayWords:
    """A way: its title, what is done in a sentence or two, and when and how it was a proof, with places for both."""

    title: Words
    gist: Words
    proved: Words


_CERTIFICATE = _("Proved at %(time)s on %(date)s: the server showed its certificate")
_BY_CERTIFICATE = _(
    "You give us its certificate. We open one connection as a client does, see the certificate, and close it."
)
WAYS: dict[str, WayWords] = {
    Method.LINK: WayWords(
        _("Open a link from that network"),
        _("Easiest if you can sit at a computer or phone on that network."),
        _("Proved at %(time)s on %(date)s: the link was opened"),
    ),
    Method.HTTP: WayWords(
        _("Put a token on that address"),
        _("For a web server that answers at this address."),
        _("Proved at %(time)s on %(date)s: the token was found"),
    ),
    Method.WIREGUARD: WayWords(
        _("Prove it with your WireGuard server"),
        _("You add our key as a peer that may reach nothing. When your server answers us, the address is proved."),
        _("Proved at %(time)s on %(date)s: the WireGuard server answered us"),
    ),
    Method.OPENVPN: WayWords(_("Let your OpenVPN server show its certificate"), _BY_CERTIFICATE, _CERTIFICATE),
    Method.IKEV2: WayWords(_("Let your IKEv2 server show its certificate"), _BY_CERTIFICATE, _CERTIFICATE),
    Method.SSTP: WayWords(_("Let your SSTP server show its certificate"), _BY_CERTIFICATE, _CERTIFICATE),
    Method.TLS: WayWords(
        _("Let your TLS server show its certificate"),
        _("For AnyConnect and ocserv, for OpenVPN behind stunnel, and for any other program that uses TLS."),
        _CERTIFICATE,
    ),
    Method.TLS_ALPN: WayWords(
        _("Show a certificate made for this proof"),
        _("For people who know TLS-ALPN-01 from web certificates. It needs port 443."),
        _("Proved at %(time)s on %(date)s: the certificate made for it was there"),
    ),
    Method.DNS: WayWords(
        _("Add a DNS record for the host name"),
        _("For a host name that points to this address."),
        _("Proved at %(time)s on %(date)s: the record was found"),
    ),
    Method.OPERATOR: WayWords(
        _("Ask your operator"),
        "",
        _("Proved at %(time)s on %(date)s: your operator confirmed it"),
    ),
    Method.RECORD: WayWords(
        _("Add a line to the registry’s record"),
        _("For the holder of a range at a regional registry such as APNIC, who can edit its record there."),
        _("Proved at %(time)s on %(date)s: the line was in the registry’s record"),
    ),
    Method.CONTACT: WayWords(
        _("Have a code sent to the range’s contact"),
        _("We send a code to a contact that the registry publishes for the range, and you enter it here."),
        _("Proved at %(time)s on %(date)s: the range’s contact passed on our code"),
    ),
    Method.REPORT: WayWords(
        _("Reported by the router"), "", _("Proved at %(time)s on %(date)s: the router reported it")
    ),
}


def title(method: str) -> str:
    return str(WAYS[method].title)


def gist(method: str) -> str:
    """What is done, in a sentence or two."""
    return str(WAYS[method].gist)


def proved_by(challenge: Challenge) -> SafeString:
    """When and how, in one line."""
    at = challenge.validated_at or challenge.opened_at
    return fill(str(WAYS[challenge.method].proved), time=ltr(clock_time(at)), date=day(at))


def waiting(challenge: Challenge) -> str:
    """What is awaited of a challenge for which nothing was tried yet."""
    if challenge.method == Method.LINK:
        return gettext("Waiting for the link to be opened")
    return gettext("We check as soon as you ask us to")


def looking() -> str:
    return gettext("We are checking now")


def begun() -> str:
    return gettext("Begun")


# -- what a look found -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Tried:
    """One try, for the list of them."""

    at: dt.datetime
    way: str
    place: str
    result: LookText


def of_try(attempt: ProbeAttempt) -> Tried:
    here = "–" if attempt.challenge.method in {Method.LINK, *OF_THE_WHOLE} else gettext("the register")
    return Tried(attempt.at, title(attempt.challenge.method), attempt.place or here, of_look(attempt))


_PROTOCOL = {
    Method.LINK: look_words.LINK,
    Method.HTTP: look_words.HTTP,
    Method.OPERATOR: look_words.OPERATOR,
    Method.RECORD: look_words.REGISTRY,
    Method.CONTACT: look_words.REGISTRY,
}


def of_look(attempt: ProbeAttempt) -> LookText:
    """What was found, whatever the way."""
    evidence = attempt.evidence
    protocol = _PROTOCOL.get(Method(attempt.challenge.method), str(evidence.get("protocol", "")))
    detail = str(evidence.get("status" if protocol == look_words.HTTP else "detail", ""))
    values: dict[str, object] = {
        "time": ltr(clock_time(attempt.at)) if protocol == look_words.OPERATOR else clock(attempt.at),
        "date": day(attempt.at),
        "seen": code(evidence.get("seen", "")),
        "address": code(evidence.get("asked", "")),
        "port": ltr(evidence.get("port", "")),
        "protocol": ltr(PROTOCOLS.get(str(evidence.get("protocol")), "")),
        "key": code(_short(str(evidence.get("key", "")))),
        "found": code(str(evidence.get("found", ""))[:80]),
        "addresses": code(str(evidence.get("addresses", ""))[:120]),
        "status": ltr(evidence.get("status") or ""),
        "location": code(evidence.get("location") or ""),
        "registry": name(evidence.get("registry", "")),
        "first": code(evidence.get("first", "")),
        "last": code(evidence.get("last", "")),
        "domain": ltr(evidence.get("domain", "")),
    }
    if (verdict := evidence.get("verdict")) is not None:
        detail, proved = look_words.PLACES, len(verdict["proved"])
        values |= {"proved": proved, "asked": proved + len(verdict["failed"]) + len(verdict["absent"])}
    look = look_words.look_for(attempt.finding, protocol, detail)
    return LookText(look.tone, str(look.short), str(look.heading or look.short), fill(str(look.text), **values))


def _short(key: str) -> str:
    """A fingerprint in its two ends: enough to tell two apart."""
    return f"{key[:8]}…{key[-8:]}" if len(key) > 20 else key


# -- what to try next --------------------------------------------------------------------------------------------


def advice_of(attempt: ProbeAttempt) -> list[str]:
    """What to try next, the likeliest first; nothing after a success, and for a link its own page says it."""
    if attempt.finding in {"part", "proved", "token_found"} or "outcome" not in attempt.evidence:
        return []
    evidence = attempt.evidence
    answer = ProbeAnswer(
        Outcome(evidence["outcome"]), evidence["protocol"], detail=evidence.get("detail", ""), more=evidence
    )
    return [advice_text(each) for each in advice_for(answer)]


def advice_text(advice: Advice) -> str:
    return str(_ADVICE[advice])


_ADVICE: dict[Advice, Words] = {
    Advice.ADD_OUR_KEY: _("Add our key as a peer, exactly as shown above, and load the settings again."),
    Advice.CHECK_THEIR_KEY: _("Check whether the public key that you gave is the one of this server."),
    Advice.CHECK_FINGERPRINT: _(
        "Give the certificate that the server really shows, or check which program answers there."
    ),
    Advice.GIVE_SHARED_KEY: _(
        "Does the server use tls-auth or tls-crypt? Then give us a client profile made for this proof."
    ),
    Advice.CHECK_SHARED_KEY: _("Check whether the client profile that you gave belongs to this server."),
    Advice.CHECK_TRANSPORT: _("Check whether the server listens on TCP or on UDP."),
    Advice.CHECK_PORT: _("Check whether the port is correct."),
    Advice.CHECK_PROTOCOL: _("Check which program listens at this port."),
    Advice.START_DAEMON: _("Check whether the VPN server is running."),
    Advice.OPEN_FIREWALL: _("Check whether a firewall, or the router in front of the server, lets us through."),
    Advice.SET_SERVER_NAME: _("Are there several host names at this address? Then give the host name too."),
    Advice.ALLOW_EAP: _(
        "The server must show its certificate to clients that sign in by EAP. If yours does not, choose another method."
    ),
    Advice.OFFER_COMMON_CIPHERS: _(
        "Set the server to offer one of the common algorithms, for example AES-256, SHA-256 and group 14 or 19."
    ),
    Advice.PUT_TEXT: _("What we look for is not there yet. Put it there exactly as shown above."),
    Advice.CORRECT_TEXT: _("Put exactly the text shown above there."),
    Advice.NO_REDIRECT: _("Put it at the address itself. We do not follow redirects."),
    Advice.POINT_NAME_HERE: _("Point the host name to this address."),
    Advice.CHECK_ADDRESS: _("Check whether the address is correct."),
    Advice.TRY_AGAIN: _("Packets get lost, and records take minutes to spread. Check again in a while."),
    Advice.OTHER_WAY: _("Or choose another method."),
    Advice.PUBLIC_ADDRESS_NEEDED: _("Give the public address in your application."),
    Advice.OUR_FAULT: _("The fault is on our side. We check again automatically."),
}
