"""What one operator may use, so that no operator's haste is felt by another. Pure, but for what is left.

Asking for one address costs one, each address of a bulk request a hundredth: about what they cost here. What is left
may fall below zero by one bulk request, and is filled up again with time.
"""

import math
from dataclasses import dataclass

# A second's worth costs a tenth of a core.
REQUESTS_PER_SECOND = 5_000.0
SECONDS_AT_ONCE = 4.0
BULK_SHARE = 100

BODY_BYTES = 4 * 1024 * 1024
BULK_ADDRESSES = 100_000
# Requests in bulk that are taken at one time, of one operator and of all: the other threads are for single ones.
BULK_EACH, BULK_ALL = 2, 4


@dataclass(slots=True)
class Allowance:
    per_second: float = REQUESTS_PER_SECOND
    left: float = 0.0
    filled_at: float = -math.inf
    # Requests in bulk that are under way.
    bulks: int = 0

    def fill(self, now: float) -> None:
        most = self.per_second * SECONDS_AT_ONCE
        if now - self.filled_at >= SECONDS_AT_ONCE:
            # A debt is paid all the same.
            self.left = most if self.left >= 0 else min(self.left + (now - self.filled_at) * self.per_second, most)
        elif now > self.filled_at:
            self.left = min(self.left + (now - self.filled_at) * self.per_second, most)
        self.filled_at = now

    @property
    def wait(self) -> int:
        """Whole seconds until one may ask again."""
        return max(1, math.ceil((1 - self.left) / self.per_second))
