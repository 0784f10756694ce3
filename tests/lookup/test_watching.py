"""What waiting holds of the system, it gives back: the system has little of it for each user."""

import gc
import os

from rahdari.lookup.watching import Wait


def held() -> int:
    """Open descriptors of this process."""
    return len(os.listdir("/proc/self/fd"))


class TestWait:
    def test_gives_back_what_it_holds_when_it_is_closed_or_let_go(self) -> None:
        gc.collect()
        before = held()
        closed, let_go = Wait(), Wait()
        each = (held() - before) // 2
        assert each >= 2
        closed.close()
        closed.close()
        assert held() == before + each
        del let_go
        gc.collect()
        assert held() == before
