"""The publisher's disk is full."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rahdari.publish import actions
from rahdari.publish.envelope import Repository
from tests.builders.publishing import NOW, Follower, address, entered
from tests.needs import needs_program, needs_root

pytestmark = pytest.mark.django_db


class TestFullDisk:
    @contextmanager
    def small_disk(self, folder: Path) -> Iterator[None]:
        needs_root()
        mount = needs_program("mount", "apt-get install mount")
        aside = folder.with_name("aside")
        folder.rename(aside)
        folder.mkdir()
        subprocess.run([mount, "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(folder)], check=True)
        try:
            subprocess.run(["cp", "-a", f"{aside}/.", str(folder)], check=True)
            yield
        finally:
            subprocess.run(["umount", str(folder)], check=True)

    def fill(self, path: Path) -> None:
        with path.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"x" * 512)
            except OSError:
                pass

    @pytest.mark.root
    def test_that_is_full_publishes_nothing_half_and_all_of_it_later(
        self, feed: Repository, follower: Follower
    ) -> None:
        entered(address(1), now=NOW)
        actions.publish_editions(now=NOW)
        with self.small_disk(feed.path):
            assert follower.sync().entries == 1
            self.fill(feed.path / "filler")
            entered(address(2), now=NOW)
            with pytest.raises(OSError, match="No space left"):
                actions.publish_editions(now=NOW)
            # What is visible is the last whole edition.
            assert follower.sync().entries == 1
            assert follower.another("newcomer").sync().entries == 1
            (feed.path / "filler").unlink()
            entered(address(3), now=NOW)
            actions.publish_editions(now=NOW)
            assert follower.sync().entries == 3
            assert follower.prefixes == {f"{address(number)}" for number in (1, 2, 3)}
