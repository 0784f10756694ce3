"""A freelancer's own WireGuard server, a real one, and how it proves its address from the pages."""

import os
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rahdari.probe import wireguard
from tests.needs import needs_namespaces, needs_program
from tests.ports import free_port
from tests.probe.networks import running, said, takes_orders
from tests.waiting import until

from .people import Person


class _Passed(socketserver.BaseRequestHandler):
    """One packet from outside, and what the server answers to it."""

    def handle(self) -> None:
        assert isinstance(self.server, _Router)
        packet, outside = self.request
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as inside, suppress(TimeoutError):
            inside.settimeout(5)
            inside.sendto(packet, ("127.0.0.1", self.server.inside))
            outside.sendto(inside.recv(65536), self.client_address)


class _Router(socketserver.ThreadingUDPServer):
    """The router of a house, which passes one port on to the server in it."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, address: str, port: int, inside: int) -> None:
        self.inside = inside
        super().__init__((address, port), _Passed)


@contextmanager
def a_server(folder: Path, address: str, port: int) -> Iterator[tuple[str, str]]:
    """A real WireGuard server behind the router that has this address. Gives its public key and its device."""
    needs_namespaces()  # as much may be done here as there
    daemon = needs_program("wireguard-go", "apt-get install wireguard-go")
    needs_program("wg", "apt-get install wireguard-tools")
    private, public = wireguard.new_key()
    device, key, inside = f"wgj{os.getpid()}", folder / "key", free_port()
    key.write_text(private)
    with running([daemon, "-f", device], folder / "log"), _Router(address, port, inside) as router:
        until(lambda: takes_orders(device), folder / "log")
        said(["wg", "set", device, "private-key", key, "listen-port", str(inside)])
        said(["ip", "link", "set", device, "up"])
        thread = threading.Thread(target=router.serve_forever, daemon=True)
        thread.start()
        try:
            yield public, device
        finally:
            router.shutdown()
            thread.join()


def prove_by_it(person: Person, base: str, public: str, device: str) -> None:
    """From the list of ways to the proof; three places look, and each of them is let in."""
    person.open(f"{base}prove/", "prove, own server")
    # They are on that network, where one press does: other ways are folded.
    person.page.locator("main details:has(.ways) > summary").first.click()
    way = person.page.locator("details.way", has=person.page.locator("a[href$='/wireguard/']"))
    way.locator("summary").click()
    person.follow(way.locator("a"), "wireguard")
    # First what happens to everybody: the key, cut off at the end of a line.
    person.fill({"peer_key": public[:-3]})
    person.go_on("wireguard, key cut off")
    assert person.page.locator("main .errors").is_visible()
    person.fill({"peer_key": public})
    person.go_on("wireguard, what to do")
    here = person.page.url.removeprefix(person.stack.url).partition("#")[0]
    said(["wg", "set", device, "peer", person.page.locator("#our-key").inner_text()])
    person.follow("main button[name=look]", "wireguard, looking")
    person.waits_for(here, "This address is proved")
    person.read("proved, own server")
