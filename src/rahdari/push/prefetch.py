"""What goes along with a signed timestamp: the small files that it leads to, so that nobody has to come and fetch them.

The snapshot that it names, the roles that changed since what was told before, and of each of them the delta from there.
All of it or nothing: an agent that has to come for a part of it might as well come for all. Nothing is verified here,
as everywhere in this process; what goes along is what these readers could have fetched, by the same rule.
"""

import json
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

from rahdari.feed import ROLES
from rahdari.feed.repository import location_of

from .access import Reader
from .files import NoSuchFile

# In bytes with the timestamp, before base64: an agent takes an event of 64 KB.
MOST = 44 * 1024
# Roles whose files are kept in mind, to be parsed once: those with equal rights have the same.
_PARSED = 64

# A file by its place in the feed, as this reader may have it. Raises NoSuchFile.
type Read = Callable[[Reader, str], bytes]
# Of a role: the version of its metadata, its session, its edition.
type Stand = tuple[int, str, int]


class Beside:
    def __init__(self, read: Read) -> None:
        self._read = read
        # By repository: where its readers stand who have what was told last.
        self._told: dict[str, Mapping[str, Stand]] = {}
        self._deltas: OrderedDict[bytes, Mapping[tuple[str, int, int], str]] = OrderedDict()

    def forget(self, repository: str) -> None:
        """What is told next is not told to those who were told the last."""
        self._told.pop(repository, None)

    def of(self, reader: Reader, timestamp: bytes) -> dict[str, bytes]:
        """By place in the feed. Empty when they have to come for something in any case, and when there is nothing."""
        before = self._told.pop(reader.repository, None)
        try:
            files, stands = self._files(reader, json.loads(timestamp)["signed"], before)
        except (KeyError, TypeError, ValueError, RecursionError, NoSuchFile):
            return {}
        self._told[reader.repository] = stands
        return files if len(timestamp) + sum(map(len, files.values())) <= MOST else {}

    def _files(
        self, reader: Reader, signed: Mapping[str, Any], before: Mapping[str, Stand] | None
    ) -> tuple[dict[str, bytes], dict[str, Stand]]:
        name = f"metadata/{_number(signed['meta']['snapshot.json']['version'])}.snapshot.json"
        snapshot = self._read(reader, name)
        meta, heads = json.loads(snapshot)["signed"]["meta"], signed["feed"]["heads"]
        stands = {
            role: (_number(meta[f"{role}.json"]["version"]), str(heads[role]["session"]), int(heads[role]["sequence"]))
            for role in ROLES
        }
        files = {name: snapshot}
        for role, (version, session, sequence) in stands.items():
            if before is None or before[role][1] != session:
                # It is not known from where they come, or they have to begin anew.
                return {}, stands
            if before[role][0] == version:
                continue
            name = f"metadata/{version}.{role}.json"
            files[name] = self._read(reader, name)
            if before[role][2] != sequence:
                delta = self._deltas_in(files[name]).get((session, before[role][2], sequence))
                if delta is None:
                    return {}, stands
                files[f"targets/{delta}"] = self._read(reader, f"targets/{delta}")
        return files, stands

    def _deltas_in(self, body: bytes) -> Mapping[tuple[str, int, int], str]:
        """By session, edition before and edition after: where the delta lies."""
        if (found := self._deltas.get(body)) is None:
            found = self._deltas[body] = {
                (said["session"], said["from"], said["to"]): location_of(path, target["hashes"]["sha256"])
                for path, target in json.loads(body)["signed"]["targets"].items()
                if "from" in (said := target["custom"])
            }
            if len(self._deltas) > _PARSED:
                self._deltas.popitem(last=False)
        return found


def _number(value: object) -> int:
    """It becomes part of a name."""
    if type(value) is not int:
        raise ValueError(value)
    return value
