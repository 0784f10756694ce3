"""Who holds a block, as the regional registries publish it in RDAP (RFC 9082, 9083).

The plan of one question:
1) which registry answers for the block (RFC 9224, the file in use)   2) GET /ip/BLOCK there; only https, only global
addresses   3) a redirect is followed to a registry that the file names, and nowhere else, a few times
4) the answer is a record that holds the whole block, or it is no answer

What a record says of contacts is public; it is read for one proof and not kept. `SampleRegistry` answers from a file in
the place of all registries: for demonstrations and tests, by the same reading of the same documents.
"""

import ipaddress
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urljoin, urlsplit

from rahdari.address import Address, Block
from rahdari.errors import RahdariError

from . import hook

BUNDLED = Path(__file__).parent / "data" / "registries.json"
TIMEOUT = 10.0
LONGEST_ANSWER = 512 * 1024
MOST_REDIRECTS = 3
MOST_LINES, LONGEST_LINE = 200, 400
MOST_CONTACTS, MOST_ENTITIES, DEEPEST = 6, 100, 4
# In this order they are offered.
ROLES = ("technical", "noc", "administrative", "registrant", "abuse")
HEADERS = {"Accept": "application/rdap+json, application/json", "User-Agent": "Rahdari-registry/1"}


class Found(StrEnum):
    """What came of a question. Only `RECORD` says something of the block."""

    RECORD = "record"
    NO_RECORD = "no_record"
    NOT_COVERED = "not_covered"
    NO_REGISTRY = "no_registry"
    UNREACHABLE = "unreachable"
    BUSY = "busy"
    MALFORMED = "malformed"


@dataclass(frozen=True)
class Contact:
    role: str
    address: str

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2]


@dataclass(frozen=True)
class Answer:
    """The narrowest record that holds the block: its ends, the lines of its remarks, and the mail of its contacts."""

    found: Found
    source: str = ""
    handle: str = ""
    first: str = ""
    last: str = ""
    lines: tuple[str, ...] = ()
    contacts: tuple[Contact, ...] = ()

    def as_data(self) -> dict[str, Any]:
        """For the evidence: what was asked of whom, and nothing of persons."""
        about = {"registry": self.source, "handle": self.handle, "first": self.first, "last": self.last}
        return {name: value for name, value in about.items() if value}


class Registry(Protocol):
    def ask(self, block: Block, *, timeout: float = TIMEOUT) -> Answer: ...


class RegistriesUnusable(RahdariError):
    """The file is no list of registries. `.path`"""

    says = "{path} is no list of registries (RFC 9224)"
    path: Path


@dataclass(frozen=True)
class Registries:
    """Which registry answers for which blocks, and whom a redirect may name."""

    services: tuple[tuple[tuple[Block, ...], str], ...]

    def for_block(self, block: Block) -> str | None:
        """The service of the narrowest listed prefix that holds the block."""
        holding = [
            (prefix.prefixlen, url)
            for prefixes, url in self.services
            for prefix in prefixes
            if prefix.version == block.version and prefix.supernet_of(block)  # type: ignore[arg-type]
        ]
        return max(holding)[1] if holding else None

    @property
    def hosts(self) -> frozenset[str]:
        return frozenset(urlsplit(url).netloc for _prefixes, url in self.services)


def read_registries(*paths: Path, secure: bool = True) -> Registries:
    """The files that IANA publishes (RFC 9224), one or several. Raises RegistriesUnusable."""
    services: list[tuple[tuple[Block, ...], str]] = []
    for path in paths:
        try:
            services += _services(json.loads(path.read_bytes()), secure=secure)
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise RegistriesUnusable(path) from None
    if not any(prefixes for prefixes, _url in services):
        raise RegistriesUnusable(paths[0])
    return Registries(tuple(services))


def _services(data: Any, *, secure: bool) -> Iterator[tuple[tuple[Block, ...], str]]:
    for prefixes, urls in data["services"]:
        fit = [url for url in urls if not secure or str(url).startswith("https://")]
        if fit:
            yield tuple(ipaddress.ip_network(prefix) for prefix in prefixes), str(fit[0]).rstrip("/") + "/"


@dataclass(frozen=True)
class RdapRegistry:
    """The regional registries over RDAP. `allowed_ranges` and `ca_file` are for tests, as with callbacks."""

    registries: Registries
    allowed_ranges: tuple[str, ...] = ()
    ca_file: str | None = None

    def ask(self, block: Block, *, timeout: float = TIMEOUT) -> Answer:
        base = self.registries.for_block(block)
        if base is None:
            return Answer(Found.NO_REGISTRY)
        url = f"{base}ip/{block}"
        for _hop in range(MOST_REDIRECTS + 1):
            source = urlsplit(url).hostname or ""
            page = hook.get(
                url,
                most=LONGEST_ANSWER,
                headers=HEADERS,
                timeout=timeout,
                allowed_ranges=self.allowed_ranges,
                ca_file=self.ca_file,
            )
            if page.outcome is not hook.HookOutcome.REDIRECTED:
                return _answer_of(page, block, source)
            url = urljoin(url, page.location)
            if urlsplit(url).netloc not in self.registries.hosts:
                return Answer(Found.MALFORMED, source)
        return Answer(Found.MALFORMED, source)


