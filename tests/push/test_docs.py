"""docs/push.md says the limits that hold."""

import re
from pathlib import Path

import pytest

from rahdari.push import edition, limits, streams

PAGE = re.sub(r"\s+", " ", (Path(__file__).parents[2] / "docs" / "push.md").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "said",
    [
        f"One operator may have {limits.STREAMS_EACH:,} open (429 beyond)",
        f"all together {limits.STREAMS_ALL:,} (503)",
        f"may ask {limits.REQUESTS_AT_ONCE:,.0f} times at once",
        f"{limits.REQUESTS_PER_SECOND:.0f} times a second after that (429)",
        f"A comment comes every {streams.HEARTBEAT_SECONDS:.0f} seconds",
        f"within `wait` seconds ({streams.WAIT_SECONDS:.0f}; {streams.LONGEST_WAIT_SECONDS:.0f} at most)",
        f"grows by {edition.SPREAD_MS_EACH:.0f} ms with each reader",
        f"up to {edition.SPREAD_MS_MOST / 1000:.0f} s",
    ],
)
def test_limit(said: str) -> None:
    assert said in PAGE
