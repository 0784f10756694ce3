"""The link by which somebody without an account answers: one for each inquiry, derived from it and stored nowhere."""

from rahdari.vault import index, links

from .kinds import Kind
from .models import Inquiry


class Links[Row: Inquiry]:
    """The links of a kind whose rows keep `link_index`, the keyed hash of the token."""

    def __init__(self, kind: Kind[Row]) -> None:
        self.kind, self.purpose = kind, f"{kind.room}.link"

    def token(self, row: Row) -> str:
        return links.token(self.purpose, str(row.pk))

    def index_of(self, row: Row) -> str:
        """Finds the inquiry, and gives the token to nobody who reads the table."""
        return index.blind(self.purpose, self.token(row))

    def opened_by(self, token: str) -> Row | None:
        """The inquiry that a link opens, whatever became of it; None for a token that was never given out."""
        if not token.isascii() or len(token) != links.LENGTH:
            return None
        found = self.kind.rows.filter(link_index=index.blind(self.purpose, token)).first()
        return found if found is not None and links.matches(self.purpose, str(found.pk), token) else None
