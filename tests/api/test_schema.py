"""The check of bodies against a full implementation of JSON Schema, over the schemas that are used."""

from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rahdari.api.interface import API
from rahdari.programs import schema

SCHEMAS = {each.id: each.body for each in API.operations() if each.body is not None and not each.multipart}
NAMES = sorted({name for found in SCHEMAS.values() for name in (found or {})["properties"]})
WORDS = st.sampled_from(["", "clients", "wireguard", "static", "en", "yes", "a", "2026-11-25", "2026-13-01", "x" * 61])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 100_000) | st.floats(allow_nan=False, allow_infinity=False) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3),
    max_leaves=5,
)
BODIES = VALUES | st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=6)


@pytest.mark.parametrize("name", sorted(SCHEMAS))
@given(body=BODIES)
def test_the_check_says_what_a_full_implementation_says(name: str, body: Any) -> None:
    wanted = SCHEMAS[name]
    assert wanted is not None
    validator = jsonschema.Draft202012Validator(wanted, format_checker=jsonschema.FormatChecker(["date", "uuid"]))
    assert (not list(schema.faults(wanted, body))) == validator.is_valid(body)


@pytest.mark.parametrize(
    ("wanted", "value", "found"),
    [
        (schema.text(3), "abcd", [("", "too_long")]),
        (schema.closed({"a": schema.TRUTH}), {"b": 1}, [("/a", "required"), ("/b", "unknown")]),
        (schema.listed(schema.whole(1, 2)), [1, 3, True], [("/1", "too_large"), ("/2", "wrong_type")]),
        (schema.closed({"a/b~": schema.text()}), {"a/b~": 1}, [("/a~1b~0", "wrong_type")]),
    ],
)
def test_a_fault_names_its_place(wanted: Any, value: Any, found: Any) -> None:
    assert sorted((each.pointer, each.code) for each in schema.faults(wanted, value)) == found
