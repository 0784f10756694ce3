"""Planted words, and every form in which they could lie about: as typed, as stored, as a log or a URL writes them."""

import base64
import json
import re
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus

SHORTEST = 6


def forms_of(word: str) -> set[bytes]:
    """The bytes to look for, all in lower case. Numbers also bare of their signs, and as the world dials them."""
    texts = {word, word.lower(), word.upper(), quote(word), quote_plus(word), json.dumps(word)[1:-1], repr(word)[1:-1]}
    if digits := re.sub(r"\D", "", word) if re.fullmatch(r"[\d +-]+", word) else "":
        texts |= {digits, digits.lstrip("0")}
        if digits.startswith("03"):
            texts.add(f"92{digits[1:]}")
    found = {text.encode().lower() for text in texts} | {word.encode("utf-16-le").lower()}
    # In base64 a word looks different at each of three places; only what does not depend on its neighbours is sought.
    for text in (word, digits):
        for shift in range(3):
            if len(text.encode()) >= 9:
                coded = base64.b64encode(b"\0" * shift + text.encode() + b"\0" * 2)
                found.add(coded[4:-4].lower())
    return {form for form in found if len(form) >= SHORTEST}


class Needles:
    def __init__(self, words: Iterable[str]) -> None:
        self.forms = {form: word for word in words for form in forms_of(word)}
        self.pattern = re.compile(b"|".join(re.escape(form) for form in sorted(self.forms, key=len, reverse=True)))

    def in_bytes(self, data: bytes) -> set[str]:
        """The planted words that can be read here, also after unpacking what is packed."""
        found = {self.forms[hit] for hit in self.pattern.findall(data.lower())}
        for unpacked in unpackings(data):
            found |= self.in_bytes(unpacked)
        return found

    def in_files(self, paths: Iterable[Path]) -> dict[str, set[str]]:
        found = {}
        for path in paths:
            try:
                data = path.read_bytes()
            except FileNotFoundError:
                continue  # of a process that works meanwhile
            if words := self.in_bytes(data) | self.in_bytes(str(path).encode()):
                found[str(path)] = words
        return found


def unpackings(data: bytes) -> Iterator[bytes]:
    # Of gzip as much as is there: its file may just be written.
    packed, unpacked = data, b""
    while packed[:2] == b"\x1f\x8b":
        member = zlib.decompressobj(wbits=31)
        try:
            unpacked += member.decompress(packed)
        except zlib.error:
            break
        packed = member.unused_data
    if unpacked:
        yield unpacked
    # Flate streams of a PDF, or one that stands alone.
    for start in (match.end() for match in re.finditer(rb"stream\r?\n", data)) if data[:5] == b"%PDF-" else ():
        try:
            yield zlib.decompressobj().decompress(data[start:])
        except zlib.error:
            continue
