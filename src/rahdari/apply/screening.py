"""Files that strangers send, made safe to keep and to open.

Invariants: what is kept is always written anew here, never the bytes that came; nothing of it tells where, when or
with what it was made; a file is judged by its content, its name only has to agree; one file cannot use more memory or
time than `in_a_process` allows. No Django here, so that the judging process starts quickly.

The plan: 1) size  2) type by content  3) does the name agree  4) is another file hidden in it  5) images: decode, turn
upright, write anew; PDF: open without a password, take the pages over, drop everything that acts or tells
"""

import hashlib
import io
import json
import os
import subprocess  # the judge is this very module, started by its own interpreter
import sys
import unicodedata
import warnings
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

PDF, JPEG, PNG = "application/pdf", "image/jpeg", "image/png"
EXTENSIONS = {PDF: ("pdf",), JPEG: ("jpg", "jpeg", "jpe", "jfif"), PNG: ("png",)}
MOST_PIXELS = 64_000_000
LONGEST_SIDE = 4_000  # enough to read a page of small print
SHORTEST_SIDE = 300
MOST_PAGES = 60
MOST_OBJECTS = 50_000
LONGEST_NAME = 100
SECONDS = 30
MEMORY = 1_500 * 1024 * 1024
_HIDDEN = (b"<script", b"<!doctype html", b"<html", b"<?php")
_HEADS = (b"PK\x03\x04", b"%PDF-", b"MZ", b"\x7fELF", b"Rar!", b"7z\xbc\xaf", b"GIF8", b"\xca\xfe\xba\xbe", b"#!")
_TRAILER_ALLOWED = 4_096
# Photos of newer telephones, by the brand in their first box (ISO/IEC 23008-12).
_BOXED = dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1"), "HEIC") | {b"avif": "AVIF"}


class FileFault(StrEnum):
    EMPTY = "empty"
    TOO_BIG = "too_big"
    WRONG_TYPE = "wrong_type"
    DISGUISED = "disguised"
    POLYGLOT = "polyglot"
    PASSWORD = "password"  # noqa: S105 (a reason, not a secret)
    UNREADABLE = "unreadable"
    TOO_SMALL = "too_small"
    TOO_MANY_PIXELS = "too_many_pixels"
    TOO_MANY_PAGES = "too_many_pages"
    TOO_COMPLEX = "too_complex"


class FileRefused(Exception):
    """The file cannot be kept. `.reason`, `.name` as shown, `.limit` and `.found` where a number says more."""

    def __init__(self, reason: FileFault, name: str, *, limit: int | None = None, found: str = "") -> None:
        super().__init__(f"{reason}: {found or limit or ''}")
        self.reason = reason
        self.name = name
        self.limit = limit
        self.found = found


@dataclass(frozen=True)
class Screened:
    """A file fit to be kept. `sha256` is of what was sent, so that the same file is known again."""

    content: bytes
    name: str
    media_type: str
    pages: int
    sha256: str


