"""Comparing the name that was given with the name on a list. Pure.

A number that agrees has found the row already; the name only guards against a number that is somebody else's. So what
must not matter is how a name is written: case, accents, Muhammad or Mohd, Husain or Hussain, (Pvt) Ltd or Private
Limited, Latin or Urdu letters. What is left of a name then is its consonants in their order.
"""

import re
import unicodedata
from functools import cache

from rahdari.people.identifiers import UNSEEN

_SAME_WORD = {
    "private": "pvt",
    "limited": "ltd",
    "incorporated": "inc",
    "corporation": "corp",
    "co": "company",
    "پرايیویٹ": "pvt",  # as folding leaves it
    "لمیٹڈ": "ltd",
    "کمپنی": "company",
    "mohd": "muhammad",
    "md": "muhammad",
    "muhd": "muhammad",
}
# What `compare_names` says of names that may be one holder's.
AGREE = frozenset({"same", "same_but_form", "alike"})
_FORMS = {"pvt", "ltd", "smc", "llp", "inc", "company", "corp", "guarantee"}
# With one of these a name is no private person's: an officer looks whose it is.
_OF_ORGANISATIONS = """
    pvt ltd smc llp llc plc gmbh inc corp bank banking embassy consulate commission authority ministry government govt
    department directorate court tribunal police army navy university college school hospital association federation
    council board foundation trust institute agency bureau secretariat parliament senate assembly customs union society
    telecom telecommunication telecommunications technologies solutions enterprises industries holdings group branch
    office headquarters official pakistan rahdari
    بینک بنک سفارت سفارتخانہ قونصلیٹ کمیشن اتھارٹی وزارت حکومت محکمہ عدالت پولیس فوج یونیورسٹی کالج سکول اسکول ہسپتال
    ایسوسی کونسل بورڈ فاؤنڈیشن ٹرسٹ ایجنسی بیورو کارپوریشن ادارہ اسمبلی سینیٹ گروپ دفتر پاکستان
"""
# Letters with a stroke and the like, which folding leaves: read as the letter that they look like.
_LOOK_LIKE = str.maketrans("ıłøđħŋɑ", "ilodhna")
# Fewer consonants than this say too little: Ali and Ela would be one.
FEWEST_SOUNDS = 3
# Without a number, a name is looked for among hundreds of thousands: fewer sounds than this would find people's names.
FEWEST_SOUNDS_ALONE = 7

# One sign for each sound that both scripts tell apart. Vowels, h, w and y are left out: و and ی are vowels as often
# as not, and ہ ح ھ are written or not as each writer likes.
_LATIN_PAIRS = {"sh": "S", "ch": "C", "kh": "k", "gh": "g", "ph": "p", "th": "t", "dh": "d", "bh": "b", "zh": "z"}
_LATIN = {**dict(zip("bpftdszjklmnrgqc", "bpftdszjklmnrgkk", strict=True)), "x": "ks"}
_URDU = {
    **dict.fromkeys("ب", "b"),
    **dict.fromkeys("پ", "p"),
    **dict.fromkeys("ف", "f"),
    **dict.fromkeys("تٹطة", "t"),
    **dict.fromkeys("دڈ", "d"),
    **dict.fromkeys("سصث", "s"),
    **dict.fromkeys("زذضظژ", "z"),
    **dict.fromkeys("ج", "j"),
    **dict.fromkeys("چ", "C"),
    **dict.fromkeys("ش", "S"),
    **dict.fromkeys("کكقخ", "k"),
    **dict.fromkeys("گغ", "g"),
    **dict.fromkeys("ل", "l"),
    **dict.fromkeys("م", "m"),
    **dict.fromkeys("نں", "n"),
    **dict.fromkeys("رڑ", "r"),
}
_SOUNDS = {**_LATIN, **_URDU}
_SILENT = frozenset("aeiouhwvy" + "اآأإعءئؤیيىےۓوہهحھۂۃ")


