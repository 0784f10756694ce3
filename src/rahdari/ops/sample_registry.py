"""What the demonstration says of who holds its made-up blocks: records of a registry, and the export of a validator.

The records lie in a file that whoever tries a proof out may edit, as a holder edits the record at a real registry; it
is written once. The export is made anew at each start: one that is days old is no evidence.
"""

import datetime as dt
import json
import logging
from pathlib import Path
from typing import Any

from django.conf import settings

from rahdari.address import rpki, rpki_commands

log = logging.getLogger("rahdari.prepare")
# (handle, first and last address, roles and mail of its contacts)
RECORDS = (
    ("SAMPLE-FIBRE", "203.0.113.0", "203.0.113.255", (("technical", "noc@sample-fibre.example"),)),
    (
        "SAMPLE-SOFTWARE-HOUSE",
        "203.0.113.64",
        "203.0.113.127",
        (("technical", "it@software-house.example"), ("abuse", "abuse@sample-fibre.example")),
    ),
    ("EXAMPLE-BROADBAND", "198.51.100.0", "198.51.100.255", (("administrative", "office@example-broadband.example"),)),
    ("SAMPLE-MACHINE", "127.0.0.0", "127.255.255.255", (("technical", "root@machine.example"),)),
)
# Of networks: (number, prefix, the longest that it may announce). The last one is somebody else's.
SIGNED = ((64500, "203.0.113.0/24", 24), (64511, "198.51.100.0/24", 24))


def record(handle: str, first: str, last: str, contacts: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    """As a registry answers (RFC 9083 5.4)."""
    return {
        "objectClassName": "ip network",
        "handle": handle,
        "startAddress": first,
        "endAddress": last,
        "ipVersion": "v4",
        "remarks": [{"title": "remarks", "description": ["A made-up record of the demonstration."]}],
        "entities": [
            {
                "objectClassName": "entity",
                "roles": [role],
                "vcardArray": ["vcard", [["version", {}, "text", "4.0"], ["email", {}, "text", mail]]],
            }
            for role, mail in contacts
        ],
    }


def make(now: dt.datetime) -> None:
    path = Path(settings.SAMPLE_REGISTRY)
    if not path.exists():
        draft = path.with_suffix(".new")
        draft.write_text(json.dumps([record(*each) for each in RECORDS], indent=2) + "\n")
        draft.replace(path)
        log.info("Made the records of the sample registry.")
    roas = [{"asn": f"AS{asn}", "prefix": prefix, "maxLength": most, "ta": "sample"} for asn, prefix, most in SIGNED]
    export = Path(settings.DATA) / "sample-rpki.json"
    export.write_text(json.dumps({"metadata": {"buildtime": now.isoformat(timespec="seconds")}, "roas": roas}))
    rpki.import_export(export, rpki_commands.in_use(Path(settings.DATA)))