def shown_name(name: str) -> str:
    """The last part of a file's name, without control characters, not too long; never used as a path."""
    plain = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    plain = "".join(sign for sign in plain if unicodedata.category(sign) not in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
    stem, dot, extension = plain.strip().rpartition(".")
    if not dot:
        return plain.strip()[:LONGEST_NAME] or "file"
    return f"{stem[: LONGEST_NAME - 1 - len(extension[:10])]}.{extension[:10]}".strip()


def screen(content: bytes, *, name: str, most_bytes: int, types: Sequence[str]) -> Screened:
    """Judge and clean one file in this process. Raises FileRefused."""
    shown = shown_name(name)
    # 1)
    if not content:
        raise FileRefused(FileFault.EMPTY, shown)
    if len(content) > most_bytes:
        raise FileRefused(FileFault.TOO_BIG, shown, limit=most_bytes)
    # 2) 3)
    media_type = _type_of(content)
    extension = shown.rpartition(".")[2].lower() if "." in shown else ""
    named = next((kind for kind, endings in EXTENSIONS.items() if extension in endings), None)
    if media_type is None or media_type not in types:
        fault = FileFault.DISGUISED if named is not None and named in types else FileFault.WRONG_TYPE
        raise FileRefused(fault, shown, found=_what_it_is(content))
    if extension and (named is None or (named == PDF) != (media_type == PDF)):
        raise FileRefused(FileFault.DISGUISED, shown, found=EXTENSIONS[media_type][0].upper())
    # 4)
    if _hides_another(content, media_type):
        raise FileRefused(FileFault.POLYGLOT, shown)
    # 5)
    try:
        clean, pages = (
            _clean_pdf(content, shown) if media_type == PDF else (_clean_image(content, media_type, shown), 1)
        )
    except MemoryError:
        raise FileRefused(FileFault.TOO_COMPLEX, shown) from None
    return Screened(clean, _with_extension(shown, media_type), media_type, pages, hashlib.sha256(content).hexdigest())


def in_a_process(content: bytes, *, name: str, most_bytes: int, types: Sequence[str]) -> Screened:
    """As `screen`, in a process of its own that may use only so much memory and time. Raises FileRefused."""
    shown = shown_name(name)
    if not content:
        raise FileRefused(FileFault.EMPTY, shown)
    if len(content) > most_bytes:  # not worth a process
        raise FileRefused(FileFault.TOO_BIG, shown, limit=most_bytes)
    order = json.dumps({"name": name, "most_bytes": most_bytes, "types": list(types)}).encode()
    try:
        done = subprocess.run(  # our own interpreter and module, no shell; the file goes in by stdin
            [sys.executable, "-P", "-B", "-m", __name__],
            input=len(order).to_bytes(4, "big") + order + content,
            capture_output=True,
            timeout=SECONDS,
            check=False,
            env=_environment(),
        )
    except subprocess.TimeoutExpired:
        raise FileRefused(FileFault.TOO_COMPLEX, shown) from None
    if done.returncode != 0 or len(done.stdout) < 4:
        # Killed for memory or time, or a decoder died of the file: either way it is the file.
        raise FileRefused(FileFault.TOO_COMPLEX, shown)
    length = int.from_bytes(done.stdout[:4], "big")
    answer = json.loads(done.stdout[4 : 4 + length])
    if "fault" in answer:
        raise FileRefused(FileFault(answer["fault"]), shown, limit=answer["limit"], found=answer["found"])
    return Screened(content=done.stdout[4 + length :], **answer)


def _environment() -> dict[str, str]:
    """Where the judging process finds its modules. A file that takes it over finds no key and no database."""
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT") if name in os.environ}
    return kept | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONUTF8": "1"}


def _main() -> None:
    order = json.loads(sys.stdin.buffer.read(int.from_bytes(sys.stdin.buffer.read(4), "big")))
    _limit_this_process()
    rest = b""
    try:
        done = screen(sys.stdin.buffer.read(), name=order["name"], most_bytes=order["most_bytes"], types=order["types"])
        answer: dict[str, Any] = {
            "name": done.name,
            "media_type": done.media_type,
            "pages": done.pages,
            "sha256": done.sha256,
        }
        rest = done.content
    except FileRefused as error:
        answer = {"fault": error.reason.value, "limit": error.limit, "found": error.found}
    head = json.dumps(answer).encode()
    sys.stdout.buffer.write(len(head).to_bytes(4, "big") + head + rest)


def _limit_this_process() -> None:
    try:
        import resource
    except ImportError:  # Windows: the time limit still holds
        return
    limits = (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),  # it answers through its pipe and writes no file
    )
    for kind, most in limits:
        _, hard = resource.getrlimit(kind)
        try:
            resource.setrlimit(kind, (most, hard))
        except (ValueError, OSError):  # macOS does not limit address space
            continue


def _type_of(content: bytes) -> str | None:
    # Strictly at the start: readers that search for the mark further in are what disguises live on.
    if content.startswith(b"%PDF-"):
        return PDF
    if content.startswith(b"\xff\xd8\xff"):
        return JPEG
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    return None


def _what_it_is(content: bytes) -> str:
    """A short name of a type that is not taken, for the sentence that says so: the usual ending, or nothing."""
    import puremagic

    if content[4:8] == b"ftyp" and content[8:12] in _BOXED:
        return _BOXED[content[8:12]]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ending: str = puremagic.from_string(content[:65_536] + content[-1_024:])
    except (puremagic.PureError, ValueError):
        return ""
    ending = ending.lstrip(".").upper()
    return ending if ending.isascii() and ending.isalnum() and len(ending) <= 5 else ""


def _hides_another(content: bytes, media_type: str) -> bool:
    tail = content[_end_of(content, media_type) :].strip(b"\0\r\n\t ")
    if any(tail.startswith(head) or head in tail[:_TRAILER_ALLOWED] for head in _HEADS[:2]):
        return True
    if any(tail.startswith(head) for head in _HEADS):
        return True
    # Behind the end of a PDF nothing of use can stand; a line of a mail gateway is let pass.
    if media_type == PDF and (len(tail) > _TRAILER_ALLOWED or tail.startswith((b"\xff\xd8\xff", b"\x89PNG"))):
        return True
    # Telephones put thumbnails, depth maps and films behind a photo; they are dropped with the rest. A page that
    # acts, or an archive, is no accident.
    text = content if media_type != PDF else content[:1_024] + b" " + tail
    if any(mark in text.lower() for mark in _HIDDEN):
        return True
    return bool(tail) and zipfile.is_zipfile(io.BytesIO(content))


