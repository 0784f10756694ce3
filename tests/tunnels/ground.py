"""A line between two people, and an operator's router on it that lets pass what the register protects and nothing else.

    client 198.51.100.10  --  198.51.100.1 router 203.0.113.1  --  server 203.0.113.24

The router is a network namespace with the sets and the marking chain that the agent loads, filled from a real feed: an
application goes through the rooms, the rule grants it, the publisher signs it, the agent fetches and applies it. The
firewall is the harshest there is: it drops all that is not marked.
"""

import datetime as dt
import ipaddress
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rahdari import workflow
from rahdari.address import directory
from rahdari.agent.configuration import Configuration, NftTarget
from rahdari.agent.faults import Exit
from rahdari.agent.ruleset import MARK
from rahdari.agent.sets import element_of
from rahdari.apply.models import Application
from rahdari.publish import actions as publish
from rahdari.publish import ceremony
from rahdari.register import actions as register
from rahdari.register import queries
from rahdari.vault import keys
from tests.agent.feeds import a_configuration, names, sync
from tests.agent.namespaces import Namespace, a_namespace
from tests.builders.cases import an_application
from tests.needs import needs_program
from tests.push.process import pushing

CLIENT, SERVER = "198.51.100.10", "203.0.113.24"
ROUTER = {"client": "198.51.100.1", "server": "203.0.113.1"}
# Inside the tunnels.
INNER_CLIENT, INNER_SERVER = "192.0.2.66", "192.0.2.65"

FIREWALL = f"""
table inet edge {{
    counter passed {{ }}
    counter dropped {{ }}
    chain forward {{
        type filter hook forward priority filter; policy drop;
        meta mark and {MARK} == {MARK} counter name passed accept
        # Dropped like all else, and not counted: a machine says by it that a daemon is not there yet.
        meta l4proto icmp drop
        counter name dropped
    }}
}}
"""
NAT = 'table ip home { chain out { type nat hook postrouting priority srcnat; oifname "server" masquerade; }; }'


@dataclass
class Ground:
    client: Namespace
    router: Namespace
    server: Namespace
    folder: Path

    def counted(self, name: str) -> int:
        said = json.loads(self.router.nft("-j", "list", "counter", "inet", "edge", name))
        return next(int(item["counter"]["packets"]) for item in said["nftables"] if "counter" in item)

    def hide_the_client(self) -> None:
        """Behind address translation, as at home."""
        self.router.nft("-f", "-", given=NAT)

    def pings(self, address: str = INNER_SERVER, *, source: str = "") -> bool:
        """Whether three of three come back."""
        words = [self.client.ip, "netns", "exec", self.client.name, "ping", "-n", "-c", "3", "-i", "0.05", "-W", "2"]
        words += ["-I", source] if source else []
        said = subprocess.run([*words, address], capture_output=True, text=True)
        return " 0% packet loss" in said.stdout

    def take_out(self, protocol: str, port: int | None) -> None:
        """One part of what is registered, by hand."""
        element = element_of(f"{SERVER}/32", protocol, port)
        self.router.nft("delete", "element", "inet", "rahdari", element.set_name, f"{{ {element.text} }}")


@contextmanager
def a_ground(folder: Path) -> Iterator[Ground]:
    needs_program("nft", "apt-get install nftables")
    needs_program("ping", "apt-get install iputils-ping")
    with a_namespace() as client, a_namespace() as router, a_namespace() as server:
        ip = router.ip
        for end, name, address in ((client, "client", CLIENT), (server, "server", SERVER)):
            words = [ip, "link", "add", name, "netns", router.name, "type", "veth", "peer", "name", "line"]
            subprocess.run([*words, "netns", end.name], check=True)
            for space, device, own in ((router, name, ROUTER[name]), (end, "line", address)):
                space.run(ip, "address", "add", f"{own}/24", "dev", device)
                space.run(ip, "link", "set", device, "up")
                space.run(ip, "link", "set", "lo", "up")
            end.run(ip, "route", "add", "default", "via", ROUTER[name])
        router.run("sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward")
        router.nft("-f", "-", given=FIREWALL)
        yield Ground(client, router, server, folder)


@dataclass
class Register:
    """The authority, and the operator's agent at the router."""

    configuration: Configuration

    def enter(self, runs: str) -> Application:
        """An application for what runs at the server, through all rooms: proved, checked, granted by the rule."""
        now = dt.datetime.now(dt.UTC)
        application = an_application(address=SERVER, runs=runs, now=now)
        workflow.advance(now=now)
        assert queries.registration_from(application.subject) is not None
        self._publish()
        return application

    def put_back(self) -> None:
        """What somebody took out by hand: the agent's next look does."""
        assert "RemovedLocally" in names(sync(self.configuration))

    def strike_out(self, application: Application) -> None:
        registration = queries.registration_from(application.subject)
        assert registration is not None
        register.strike_out(registration=registration, code="S1", actor="officer:1", now=dt.datetime.now(dt.UTC))
        self._publish()

    def _publish(self) -> None:
        publish.publish_editions(now=dt.datetime.now(dt.UTC))
        outcome = sync(self.configuration)
        assert outcome.exit is Exit.OK, outcome.faults


@contextmanager
def an_authority(ground: Ground, settings: Any) -> Iterator[Register]:
    settings.DATA = data = ground.folder / "data"
    # The network of the server's address is known, so that the rule may grant.
    directory.configure(None, [directory.Origin(64500, "Sample Fibre", ipaddress.ip_network("203.0.113.0/24"))])
    keys.make_missing(data / "keys")
    now = dt.datetime.now(dt.UTC)
    ceremony.make_feed_keys(offline=data / "keys" / "feed-offline", now=now)
    token = publish.create_operator(slug="sample-edge", name="Sample Edge", asns=[], gateway=True, now=now)
    publish.publish_editions(now=now)
    with pushing(data, ground.folder / "push.log") as (_, port):
        configuration = a_configuration(
            ground.folder / "operator",
            f"http://127.0.0.1:{port}",
            data / "feed" / "metadata" / "1.root.json",
            targets=(NftTarget("edge", netns=ground.router.name),),
        )
        assert configuration.token_file is not None
        configuration.token_file.write_text(token)
        try:
            yield Register(configuration)
        finally:
            directory.configure(None)
