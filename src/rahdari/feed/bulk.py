"""A bulk statement: the register's offline word that many entries are to go at once.

Agents hold back the removals of an update that takes out a large share of what they enforce: whoever holds the online
keys alone shall not be able to empty the networks. A statement signed by the offline keys, as a target of role
`targets`, lets them go. It speaks of one session of one role, of the editions after `from_sequence` up to
`to_sequence`, and of at most so many `removals`.
"""

from dataclasses import dataclass
from typing import Any

from .canonical import decode, encode
from .edition import SESSION
from .entry import is_time
from .faults import Malformed
from .repository import ROLES
from .version import FORMAT, check_format

LONGEST = 4096


@dataclass(frozen=True, slots=True)
class BulkStatement:
    role: str
    session: str
    from_sequence: int
    to_sequence: int
    removals: int
    stated_at: str
    format: str = FORMAT

    def __post_init__(self) -> None:
        check_format(self.format)
        if self.role not in ROLES:
            raise Malformed("`role` of the statement is not acceptable")
        if not isinstance(self.session, str) or not SESSION.fullmatch(self.session):
            raise Malformed("`session` of the statement is not acceptable")
        numbers = (self.from_sequence, self.to_sequence, self.removals)
        if not all(type(number) is int and number >= 0 for number in numbers):
            raise Malformed("a number of the statement is not acceptable")
        if self.from_sequence >= self.to_sequence or not is_time(self.stated_at):
            raise Malformed("`from`, `to` or `stated_at` of the statement is not acceptable")

    @classmethod
    def decode(cls, data: bytes) -> "BulkStatement":
        """Raises Malformed, NotCanonical, UnsupportedFormat."""
        if len(data) > LONGEST:
            raise Malformed(f"the statement has more than {LONGEST} bytes")
        value = decode(data)
        if not isinstance(value, dict):
            raise Malformed("the statement is no object")
        check_format(value.get("format"))
        return cls(
            role=value.get("role", ""),
            session=value.get("session", ""),
            from_sequence=value.get("from", -1),
            to_sequence=value.get("to", -1),
            removals=value.get("removals", -1),
            stated_at=value.get("stated_at", ""),
            format=value["format"],
        )

    @property
    def body(self) -> bytes:
        """The bytes of the target."""
        return encode(self.as_json())

    def as_json(self) -> dict[str, Any]:
        return {
            "format": self.format,
            "role": self.role,
            "session": self.session,
            "from": self.from_sequence,
            "to": self.to_sequence,
            "removals": self.removals,
            "stated_at": self.stated_at,
        }

    def covers(
        self, *, role: str, session: str, from_sequence: int, to_sequence: int, removals: int, allowance: int
    ) -> bool:
        """Whether it lets this update, from the edition held to the one reached, take out so many entries.

        An agent that slept takes more than the stated editions at once: `allowance` is how many removals need no
        statement, and comes on top.
        """
        meets = self.from_sequence < to_sequence and from_sequence < self.to_sequence
        return (self.role, self.session) == (role, session) and meets and removals <= self.removals + allowance
