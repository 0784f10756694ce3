"""One form for each value."""

import pytest
from hypothesis import given

from rahdari.feed import NotCanonical, canonical

from .samples import values


class TestEncode:
    def test_sorts_names_spaces_nothing_and_keeps_characters(self) -> None:
        value = {"b": [1, True, None], "a": 'راہ \u2028\n\x1f"\\/'}
        assert canonical.encode(value) == '{"a":"راہ \u2028\\n\\u001f\\"\\\\/","b":[1,true,null]}'.encode()

    @pytest.mark.parametrize(
        "value",
        [1.0, float("nan"), 2**53, -(2**53), {"A": 1}, {1: 1}, {"": 1}, b"x", {"a": {1}}, "\ud800", {"a": "\udfff"}],
    )
    def test_refuses_what_has_no_one_form(self, value: object) -> None:
        with pytest.raises(NotCanonical):
            canonical.encode(value)

    def test_refuses_what_is_nested_too_deep(self) -> None:
        value: object = 1
        for _ in range(canonical.DEEPEST):
            value = [value]
        canonical.encode(value)
        with pytest.raises(NotCanonical):
            canonical.encode([value])


class TestDecode:
    @given(values)
    def test_gives_back_what_was_encoded(self, value: object) -> None:
        assert canonical.decode(canonical.encode(value)) == value

    @pytest.mark.parametrize(
        "text",
        [
            b'{"b":1,"a":2}',
            b'{"a":1,"a":1}',
            b'{"a": 1}',
            b" 1",
            b"1\n",
            b'"\\u0061"',
            b'"\\/"',
            b"-0",
            b"1.0",
            b"1e3",
            b"NaN",
            b"9007199254740992",
            b'"\\ud800"',
            b"\xff",
            b"\xef\xbb\xbf1",
            b"",
            b"[" * 100_000,
            b"1" * 5000,
        ],
    )
    def test_refuses_every_other_form(self, text: bytes) -> None:
        with pytest.raises(NotCanonical):
            canonical.decode(text)