def _end_of(content: bytes, media_type: str) -> int:
    if media_type == PDF:
        place = content.rfind(b"%%EOF")
        return len(content) if place < 0 else place + 5
    if media_type == PNG:
        place = content.find(b"IEND")
        return len(content) if place < 0 else place + 8
    return _end_of_jpeg(content)


def _end_of_jpeg(content: bytes) -> int:
    """Where the first image of the file ends: thumbnails inside its segments have ends of their own."""
    place = 2
    while place + 4 <= len(content) and content[place] == 0xFF:
        marker = content[place + 1]
        if marker == 0xD9:
            return place + 2
        if marker == 0xFF:
            place += 1
            continue
        if marker == 0x01 or 0xD0 <= marker <= 0xD7:
            place += 2
            continue
        place += 2 + int.from_bytes(content[place + 2 : place + 4], "big")
        if marker == 0xDA:  # compressed data up to the next real marker
            while place + 1 < len(content):
                place = content.find(b"\xff", place)
                if place < 0 or place + 1 >= len(content):
                    return len(content)
                if content[place + 1] != 0 and not 0xD0 <= content[place + 1] <= 0xD7:
                    break
                place += 2
    return len(content)


def _clean_image(content: bytes, media_type: str, shown: str) -> bytes:
    from PIL import Image, ImageFile, ImageOps

    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(content), formats=["JPEG" if media_type == JPEG else "PNG"])
            width, height = image.size
            if width * height > MOST_PIXELS:
                raise FileRefused(FileFault.TOO_MANY_PIXELS, shown, limit=MOST_PIXELS // 1_000_000)
            if max(width, height) < SHORTEST_SIDE:
                raise FileRefused(FileFault.TOO_SMALL, shown, limit=SHORTEST_SIDE)
            if media_type == JPEG:
                image.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))  # decode at a smaller scale what is shrunk anyway
            image.load()
            upright: Image.Image = ImageOps.exif_transpose(image)
            upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
            plain = _on_white(upright)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise FileRefused(FileFault.TOO_MANY_PIXELS, shown, limit=MOST_PIXELS // 1_000_000) from None
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, TypeError, KeyError):
        # What Pillow raises for broken files is not one class.
        raise FileRefused(FileFault.UNREADABLE, shown) from None
    written = io.BytesIO()
    # A new image of the same pixels: no EXIF, no profile, no comment can have come along.
    bare = Image.frombytes(plain.mode, plain.size, plain.tobytes())
    if media_type == JPEG:
        bare.save(written, "JPEG", quality=88, optimize=True)
    else:
        bare.save(written, "PNG", optimize=True)
    return written.getvalue()


def _on_white(image: Any) -> Any:
    from PIL import Image

    if image.mode in {"L", "RGB"}:
        return image
    if image.mode in {"1", "I;16", "I", "F"}:
        return image.convert("L")
    if image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info:
        layer = image.convert("RGBA")
        page = Image.new("RGB", layer.size, "white")
        page.paste(layer, mask=layer.getchannel("A"))
        return page
    return image.convert("RGB")


def _clean_pdf(content: bytes, shown: str) -> tuple[bytes, int]:
    from . import portable_documents

    try:
        return portable_documents.clean(content, most_pages=MOST_PAGES, most_objects=MOST_OBJECTS)
    except portable_documents.Locked:
        raise FileRefused(FileFault.PASSWORD, shown) from None
    except portable_documents.TooManyPages:
        raise FileRefused(FileFault.TOO_MANY_PAGES, shown, limit=MOST_PAGES) from None
    except portable_documents.TooManyObjects:
        raise FileRefused(FileFault.TOO_COMPLEX, shown) from None
    except portable_documents.Broken:
        raise FileRefused(FileFault.UNREADABLE, shown) from None


def _with_extension(shown: str, media_type: str) -> str:
    stem, dot, extension = shown.rpartition(".")
    if dot and extension.lower() in EXTENSIONS[media_type]:
        return shown
    return f"{stem if dot else shown}.{EXTENSIONS[media_type][0]}"


if __name__ == "__main__":
    _main()
