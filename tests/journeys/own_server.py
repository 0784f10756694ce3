"""A freelancer's own WireGuard server, a real one, and how it proves its address from the pages."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rahdari.probe import wireguard
from tests.needs import needs_namespaces, needs_program
from tests.probe.networks import running, said
from tests.waiting import until

from .people import Person


@contextmanager
def a_server(folder: Path, port: int) -> Iterator[tuple[str, str]]:
    """A real WireGuard server of this machine. Gives its public key and its device."""
    needs_namespaces()  # as much may be done here as there
    daemon = needs_program("wireguard-go", "apt-get install wireguard-go")
    needs_program("wg", "apt-get install wireguard-tools")
    private, public = wireguard.new_key()
    device, key = f"wgj{os.getpid()}", folder / "key"
    key.write_text(private)
    with running([daemon, "-f", device], folder / "log"):
        until(lambda: device in said(["ip", "-br", "link"]), folder / "log")
        said(["wg", "set", device, "private-key", key, "listen-port", str(port)])
        said(["ip", "link", "set", device, "up"])
        yield public, device


def prove_by_it(person: Person, base: str, public: str, device: str) -> None:
    """From the list of ways to the proof; three places look, and each of them is let in."""
    person.open(f"{base}prove/", "prove, own server")
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
