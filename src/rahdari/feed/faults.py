"""Why something of the feed is refused. One class for each reason, with data."""


class FeedFault(Exception):
    """The base of all of them: catch it to accept nothing."""


class NotCanonical(FeedFault):
    """The text or value has not the one form of `canonical`. `.why` says where it differs."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Malformed(FeedFault):
    """A file that is not what it should be. `.line` counts from 1 (0: the file as a whole), `.why` says what."""

    def __init__(self, why: str, line: int = 0) -> None:
        super().__init__(f"line {line}: {why}" if line else why)
        self.why, self.line = why, line


class UnsupportedFormat(FeedFault):
    """Another major version than the one this program speaks. `.found` is the version given."""

    def __init__(self, found: str) -> None:
        super().__init__(f"format {found[:20]!r} is not spoken here")
        self.found = found


class TooLarge(FeedFault):
    """A bound was passed, and reading stopped there. `.what` names the bound (a field of `Limits`), `.limit` is it."""

    def __init__(self, what: str, limit: int) -> None:
        super().__init__(f"{what} is above {limit}")
        self.what, self.limit = what, limit


class Truncated(FeedFault):
    """The file ends before its end. `.line` is the last whole line."""

    def __init__(self, line: int) -> None:
        super().__init__(f"the file ends after line {line}")
        self.line = line


class CountMismatch(FeedFault):
    """The header promises `.promised` operations, `.found` are there."""

    def __init__(self, promised: int, found: int) -> None:
        super().__init__(f"{promised} operations promised, {found} found")
        self.promised, self.found = promised, found


class DigestMismatch(FeedFault):
    """The set of entries is not the one that was published. `.at` is "before" or "after" the file's operations."""

    def __init__(self, at: str, promised: str, found: str) -> None:
        super().__init__(f"digest {at}: {promised} promised, {found} found")
        self.at, self.promised, self.found = at, promised, found
