"""As whom somebody acts. A gatekeeper answers with it, beside the row that it lets them reach."""

from dataclasses import dataclass
from typing import NamedTuple

from .models import Mandate, User


@dataclass(frozen=True)
class Acting:
    """A person in their own right or by their role in an organisation; with a mandate, as its agent."""

    person: User
    mandate: Mandate | None = None

    @property
    def actor(self) -> str:
        """How the journal names them."""
        return f"{'person' if self.mandate is None else 'agent'}:{self.person.pk}"


class Reached[Row](NamedTuple):
    """What a gatekeeper answers with."""

    row: Row
    by: Acting
