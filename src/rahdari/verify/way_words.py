"""The ways to prove an address, in words: what each is, what a look found, and what to try next.

No answer proves nothing, and the sentences say so: servers of these kinds are silent to strangers by design.
"""

import datetime as dt
from dataclasses import dataclass

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from rahdari.probe.advice import Advice, advice_for
from rahdari.probe.outcome import Outcome, ProbeAnswer
from rahdari.web.values import clock_time, code, day, ltr

from . import registry_words
from .models import Attempt, Challenge, Method
from .rules import OF_THE_WHOLE
from .saying import Said, clock, fill
from .words import of_attempt

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


def title(method: str) -> str:
    match method:
        case Method.LINK:
            return _("Open a link from that network")
        case Method.HTTP:
            return _("Put a token on that address")
        case Method.WIREGUARD:
            return _("Prove it with your WireGuard server")
        case Method.OPENVPN:
            return _("Let your OpenVPN server show its certificate")
        case Method.IKEV2:
            return _("Let your IKEv2 server show its certificate")
        case Method.SSTP:
            return _("Let your SSTP server show its certificate")
        case Method.TLS:
            return _("Let your TLS server show its certificate")
        case Method.TLS_ALPN:
            return _("Show a certificate made for this proof")
        case Method.DNS:
            return _("Add a DNS record for the host name")
        case Method.OPERATOR:
            return _("Ask your operator")
        case Method.RECORD:
            return _("Add a line to the registry’s record")
        case Method.CONTACT:
            return _("Have a code sent to the range’s contact")
    return method


def gist(method: str) -> str:
    """What is done, in a sentence or two."""
    match method:
        case Method.LINK:
            return _("Easiest if you can sit at a computer or phone on that network.")
        case Method.HTTP:
            return _("For a web server that answers at this address.")
        case Method.WIREGUARD:
            return _(
                "You add our key as a peer that may reach nothing. When your server answers us, the address is proved."
            )
        case Method.OPENVPN | Method.IKEV2 | Method.SSTP:
            return _(
                "You give us its certificate. We open one connection as a client does, see the certificate, and "
                "close it."
            )
        case Method.TLS:
            return _("For AnyConnect and ocserv, for OpenVPN behind stunnel, and for any other program that uses TLS.")
        case Method.TLS_ALPN:
            return _("For people who know TLS-ALPN-01 from web certificates. It needs port 443.")
        case Method.DNS:
            return _("For a host name that points to this address.")
        case Method.RECORD:
            return _("For the holder of a range at a regional registry such as APNIC, who can edit its record there.")
        case Method.CONTACT:
            return _("We send a code to a contact that the registry publishes for the range, and you enter it here.")
    return ""


def proved_by(challenge: Challenge) -> SafeString:
    """When and how, in one line."""
    at = challenge.validated_at or challenge.opened_at
    values = {"time": ltr(clock_time(at)), "date": day(at)}
    match challenge.method:
        case Method.LINK:
            return fill(_("Proved at %(time)s on %(date)s: the link was opened"), **values)
        case Method.HTTP:
            return fill(_("Proved at %(time)s on %(date)s: the token was found"), **values)
        case Method.WIREGUARD:
            return fill(_("Proved at %(time)s on %(date)s: the WireGuard server answered us"), **values)
        case Method.TLS_ALPN:
            return fill(_("Proved at %(time)s on %(date)s: the certificate made for it was there"), **values)
        case Method.DNS:
            return fill(_("Proved at %(time)s on %(date)s: the record was found"), **values)
        case Method.OPERATOR:
            return fill(_("Proved at %(time)s on %(date)s: your operator confirmed it"), **values)
        case Method.RECORD:
            return fill(_("Proved at %(time)s on %(date)s: the line was in the registry’s record"), **values)
        case Method.CONTACT:
            return fill(_("Proved at %(time)s on %(date)s: the range’s contact passed on our code"), **values)
    return fill(_("Proved at %(time)s on %(date)s: the server showed its certificate"), **values)


def looking() -> str:
    return _("We are checking now")


def begun() -> str:
    return _("Begun")


# -- what a look found -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Tried:
    """One try, for the list of them."""

    at: dt.datetime
    way: str
    place: str
    said: Said


def of_try(attempt: Attempt) -> Tried:
    here = "–" if attempt.challenge.method in {Method.LINK, *OF_THE_WHOLE} else _("the register")
    return Tried(attempt.at, title(attempt.challenge.method), attempt.place or here, of_look(attempt))


