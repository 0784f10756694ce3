"""What comes of a probe, in one shape for all protocols.

`PROVED` alone says who is there: the other side used the private key that was claimed. `ANSWERED` says that the
protocol is spoken there, by whomever. Silence says nothing at all: daemons are silent by design, networks lose packets.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from rahdari.errors import RahdariError


class Outcome(StrEnum):
    PROVED = "proved"
    ANSWERED = "answered"
    OTHER_KEY = "other_key"
    MALFORMED = "malformed"
    SILENT = "silent"
    REFUSED = "refused"
    RESET = "reset"
    TIMED_OUT = "timed_out"
    UNREACHABLE = "unreachable"
    NOT_GLOBAL = "not_global"


type Plain = str | int | float | bool | None


@dataclass(frozen=True)
class ProbeAnswer:
    """The outcome and its evidence.

    `.key` identifies who answered, where the protocol shows it (a public key, or the SHA-256 of a certificate);
    `.detail` narrows the outcome; `.sent` counts packets or connections; `.more` is what else was seen, printable.
    """

    outcome: Outcome
    protocol: str
    key: str = ""
    detail: str = ""
    sent: int = 0
    elapsed: float = 0.0
    more: dict[str, Plain] = field(default_factory=dict)

    @property
    def proved(self) -> bool:
        return self.outcome is Outcome.PROVED

    def as_data(self) -> dict[str, Plain]:
        """Plain data for a record."""
        return {
            **self.more,
            "outcome": self.outcome.value,
            "protocol": self.protocol,
            "key": self.key,
            "detail": self.detail,
            "sent": self.sent,
            "elapsed": round(self.elapsed, 3),
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Plain]) -> "ProbeAnswer":
        """What `as_data` gave, read again. Raises ValueError."""
        rest = dict(data)
        outcome = Outcome(str(rest.pop("outcome", "")))
        sent, elapsed = rest.pop("sent", 0), rest.pop("elapsed", 0.0)
        if type(sent) is not int or not isinstance(elapsed, int | float) or isinstance(elapsed, bool):
            raise ValueError("numbers are needed for `sent` and `elapsed`")
        words = [rest.pop(name, "") for name in ("protocol", "key", "detail")]
        if not all(isinstance(word, str) for word in words):
            raise ValueError("`protocol`, `key` and `detail` are text")
        protocol, key, detail = map(str, words)
        return cls(outcome, protocol, key, detail, sent, float(elapsed), rest)


class Over(RahdariError):
    """The attempt is over, and this is how."""

    says = "{outcome}"
    outcome: Outcome
    detail: str = ""
