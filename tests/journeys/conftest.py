"""One demonstration and one operator of the test's own for all journeys of a group; a browser for each file of them.

A running Playwright holds an event loop in this thread, and Django then refuses its database: the browser is closed at
the end of each file.
"""

import itertools
import os
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.needs import needs_chromium, needs_namespaces, needs_program

from . import edge as edges
from . import network
from .edge import Edge
from .people import Person
from .stack import PATIENCE, Stack, running


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A journey that fails shows what the terminal of its demonstration said last."""
    report = yield
    stack = getattr(item, "funcargs", {}).get("stack")
    if report.failed and isinstance(stack, Stack):
        report.sections.append(("the demonstration's terminal", "\n".join(stack.lines[-80:])))
    return report


ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
_homes = itertools.count(31)
# A page that waits loads itself again when something happened, but not out of sight. Here it is in sight only while
# somebody watches it: at any other moment it could load while it is being read, or meet the page that is opened next,
# of which the browser then does not know whether it was answered.
OUT_OF_SIGHT = "Object.defineProperty(Document.prototype, 'hidden', {get: () => !sessionStorage.getItem('watched')})"


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    needs_chromium()
    with running(tmp_path_factory.mktemp("journeys") / "data") as stack:
        yield stack


@pytest.fixture(scope="package")
def edge(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    needs_namespaces()
    nft = needs_program("nft", "apt-get install nftables")
    ip = needs_program("ip", "apt-get install iproute2")
    with edges.at_work(stack, tmp_path_factory.mktemp("edge") / "operator", ip=ip, nft=nft) as edge:
        yield edge


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    path = needs_chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


@pytest.fixture
def a_person(stack: Stack, chromium: Browser) -> Iterator[Callable[..., Person]]:
    """People with a browser of their own, each on a network of their own unless another's is given."""
    folder = os.environ.get("RAHDARI_PICTURES")
    with ExitStack() as kept:

        def make(name: str, *, language: str = "en", home: network.Exit | None = None, script: bool = True) -> Person:
            home = home or kept.enter_context(network.exit_at(f"127.0.{next(_homes)}.7"))
            context = chromium.new_context(
                viewport={"width": 360, "height": 780},
                locale="ur-PK" if language == "ur" else "en-GB",
                timezone_id="Asia/Karachi",
                proxy={"server": home.proxy},
                java_script_enabled=script,
            )
            kept.callback(context.close)
            context.add_init_script(OUT_OF_SIGHT)
            # A loaded machine is slow, and that is no fault.
            context.set_default_timeout(PATIENCE * 1000)
            pictures = Path(folder) / language if folder else None
            return Person(
                name=name, stack=stack, page=context.new_page(), language=language, home=home, folder=pictures
            )

        yield make
