"""The digest of a set depends on the set alone."""

import hashlib
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rahdari.feed import EMPTY, SetDigest

some_bytes = st.lists(st.binary(max_size=40), max_size=12)


def by_the_definition(entries: list[bytes]) -> bytes:
    """LtHash16 as `digest` describes it, lane by lane."""
    lanes = [0] * 1024
    for entry in entries:
        stretched = hashlib.shake_128(entry).digest(2048)
        for lane in range(1024):
            lanes[lane] = (lanes[lane] + int.from_bytes(stretched[2 * lane : 2 * lane + 2], "little")) % 65_536
    return b"".join(lane.to_bytes(2, "little") for lane in lanes)


def of(entries: list[bytes]) -> SetDigest:
    digest = SetDigest()
    for entry in entries:
        digest.add(entry)
    return digest


class TestSetDigest:
    @given(some_bytes)
    def test_is_the_sum_of_its_lanes(self, entries: list[bytes]) -> None:
        assert of(entries).state == by_the_definition(entries)

    @given(some_bytes, st.randoms(use_true_random=False))
    def test_does_not_depend_on_the_order(self, entries: list[bytes], order: random.Random) -> None:
        shuffled = list(entries)
        order.shuffle(shuffled)
        assert of(shuffled) == of(entries)

    @given(some_bytes, some_bytes, st.randoms(use_true_random=False))
    def test_remove_undoes_add(self, kept: list[bytes], gone: list[bytes], order: random.Random) -> None:
        digest = of(kept)
        steps = [(digest.add, entry) for entry in gone] + [(digest.remove, entry) for entry in gone]
        order.shuffle(steps)
        for step, entry in steps:
            step(entry)
        assert digest.hexdigest() == of(kept).hexdigest()

    @given(some_bytes, some_bytes)
    def test_goes_on_from_a_stored_state(self, first: list[bytes], then: list[bytes]) -> None:
        again = SetDigest(of(first).state)
        for entry in then:
            again.add(entry)
        assert again == of(first + then)

    def test_tells_sets_apart(self) -> None:
        assert len({of([b"a"]).hexdigest(), of([b"b"]).hexdigest(), of([b"a", b"b"]).hexdigest(), EMPTY}) == 4

    def test_holds_when_lanes_have_overflowed_many_times(self) -> None:
        digest = SetDigest()
        for _ in range(70_000):
            digest.add(b"x")
        for _ in range(70_000):
            digest.remove(b"x")
        assert digest.hexdigest() == EMPTY
        for _ in range(65_536):
            digest.remove(b"y")
        assert digest.hexdigest() == EMPTY

    def test_a_copy_goes_its_own_way(self) -> None:
        digest = of([b"a"])
        copy = digest.copy()
        copy.add(b"b")
        assert digest == of([b"a"])

    def test_is_the_published_value_for_known_entries(self) -> None:
        assert hashlib.sha256(bytes(2048)).hexdigest() == EMPTY
        assert of([b"a"]).hexdigest() == hashlib.sha256(hashlib.shake_128(b"a").digest(2048)).hexdigest()

    @pytest.mark.parametrize("length", [0, 2047, 2049])
    def test_refuses_a_state_of_another_length(self, length: int) -> None:
        with pytest.raises(ValueError):
            SetDigest(bytes(length))
