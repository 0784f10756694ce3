"""The mission, as people feel it: what is registered passes a firewall that stops everything else, in whole tunnels.

Each kind of VPN that can be registered by name, with real daemons at both ends. Then the planted faults: without any
one of the parts that a kind needs, and with all of it struck out of the register, the same tunnel does not come to be.
"""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from rahdari.agent.sets import SET_NAMES
from tests.needs import needs_namespaces
from tests.waiting import until

from .ground import SERVER, Ground, a_ground, an_authority
from .kinds import KINDS, Kind

pytestmark = [pytest.mark.root, pytest.mark.django_db(transaction=True)]

BY_NAME = {kind.name: kind for kind in KINDS}
# So many packets that were dropped show that an end did try.
TRIED = 3


def stops(kind: Kind, ground: Ground, folder: Path) -> bool:
    folder.mkdir()
    ground.folder, before = folder, ground.counted("dropped")
    with ExitStack() as stack:
        carries = kind.start(ground, stack)
        until(lambda: ground.counted("dropped") >= before + TRIED or carries())
        return not carries()


# One stands for all where not everything is asked for.
@pytest.mark.parametrize(
    "name", [name if name == "WireGuard" else pytest.param(name, marks=pytest.mark.whole) for name in BY_NAME]
)
class TestTunnel:
    def test_passes_as_long_as_all_of_it_is_registered(self, name: str, tmp_path: Path, settings: Any) -> None:
        needs_namespaces()
        kind = BY_NAME[name]
        with a_ground(tmp_path) as ground, an_authority(ground, settings) as register:
            if kind.is_hidden:
                ground.hide_the_client()
            application = register.enter(kind.runs)
            with ExitStack() as stack:
                until(kind.start(ground, stack))
                # What is registered passes whole; the address as such does not.
                assert ground.counted("dropped") == 0
                assert not ground.pings(SERVER)
            for protocol, port in kind.needs:
                ground.take_out(protocol, port)
                assert stops(kind, ground, tmp_path / f"{protocol}{port or ''}"), (protocol, port)
                register.put_back()
            register.strike_out(application)
            assert all(ground.router.elements(name) == [] for name in SET_NAMES)
            assert stops(kind, ground, tmp_path / "after")
