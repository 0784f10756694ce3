"""The terms under which the feed is read: one page, in English and Urdu. What travels is its SHA-256.

Invariant: these bytes never change. Another text has another version, another digest, and is accepted anew. It names no
authority: one that wants more writes it into an agreement of its own, and these terms stay.
"""

from pathlib import Path

TERMS = "a3e108d33643659263d735bb7a37b422c11150bb0e24529afa630faaca3f8ead"
# So much of it names it, where a person types.
SHORT = 16
_PAGE = Path(__file__).with_name("terms.txt")


def terms_page() -> bytes:
    """The page, in both languages."""
    return _PAGE.read_bytes()


def terms_in(language: str) -> str:
    """The page in one language: English, unless it is Urdu."""
    english, urdu = terms_page().decode().split("\n\n\n")
    return urdu if language.startswith("ur") else english


def names_terms(given: str) -> bool:
    """Whether this is the digest of the page, or its beginning of 16 digits or more."""
    bare = "".join(given.split()).lower()
    return len(bare) >= SHORT and TERMS.startswith(bare)
