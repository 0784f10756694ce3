"""`python -m rahdari.lookup.digesting SNAPSHOT PART PARTS`: the digest's state over every PARTS-th entry, to stdout."""

import sys
from itertools import islice
from pathlib import Path

from rahdari.feed import SetDigest

from .reading import lines_of
from .records import added


def state_of(path: Path, part: int, parts: int) -> bytes:
    digest = SetDigest()
    with path.open("rb") as file:
        digest.add_all(added(line)[0] for line in islice(lines_of(file), part + 1, None, parts))
    return digest.state


if __name__ == "__main__":
    sys.stdout.buffer.write(state_of(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
