"""A freelancer whose address changes, from the draft to a registered connection, through the acts of the rooms."""

import datetime as dt
import ipaddress
import itertools
from dataclasses import dataclass

from rahdari.address import parse_parts
from rahdari.apply import parts
from rahdari.apply.models import Application, Endpoint
from rahdari.decide import queries as cases
from rahdari.dyndns import hosts, queries, reporting
from rahdari.dyndns.models import DynamicHost
from rahdari.people.models import User
from rahdari.register.models import Registration
from tests.builders import story

_ports = itertools.count(20001)
SOURCE = ipaddress.ip_address("203.0.113.200")


@dataclass
class Connection:
    """A registered connection, with its token."""

    person: User
    registration: Registration
    host: DynamicHost
    token: str

    def fresh(self) -> DynamicHost:
        return DynamicHost.objects.select_related("registration").get(pk=self.host.pk)


def a_dynamic_endpoint(application: Application, address: str = "203.0.113.200", *, port: int = 51820) -> Endpoint:
    return parts.add_endpoint(
        application=application,
        block=address,
        runs="wireguard",
        parts=parse_parts(f"udp {port}"),
        kind="dynamic",
        actor=story.actor_of(application.applicant),
        now=dt.datetime.now(dt.UTC),
    )


def a_host(endpoint: Endpoint) -> tuple[DynamicHost, str]:
    facts = {"actor": "person:1", "now": dt.datetime.now(dt.UTC)}
    host = hosts.make_host(
        subject=endpoint.subject,
        holder=endpoint.application.holder_ref,
        parts=endpoint.parts,
        **facts,
    )
    return host, hosts.make_token(host=host, **facts).text


def report(
    host: DynamicHost, address: str, *, source: str | None = None, now: dt.datetime | None = None
) -> reporting.Heard:
    """As a router on the line reports it; `source` when it came from elsewhere."""
    block = ipaddress.ip_network(address)
    return reporting.report(
        host=DynamicHost.objects.select_related("registration").get(pk=host.pk),
        block=block,
        source=ipaddress.ip_address(source) if source else block.network_address,
        by="router",
        now=now or dt.datetime.now(dt.UTC),
    )


def a_connection(address: str = "203.0.113.200", *, person: User | None = None) -> Connection:
    """Applied for, proved by its first report, granted by rule, registered and listed."""
    person = person or story.a_person()
    application = story.fill(story.a_draft(person))
    endpoint = a_dynamic_endpoint(application, address)
    host, token = a_host(endpoint)
    report(host, address)
    story.send(story.fresh(application))
    story.advance()
    registration = cases.case_of(application).decisions.get().registration
    return Connection(person, registration, DynamicHost.objects.select_related("registration").get(pk=host.pk), token)


def listed(registration: Registration) -> list[str]:
    return sorted(str(entry.block) for entry in registration.entries.filter(ended_at__isnull=True))


def addresses(host: DynamicHost) -> list[str]:
    return [str(reported.network) for reported in queries.reported_addresses_of(host)]
