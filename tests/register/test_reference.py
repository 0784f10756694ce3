"""References: form, check letter, and what a person may type."""

import re

from hypothesis import given
from hypothesis import strategies as st

from rahdari.register import reference

ALPHABET = reference.DIGITS + reference.LETTERS
references = st.builds(reference.make)


@given(references)
def test_a_made_reference_has_the_form_and_is_its_own_normal_form(made: str) -> None:
    assert re.fullmatch(r"RD-\d[A-Z]\d[A-Z]-\d\d[A-Z][A-Z]", made)
    assert not set("IO") & set(made)
    assert reference.normalise(made) == made


@given(references, st.integers(0, 7), st.sampled_from(ALPHABET))
def test_any_single_wrong_character_is_found(made: str, place: int, other: str) -> None:
    plain = made.replace("-", "")
    wrong = plain[: 2 + place] + other + plain[3 + place :]
    # An L where a digit must stand is read as 1: that is no wrong character.
    read = plain[: 2 + place] + ("1" if other == "L" and place in (0, 2, 4, 5) else other) + plain[3 + place :]
    assert reference.normalise(wrong) == (made if read == plain else None)


@given(references, st.integers(0, 6))
def test_two_neighbours_that_changed_places_are_found(made: str, place: int) -> None:
    plain = list(made.replace("-", ""))
    plain[2 + place], plain[3 + place] = plain[3 + place], plain[2 + place]
    swapped = "".join(plain)
    assert reference.normalise(swapped) == (made if swapped == made.replace("-", "") else None)


@given(references)
def test_what_a_person_types_is_taken(made: str) -> None:
    bare = made.replace("-", "")
    for typed in (made.lower(), bare, bare[2:], made.replace("-", " "), f" {made} ", made.replace("-", "–")):
        assert reference.normalise(typed) == made
    urdu = made.translate(str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹"))
    assert reference.normalise(urdu) == made
    zeros = list(bare)
    for place in (2, 4, 6, 7):
        zeros[place] = {"0": "O", "1": "l"}.get(zeros[place], zeros[place])
    assert reference.normalise("".join(zeros)) == made
    for before, after in (("\u2066", "\u2069"), ("\u200f", ""), ("", "\u200e"), ("\u202a", "\u202c"), ("\ufeff", "")):
        assert reference.normalise(before + made + after) == made, "as copied from a letter in Urdu"


@given(st.text(max_size=20))
def test_anything_else_is_none_or_a_reference_and_never_an_error(text: str) -> None:
    found = reference.normalise(text)
    assert found is None or reference.check_letter(found[3:7] + found[8:11]) == found[11]