def of_look(attempt: Attempt) -> Said:
    """What was found, whatever the way."""
    method = attempt.challenge.method
    if attempt.finding == "part":
        return _counted(attempt)
    evidence = attempt.evidence
    if attempt.finding in {"too_few", "divided", "absent"}:
        return _by_places(attempt)
    if attempt.finding in {"proved", "token_found"} and "verdict" in evidence:
        return _agreed(attempt)
    if method in {Method.LINK, Method.HTTP}:
        return of_attempt(attempt)
    if method == Method.OPERATOR:
        return _by_operator(attempt)
    if method in OF_THE_WHOLE:
        return registry_words.of_look(attempt)
    values = {
        "time": clock(attempt.at),
        "address": code(evidence.get("asked", "")),
        "port": ltr(evidence.get("port", "")),
        "protocol": ltr(PROTOCOLS.get(str(evidence.get("protocol")), "")),
        "key": code(_short(str(evidence.get("key", "")))),
        "found": code(str(evidence.get("found", ""))[:80]),
        "addresses": code(str(evidence.get("addresses", ""))[:120]),
    }
    short, heading, text = _found(attempt.finding, str(evidence.get("protocol", "")), str(evidence.get("detail", "")))
    return Said("ok" if attempt.finding == "proved" else "bad", short, heading, fill(text, **values))


def _by_operator(attempt: Attempt) -> Said:
    yes = attempt.finding == "operator_confirms"
    short = _("The operator confirmed it") if yes else _("The operator did not confirm it")
    text = _("It answered on %(date)s at %(time)s.")
    values = {"date": day(attempt.at), "time": ltr(clock_time(attempt.at))}
    return Said("ok" if yes else "bad", short, short, fill(text, **values))


def _short(key: str) -> str:
    """A fingerprint in its two ends: enough to tell two apart."""
    return f"{key[:8]}…{key[-8:]}" if len(key) > 20 else key


def _counted(attempt: Attempt) -> Said:
    text = _("It succeeded at %(time)s. This alone is not enough: use a second method as well.")
    return Said("wait", _("Succeeded, one more needed"), _("Succeeded"), fill(text, time=clock(attempt.at)))


def _agreed(attempt: Attempt) -> Said:
    text = _("At %(time)s it was there from %(proved)s of %(asked)s places.")
    return Said("ok", _("Proved"), _("Proved"), fill(text, time=clock(attempt.at), **_places_of(attempt)))


def _places_of(attempt: Attempt) -> dict[str, int]:
    verdict = attempt.evidence["verdict"]
    proved = len(verdict["proved"])
    return {"proved": proved, "asked": proved + len(verdict["failed"]) + len(verdict["absent"])}


def _by_places(attempt: Attempt) -> Said:
    """What several places come to together, or one that could not be asked."""
    if attempt.finding == "absent":
        text = _("At %(time)s this place could not be asked. The fault is on our side.")
        return Said("off", _("Could not be asked"), _("A place could not be asked"), fill(text, time=clock(attempt.at)))
    values: dict[str, object] = (
        {"time": clock(attempt.at), **_places_of(attempt)}
        if "verdict" in attempt.evidence
        else {"time": clock(attempt.at)}
    )
    if "verdict" not in attempt.evidence:
        text = _("At %(time)s it was there, seen from here. More places must see it, and they are not set up yet.")
    elif attempt.finding == "divided":
        text = _(
            "At %(time)s it was there from %(proved)s of %(asked)s places, and from others another server "
            "answered. Check whether the address leads to one server only."
        )
        return Said("bad", _("Not the same from everywhere"), _("Not the same from everywhere"), fill(text, **values))
    else:
        text = _(
            "At %(time)s it was there from %(proved)s of %(asked)s places, and more must see it. Perhaps a "
            "firewall lets only some of us through. We check again automatically."
        )
    return Said("wait", _("Seen from too few places"), _("Seen from too few places"), fill(text, **values))


