"""How control of an address is proved, as values."""

from dataclasses import dataclass
from datetime import timedelta

# The ways in which control of an address can be shown (docs/verify.md).
PROOF_METHODS = ("link", "http", "wireguard", "openvpn", "ikev2", "sstp", "tls", "tls-alpn", "dns", "record", "contact")
# Those that speak for a whole block at once, by what a regional registry says of it.
OF_A_REGISTRY = frozenset({"record", "contact"})


@dataclass(frozen=True, slots=True)
class ProofMethod:
    """A way that is offered, and how much it counts: for an address, and for a range of which it shows one address.

    `named_weight`: for a range whose network the holder of the space has named in the RPKI; none: no more than else.
    """

    method: str
    weight: int
    range_weight: int
    named_weight: int | None = None


@dataclass(frozen=True, slots=True)
class Proof:
    """How control is proved. `enough` must come together; `again_at` is a percentage of the term, 0 for never."""

    enough: int
    methods: tuple[ProofMethod, ...]
    again_at: int
    again_when_rerouted: bool
    windows: int
    between_windows: timedelta

    def offered(self, method: str) -> ProofMethod | None:
        return next((each for each in self.methods if each.method == method), None)


# What held before policies had a say in it: for files that were sent then.
PROOF_OF_OLD = Proof(
    enough=1,
    methods=(ProofMethod("link", 1, 1), ProofMethod("http", 1, 1)),
    again_at=0,
    again_when_rerouted=False,
    windows=3,
    between_windows=timedelta(days=2),
)
