"""What waiting holds of the system, it gives back: the system has little of it for each user."""

import gc
import os
from contextlib import suppress

from rahdari.lookup.watching import Wait


def held() -> set[tuple[int, str]]:
    """Open descriptors of this process, and what each is of: threads of other tests may still be closing theirs."""
    found = set()
    for number in os.listdir("/proc/self/fd"):
        with suppress(FileNotFoundError):
            found.add((int(number), os.readlink(f"/proc/self/fd/{number}")))
    return found


class TestWait:
    def test_gives_back_what_it_holds_when_it_is_closed_or_let_go(self) -> None:
        gc.collect()
        before = held()
        closed, let_go = Wait(), Wait()
        ours = held() - before
        assert len(ours) >= 4
        closed.close()
        closed.close()
        assert len(ours & held()) == len(ours) // 2
        del let_go
        gc.collect()
        assert ours.isdisjoint(held())