def _found(finding: str, protocol: str, detail: str) -> tuple[str, str, str]:
    match finding, protocol, detail:
        case "proved", "wireguard", _any:
            return _("Proved"), _("Proved"), _("At %(time)s the server at %(address)s answered our handshake.")
        case "proved", "dns", _any:
            return _("Proved"), _("Proved"), _("At %(time)s the record was there, and the name pointed to %(address)s.")
        case "proved", _any, _all:
            return _("Proved"), _("Proved"), _("At %(time)s the server at %(address)s showed the certificate.")
        case "other_key", "dns", _any:
            return (
                _("The record has another text"),
                _("The record has another text"),
                _("At %(time)s this was there: %(found)s"),
            )
        case "other_key", "tls-alpn-01", _any:
            return (
                _("Not the certificate for this proof"),
                _("The certificate is not the one for this proof"),
                _("At %(time)s %(address)s showed a certificate with another text in it, or for another address."),
            )
        case "other_key", _any, _all:
            return (
                _("Another certificate answered"),
                _("Another certificate answered"),
                _("At %(time)s %(address)s, port %(port)s, showed the certificate with the fingerprint %(key)s."),
            )
        case "answered", "dns", "no_record":
            return _("No record yet"), _("The record is not there yet"), _("At %(time)s the resolvers found no record.")
        case "answered", "dns", "other_address":
            return (
                _("The host name points elsewhere"),
                _("The host name points elsewhere"),
                _("At %(time)s it pointed to %(addresses)s, not to %(address)s."),
            )
        case "answered", "sstp", "no_sstp":
            return (
                _("Your certificate, but no SSTP"),
                _("Your certificate answered, but not SSTP"),
                _("At %(time)s %(address)s, port %(port)s, showed the certificate and then did not use SSTP."),
            )
        case "answered", "tls-alpn-01", _any:
            return (
                _("Not the certificate for this proof"),
                _("TLS answered, but not with the certificate for this proof"),
                _("At %(time)s %(address)s, port %(port)s, answered, but did not understand %(protocol)s."),
            )
        case "answered", _any, _all:
            return (
                _("Answered in part"),
                _("It answered, but did not show its certificate"),
                _("At %(time)s %(protocol)s answered at %(address)s, port %(port)s, and then stopped."),
            )
        case "malformed", _any, _all:
            return (
                _("Another program answered"),
                _("Another program answers at this port"),
                _("At %(time)s something answered at %(address)s, port %(port)s, but not as %(protocol)s does."),
            )
        case "silent" | "timed_out", "wireguard" | "openvpn-udp" | "ikev2", _any:
            return (
                _("No answer"),
                _("No answer. That proves nothing"),
                _(
                    "At %(time)s nothing came back from %(address)s, port %(port)s. "
                    "Servers of this kind are silent to strangers, and packets get lost."
                ),
            )
        case "silent" | "timed_out", "dns", _any:
            return _("No answer"), _("The resolvers did not answer"), _("At %(time)s no answer came in time.")
        case "silent" | "timed_out", _any, _all:
            return (
                _("No answer in time"),
                _("The server did not answer in time"),
                _("At %(time)s nothing came back from %(address)s, port %(port)s, in time."),
            )
        case "refused", _any, _all:
            return (
                _("The port is closed"),
                _("The port is closed"),
                _("At %(time)s %(address)s said that nothing listens at port %(port)s."),
            )
        case "reset", _any, _all:
            return (
                _("The connection was interrupted"),
                _("The connection was interrupted"),
                _("At %(time)s %(address)s, port %(port)s, ended the connection before it had shown anything."),
            )
        case "not_global", _any, _all:
            return (
                _("Not a public address"),
                _("We cannot check this address"),
                _("%(address)s cannot be reached from the internet. Give the public address in your application."),
            )
    return (
        _("We cannot reach the address"),
        _("We cannot reach the address"),
        _("At %(time)s there was no route to %(address)s. Check that the connection works, then try again."),
    )


# -- what to try next --------------------------------------------------------------------------------------------


def advice_of(attempt: Attempt) -> list[str]:
    """What to try next, the likeliest first; nothing after a success, and for a link its own page says it."""
    if attempt.finding in {"part", "proved", "token_found"} or "outcome" not in attempt.evidence:
        return []
    evidence = attempt.evidence
    answer = ProbeAnswer(
        Outcome(evidence["outcome"]), evidence["protocol"], detail=evidence.get("detail", ""), more=evidence
    )
    return [advice_text(each) for each in advice_for(answer)]


def advice_text(advice: Advice) -> str:
    match advice:
        case Advice.ADD_OUR_KEY:
            return _("Add our key as a peer, exactly as shown above, and load the settings again.")
        case Advice.CHECK_THEIR_KEY:
            return _("Check whether the public key that you gave is the one of this server.")
        case Advice.CHECK_FINGERPRINT:
            return _("Give the certificate that the server really shows, or check which program answers there.")
        case Advice.GIVE_SHARED_KEY:
            return _("Does the server use tls-auth or tls-crypt? Then give us a client profile made for this proof.")
        case Advice.CHECK_SHARED_KEY:
            return _("Check whether the client profile that you gave belongs to this server.")
        case Advice.CHECK_TRANSPORT:
            return _("Check whether the server listens on TCP or on UDP.")
        case Advice.CHECK_PORT:
            return _("Check whether the port is correct.")
        case Advice.CHECK_PROTOCOL:
            return _("Check which program listens at this port.")
        case Advice.START_DAEMON:
            return _("Check whether the VPN server is running.")
        case Advice.OPEN_FIREWALL:
            return _("Check whether a firewall, or the router in front of the server, lets us through.")
        case Advice.SET_SERVER_NAME:
            return _("Are there several host names at this address? Then give the host name too.")
        case Advice.ALLOW_EAP:
            return _(
                "The server must show its certificate to clients that sign in by EAP. If yours does not, choose "
                "another method."
            )
        case Advice.OFFER_COMMON_CIPHERS:
            return _(
                "Set the server to offer one of the common algorithms, for example AES-256, SHA-256 and group 14 or 19."
            )
        case Advice.PUT_TEXT:
            return _("What we look for is not there yet. Put it there exactly as shown above.")
        case Advice.CORRECT_TEXT:
            return _("Put exactly the text shown above there.")
        case Advice.NO_REDIRECT:
            return _("Put it at the address itself. We do not follow redirects.")
        case Advice.POINT_NAME_HERE:
            return _("Point the host name to this address.")
        case Advice.CHECK_ADDRESS:
            return _("Check whether the address is correct.")
        case Advice.TRY_AGAIN:
            return _("Packets get lost, and records take minutes to spread. Check again in a while.")
        case Advice.OTHER_WAY:
            return _("Or choose another method.")
        case Advice.PUBLIC_ADDRESS_NEEDED:
            return _("Give the public address in your application.")
        case Advice.OUR_FAULT:
            return _("The fault is on our side. We check again automatically.")