def fold_name(name: str) -> tuple[str, ...]:
    """The words of a name without regard to case, spacing, punctuation, accents, or how (Pvt) Ltd is written."""
    text = unicodedata.normalize("NFKD", name).casefold().replace("&", " and ")
    text = re.sub(r"\bm\s*/\s*s\b\.?", " ", text)
    text = "".join(sign for sign in text if not _is_passed_over(sign)).translate(_LOOK_LIKE)
    # A dot or an apostrophe stands inside a word (P.V.T., Sample's); every other mark parts words.
    text = re.sub(r"[.'’`]", "", text)
    words = re.findall(r"\w+", text.replace("_", " "))
    # What looks like letters and is none (squared ones, pictures) does not fold away.
    words += [sign for sign in text if unicodedata.category(sign) == "So"]
    return tuple(_SAME_WORD.get(word, word) for word in words)


def stands_in(name: str, other: str) -> bool:
    """Whether `other` has all words of `name`, one after another, however they are written."""
    words, among = fold_name(name), fold_name(other)
    return bool(words) and any(among[at : at + len(words)] == words for at in range(len(among)))


def _is_passed_over(sign: str) -> bool:
    """Marks, signs that nobody sees, and those that stand among letters and are none (ʼ, ـ, ꞏ)."""
    kind = unicodedata.category(sign)
    if kind in {"Mn", "Cf", "Lm"} or UNSEEN.match(sign):
        return True
    return kind == "Lo" and unicodedata.name(sign, "").startswith("LATIN")


def names_an_organisation(name: str) -> bool:
    """Whether a name says itself that it is no private person's: a word of it is a company's form (Ltd, لمیٹڈ) or names
    an institution (bank, embassy, اتھارٹی), or a digit or another sign in it only looks like a letter."""
    words = fold_name(name)
    return not _organisations().isdisjoint(words) or any(map(_is_odd, words))


@cache
def _organisations() -> frozenset[str]:
    return frozenset(fold_name(_OF_ORGANISATIONS))


def _is_odd(word: str) -> bool:
    if any(sign.isdigit() for sign in word) and any(sign.isalpha() for sign in word):
        return True
    latin = (sign for sign in word if unicodedata.name(sign, "").startswith("LATIN"))
    return not all(sign.isascii() or sign in "æœßþðə" for sign in latin)


def compare_names(one: str, other: str) -> str:
    """same | same_but_form (only the legal form differs) | alike (spelling or script) | different | not_compared.

    Nothing is compared when one of them is empty.
    """
    first, second = fold_name(one), fold_name(other)
    if not first or not second:
        return "not_compared"
    if first == second or "".join(first) == "".join(second):
        return "same"
    bare_first, bare_second = _bare(first), _bare(second)
    if bare_first and bare_first == bare_second:
        return "same_but_form"
    sounds = sounds_of(bare_first)
    if sounds is not None and len(sounds) >= FEWEST_SOUNDS and sounds == sounds_of(bare_second):
        return "alike"
    return "different"


def name_key(name: str) -> str | None:
    """What a name is looked for by on a list: equal for names that differ in their legal form or in how words are
    parted, and from FEWEST_SOUNDS_ALONE consonants on in spelling or script. None for a name that is its form alone."""
    whole = "".join(_bare(fold_name(name)))
    sounds = sounds_of((whole,))
    return sounds if sounds is not None and len(sounds) >= FEWEST_SOUNDS_ALONE else whole or None


def _bare(words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(word for word in words if word not in _FORMS)


def is_same_name(one: str, other: str) -> bool:
    """Whether it is the same name however it is written: case, spaces, marks, (Pvt) Ltd or Private Limited."""
    return compare_names(one, other) in {"same", "same_but_form"}


def sounds_of(words: tuple[str, ...]) -> str | None:
    """The consonants of a name in either script; None when it has a sign of which neither knows the sound."""
    if len(words) > 1 and words[0] == "m":  # M. Ali, as half the country writes it
        words = ("muhammad", *words[1:])
    sounds = ""
    for word in words:
        text = re.sub(r"(.)\1+", r"\1", word)  # Hussain, Husain
        at = 0
        while at < len(text):
            if pair := _LATIN_PAIRS.get(text[at : at + 2]):
                sounds += pair
                at += 2
                continue
            sign = text[at]
            if sign in _SOUNDS:
                sounds += _SOUNDS[sign]
            elif sign.isdigit():
                sounds += str(unicodedata.digit(sign, 0))
            elif sign not in _SILENT:
                return None
            at += 1
    return sounds
