"""Prove a host name: it leads to the address, and its holder put our text into the TXT record beside it.

    _rahdari-challenge.vpn.sample.example.  TXT  "TOKEN"      (the way of ACME's dns-01, RFC 8555 8.4)

Asked of resolvers that whoever runs this has named, never of the machine's own settings. A resolver asks on for us;
what it says is believed, and noted whether it had checked it by DNSSEC. A CNAME is followed, also at the challenge, so
that a zone that its holder cannot change can lead to one that can be.
"""

import ipaddress
import time
from collections.abc import Iterable, Sequence

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import dns.rdtypes.txtbase
import dns.rrset

from rahdari.address import Address, Block

from .channel import check_global
from .http import printable
from .outcome import Outcome, Over, Plain, ProbeAnswer
from .resolvers import parse_resolver

PROTOCOL = "dns"
TIMEOUT = 10.0
LABEL = "_rahdari-challenge"
AGAIN_AFTER = 1.0
MOST_SHOWN = 8


def challenge_name(name: str) -> str:
    """Where the record goes."""
    return f"{LABEL}.{name}"


def prove_name(
    address: Address,
    *,
    name: str,
    value: str,
    resolvers: Sequence[str],
    timeout: float = TIMEOUT,
    allowed_ranges: Iterable[str | Block] = (),
) -> ProbeAnswer:
    """One attempt. Never raises for what the other side does.

    PROVED; OTHER_KEY when there is a record with another text; ANSWERED when there is none (`no_record`), the name
    leads elsewhere (`other_address`) or the resolvers cannot tell (`servfail`); TIMED_OUT; UNREACHABLE without
    resolvers.
    """
    started = time.monotonic()
    asking = _Asking([parse_resolver(resolver) for resolver in resolvers], started + timeout)
    try:
        check_global(address, allowed_ranges)
        asking.about_text(challenge_name(name), value)
        asking.about_address(name, address)
        outcome, detail = Outcome.PROVED, ""
    except Over as over:
        outcome, detail = over.outcome, over.detail
    return ProbeAnswer(
        outcome,
        PROTOCOL,
        key=name if outcome is Outcome.PROVED else "",
        detail=detail,
        sent=asking.sent,
        elapsed=time.monotonic() - started,
        more=asking.more,
    )


def fault_of(resolver: str, name: str, *, timeout: float) -> str:
    """What keeps a resolver from answering about this name, in a word or two; empty when it answers, if only that
    there is no such name. Raises ValueError for what names no resolver."""
    address, port = parse_resolver(resolver)
    try:
        answer = dns.query.udp(dns.message.make_query(name, "A"), address, port=port, timeout=timeout)
    except dns.exception.Timeout:
        return "it does not answer"
    except (OSError, dns.exception.DNSException) as error:
        return str(error) or type(error).__name__
    if answer.rcode() in {dns.rcode.NOERROR, dns.rcode.NXDOMAIN}:
        return ""
    return f"it answers {dns.rcode.to_text(answer.rcode())}"


class _Asking:
    def __init__(self, resolvers: Sequence[tuple[str, int]], deadline: float) -> None:
        self._resolvers, self._deadline = resolvers, deadline
        self.sent = 0
        self.more: dict[str, Plain] = {}

    def about_text(self, name: str, value: str) -> None:
        """Raises Over unless one of the records there is this text."""
        found = self._ask(name, "TXT")
        if found is None:
            raise Over(Outcome.ANSWERED, "no_record")
        texts = [b"".join(record.strings) for record in found]
        if value.encode("ascii") not in texts:
            self.more["found"] = " ".join(printable(text[:80]) for text in sorted(texts)[:MOST_SHOWN])
            raise Over(Outcome.OTHER_KEY, "other_text")

    def about_address(self, name: str, address: Address) -> None:
        """Raises Over unless one of the name's addresses is this one."""
        found = self._ask(name, "AAAA" if address.version == 6 else "A")
        addresses = sorted(ipaddress.ip_address(record.address) for record in found or ())
        self.more["addresses"] = " ".join(map(str, addresses[:MOST_SHOWN]))
        if address not in addresses:
            raise Over(Outcome.ANSWERED, "other_address")

    def _ask(self, name: str, kind: str) -> dns.rrset.RRset | None:
        """The records, at the end of all CNAMEs; None when there are none. Raises Over."""
        if not self._resolvers:
            raise Over(Outcome.UNREACHABLE, "no_resolver")
        refused = 0
        while True:
            for resolver in self._resolvers:
                answer = self._once(resolver, dns.message.make_query(name, kind, flags=dns.flags.RD | dns.flags.AD))
                if answer is None:
                    continue
                if answer.rcode() not in {dns.rcode.NOERROR, dns.rcode.NXDOMAIN}:
                    refused += 1
                    if refused >= len(self._resolvers):
                        raise Over(Outcome.ANSWERED, dns.rcode.to_text(answer.rcode()).lower())
                    continue
                self.more["authentic"] = bool(answer.flags & dns.flags.AD) and self.more.get("authentic", True)
                try:
                    return answer.resolve_chaining().answer
                except dns.exception.DNSException:
                    raise Over(Outcome.ANSWERED, "chain") from None

    def _once(self, resolver: tuple[str, int], query: dns.message.QueryMessage) -> dns.message.QueryMessage | None:
        """One packet and its answer; None when none came in a second. Raises Over at the deadline."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise Over(Outcome.TIMED_OUT, "resolver")
        self.sent += 1
        try:
            answer, _ = dns.query.udp_with_fallback(
                query, resolver[0], port=resolver[1], timeout=min(AGAIN_AFTER, left), ignore_unexpected=True
            )
        except dns.exception.Timeout:
            return None
        except (OSError, EOFError, dns.exception.DNSException):
            # Refused, unreachable, or something that is no DNS; the next resolver may do better.
            time.sleep(min(0.05, left))
            return None
        return answer if isinstance(answer, dns.message.QueryMessage) else None
