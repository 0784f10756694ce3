"""One small module for each kind of device. A renderer is added here, and in docs/devices/README.md."""

from .bird import Bird, BirdSet
from .cisco import CiscoIos, CiscoXr
from .csv_file import Csv
from .frr import Frr
from .json_file import Json, JsonLines
from .junos import Junos
from .mikrotik import Mikrotik
from .mmdb import Mmdb
from .plain_lists import FortiGate, PaloAlto
from .renderer import Renderer
from .rpsl import Rpsl
from .srx import Srx

RENDERERS: dict[str, Renderer] = {
    renderer.kind: renderer
    for renderer in (
        Json(),
        JsonLines(),
        Csv(),
        Mmdb(),
        Bird(),
        BirdSet(),
        Frr(),
        CiscoIos(),
        CiscoXr(),
        Junos(),
        Srx(),
        Mikrotik(),
        PaloAlto(),
        FortiGate(),
        Rpsl(),
    )
}