def _answer_of(page: hook.Page, block: Block, source: str) -> Answer:
    match page.outcome, page.status:
        case hook.HookOutcome.TAKEN, _:
            return read_answer(page.body, block, source)
        case hook.HookOutcome.REFUSED_IT, 404:
            return Answer(Found.NO_RECORD, source)
        case hook.HookOutcome.REFUSED_IT, 429 | 503:
            return Answer(Found.BUSY, source)
        case hook.HookOutcome.REFUSED_IT | hook.HookOutcome.MALFORMED, _:
            return Answer(Found.MALFORMED, source)
    return Answer(Found.UNREACHABLE, source)


@dataclass(frozen=True)
class SampleRegistry:
    """Made-up records in a file: a list of documents as registries answer with. Read anew for each question, so that
    whoever tries the proof out may write into it. Never for a real register."""

    path: Path
    source: str = "sample registry"

    def ask(self, block: Block, *, timeout: float = TIMEOUT) -> Answer:
        try:
            records = json.loads(self.path.read_bytes())
        except OSError:
            return Answer(Found.UNREACHABLE, self.source)
        except ValueError:
            return Answer(Found.MALFORMED, self.source)
        holding = [(ends, record) for record in records if (ends := _ends(record)) and _holds(ends, block)]
        if not holding:
            return Answer(Found.NO_RECORD, self.source)
        _, narrowest = min(holding, key=lambda each: int(each[0][1]) - int(each[0][0]))
        return read_answer(json.dumps(narrowest).encode(), block, self.source)


# -- reading an answer -------------------------------------------------------------------------------------------


def read_answer(body: bytes, block: Block, source: str) -> Answer:
    """A document of RFC 9083 5.4. What does not hold the whole block says nothing of it."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return Answer(Found.MALFORMED, source)
    ends = _ends(document)
    if ends is None:
        return Answer(Found.MALFORMED, source)
    if not _holds(ends, block):
        return Answer(Found.NOT_COVERED, source, first=str(ends[0]), last=str(ends[1]))
    return Answer(
        Found.RECORD,
        source,
        handle=str(document.get("handle", ""))[:80],
        first=str(ends[0]),
        last=str(ends[1]),
        lines=tuple(_lines(document)),
        contacts=tuple(_contacts(document)),
    )


def _ends(document: Any) -> tuple[Address, Address] | None:
    if not isinstance(document, dict) or document.get("objectClassName") != "ip network":
        return None
    try:
        first = ipaddress.ip_address(str(document["startAddress"]).partition("/")[0])
        last = ipaddress.ip_address(str(document["endAddress"]).partition("/")[0])
    except (KeyError, ValueError):
        return None
    return (first, last) if first.version == last.version and int(first) <= int(last) else None


def _holds(ends: tuple[Address, Address], block: Block) -> bool:
    first, last = ends
    if first.version != block.version:
        return False
    return int(first) <= int(block.network_address) and int(block.broadcast_address) <= int(last)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _lines(document: dict[str, Any]) -> list[str]:
    """The lines of the remarks: those of the network itself, not of its contacts."""
    found: list[str] = []
    for remark in _listed(document.get("remarks")):
        texts = _listed(remark.get("description")) if isinstance(remark, dict) else []
        found += [line.strip()[:LONGEST_LINE] for text in texts for line in str(text).splitlines()]
    return found[:MOST_LINES]


def _contacts(document: dict[str, Any]) -> list[Contact]:
    """Each published address of mail once, under the first of its roles, in the order of ROLES."""
    by_address: dict[str, str] = {}
    for entity in _entities(document, DEEPEST):
        roles = [role for role in ROLES if role in _listed(entity.get("roles"))]
        for address in _mail_of(entity):
            if roles and (address not in by_address or ROLES.index(roles[0]) < ROLES.index(by_address[address])):
                by_address[address] = roles[0]
    found = [Contact(role, address) for address, role in by_address.items()]
    return sorted(found, key=lambda each: (ROLES.index(each.role), each.address))[:MOST_CONTACTS]


def _entities(document: dict[str, Any], depth: int) -> Iterator[dict[str, Any]]:
    for entity in _listed(document.get("entities"))[:MOST_ENTITIES]:
        if isinstance(entity, dict):
            yield entity
            if depth:
                yield from _entities(entity, depth - 1)


def _mail_of(entity: dict[str, Any]) -> Iterable[str]:
    """jCard (RFC 7095): ["vcard", [["email", {}, "text", "noc@network.example"], ...]]"""
    card = _listed(entity.get("vcardArray"))
    for row in _listed(card[1]) if len(card) > 1 else []:
        if isinstance(row, list) and len(row) > 3 and row[0] == "email" and isinstance(row[3], str):
            address = row[3].strip().lower()
            if is_mail(address):
                yield address


def is_mail(text: str) -> bool:
    """Whether it is one address and nothing else: what a registry publishes goes into the head of a letter."""
    local, at, domain = text.rpartition("@")
    return bool(
        at
        and local
        and len(text) <= 254
        and text.isascii()
        and text.isprintable()
        and not set(text) & set(' ,;:<>"()[]\\')
        and "@" not in local
        and hook.NAME.fullmatch(domain)
    )
