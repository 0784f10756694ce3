"""Files that strangers send, made safe to keep and to open.

A planned change is read in the same process (`read_change`), and comes back as data.

Invariants: what is kept is always written anew here, never the bytes that came; nothing of it tells where, when or
with what it was made; a file is judged by its content, its name only has to agree; one file cannot use more memory or
time than `in_a_process` allows. The judging process (`judges`) gives way to all others, and reaches no file, no network
and no other process (`confinement`). No Django here, so that it starts quickly.

The plan: 1) size  2) type by content  3) does the name agree  4) is another file hidden in it  5) images: decode, turn
upright, write anew; PDF: open without a password, take the pages over, drop everything that acts or tells
"""

import hashlib
import io
import json
import os
import subprocess  # of this very module, by its own interpreter
import sys
import threading
import unicodedata
import warnings
import zipfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from rahdari import preflight

from . import confinement, judges

PDF, JPEG, PNG = "application/pdf", "image/jpeg", "image/png"
_KINDS: dict[str | None, bytes] = {PDF: b"p", JPEG: b"j", PNG: b"n"}
EXTENSIONS = {PDF: ("pdf",), JPEG: ("jpg", "jpeg", "jpe", "jfif"), PNG: ("png",)}
# Of what is unpacked whole, read in the head of the file: a sheet of A4 at 600 dots an inch where a dot takes one byte,
# and 25 million where it takes more. A JPEG is unpacked at a half or less where it has more than that.
MOST_PIXELS, MOST_GREY_PIXELS, MOST_JPEG_PIXELS = 25_000_000, 40_000_000, 64_000_000
LONGEST_SIDE = 4_000  # enough to read a page of small print
SHORTEST_SIDE = 300
MOST_PAGES = 60
MOST_OBJECTS = 50_000
LONGEST_NAME = 100
# Of the processor; and by the clock, when others have the processor: less than the minute that a proxy waits, of which
# the files before may have taken a part (`sent_files`).
SECONDS, PATIENCE = 5, 35
MEMORY = 400 * 1024 * 1024
# A planned change is text of up to 4 MiB, and makes more of itself.
CHANGE = b"c"
SECONDS_OF_CHANGE, MEMORY_OF_CHANGE = 20, 800 * 1024 * 1024
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
    TOO_OFTEN = "too_often"
    NO_ROOM = "no_room"
    BUSY = "busy"


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
    order = {"name": name, "most_bytes": most_bytes, "types": list(types)}
    try:
        answer, rest = _judged(_KINDS.get(_type_of(content), b"?"), order, content)
    except TimeoutError:
        # A file that takes too long meets the limit of the processor's time: here others had the processor.
        raise FileRefused(FileFault.BUSY, shown) from None
    if "fault" in answer:
        raise FileRefused(FileFault(answer["fault"]), shown, limit=answer["limit"], found=answer["found"])
    if len(rest) != answer.pop("size", None):
        # Killed for memory or time, or a decoder died of the file: either way it is the file.
        raise FileRefused(FileFault.TOO_COMPLEX, shown)
    return Screened(content=rest, **answer)


# One change is read at a time in each process that serves.
_one_change = threading.BoundedSemaphore()


def read_change(content: bytes, syntax: preflight.Syntax | None = None) -> preflight.Change:
    """As `preflight.read`, in a process as `in_a_process` has one. Raises preflight.PlanError."""
    if len(content) > preflight.MOST_BYTES:  # not worth a process
        raise preflight.TooLarge(preflight.MOST_BYTES)
    if not _one_change.acquire(timeout=PATIENCE):
        raise preflight.Busy()
    try:
        answer, rest = _judged(CHANGE, {"syntax": syntax}, content)
    except TimeoutError:
        raise preflight.Busy() from None
    finally:
        _one_change.release()
    if "error" in answer:
        raise preflight.error_of(answer["error"], answer["given"])
    if len(rest) != answer.get("size"):
        # Killed for memory or time.
        raise preflight.TooMuch()
    return preflight.change_of(json.loads(rest))


def _judged(kind: bytes, order: dict[str, Any], content: bytes) -> tuple[dict[str, Any], bytes]:
    """What the judge says, and what it hands back; nothing of both where it died. Raises TimeoutError."""
    head = json.dumps(order).encode()
    said = _judges.judge(kind, len(head).to_bytes(4, "big") + head + content, patience=PATIENCE)
    length = int.from_bytes(said[:4], "big")
    return json.loads(said[4 : 4 + length]) if len(said) >= 4 + length > 4 else {}, said[4 + length :]


def walls() -> list[str]:
    """What confines the judging process on this machine; see `confinement`. Starts one and asks it."""
    done = subprocess.run(
        [sys.executable, "-P", "-B", "-m", __name__, "--walls"],
        capture_output=True,
        timeout=PATIENCE,
        check=False,
        env=_environment(),
    )
    return json.loads(done.stdout) if done.returncode == 0 else []


def _environment() -> dict[str, str]:
    """Where the judging process finds its modules, and nothing else: no secret, no address of a database."""
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT") if name in os.environ}
    return kept | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONUTF8": "1"}


_judges = judges.Judges([sys.executable, "-P", "-B", "-m", "rahdari.apply.screening"], _environment)


def _main() -> None:
    if "--walls" in sys.argv:
        sys.stdout.write(json.dumps(confinement.confine()))
    else:
        judges.stand_ready(_prepare_for_the_walls, judge, patience=PATIENCE)


def judge(file: int) -> None:
    """Read one file from this descriptor, and answer there."""
    with os.fdopen(file, "rb", closefd=False) as source:
        order = json.loads(source.read(int.from_bytes(source.read(4), "big")))
        content = source.read()
    changing = "syntax" in order
    _limit_this_process(MEMORY_OF_CHANGE if changing else MEMORY, SECONDS_OF_CHANGE if changing else SECONDS)
    confinement.confine()
    rest, answer = _change(content, order["syntax"]) if changing else _file(content, order)
    head = json.dumps(answer).encode()
    left = memoryview(len(head).to_bytes(4, "big") + head + rest)
    while left:
        left = left[os.write(file, left) :]


def _change(content: bytes, syntax: str | None) -> tuple[bytes, dict[str, Any]]:
    try:
        change = preflight.read(content, preflight.Syntax(syntax) if syntax else None)
        rest = json.dumps(preflight.as_data(change)).encode()
    except preflight.PlanError as error:
        return b"", {"error": error.code, "given": preflight.given_of(error)}
    return rest, {"size": len(rest)}


def _file(content: bytes, order: dict[str, Any]) -> tuple[bytes, dict[str, Any]]:
    rest = b""
    answer: dict[str, Any]
    try:
        done = screen(content, name=order["name"], most_bytes=order["most_bytes"], types=order["types"])
        rest = done.content
        answer = {
            "name": done.name,
            "media_type": done.media_type,
            "pages": done.pages,
            "sha256": done.sha256,
            "size": len(rest),
        }
    except FileRefused as error:
        answer = {"fault": error.reason.value, "limit": error.limit, "found": error.found}
    return rest, answer


_PRACTICE_OF_CHANGES = (b"192.0.2.1 udp 1", "۱۹۲.۰.۲.۱".encode(), b"prefix,port\n2001:db8::1,1\n", b"\xff")


def _prepare_for_the_walls(kind: bytes) -> None:
    """Import what would be looked for on the disk later: behind the walls nothing is found there."""
    if kind == CHANGE:
        for text in _PRACTICE_OF_CHANGES:
            _change(text, None)
        return
    # What a file is that is not taken, is told by its name.
    import puremagic  # noqa: F401

    media_type = next((each for each, letter in _KINDS.items() if letter == kind), None)
    if media_type == PDF:
        _practise_locked()
    elif media_type is not None:
        _practise(media_type)


def _practise_locked() -> None:
    """What unlocks a PDF that anybody may read and nobody may change looks for its ciphers when it is first used."""
    import pikepdf

    written = io.BytesIO()
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        pdf.save(written, encryption=pikepdf.Encryption(owner="owner", user=""))
    _clean_pdf(written.getvalue(), "")


def _practise(media_type: str) -> None:
    """Pillow looks for its parts when a picture needs them: two pictures in one file, the orientation, a palette. Which
    they are differs by its version, so pictures of our own go the whole way first."""
    from PIL import Image, ImageStat, MpoImagePlugin  # noqa: F401

    side = (SHORTEST_SIDE, SHORTEST_SIDE)
    turned = Image.Exif()
    turned[0x0112] = 6
    for mode in ("RGB", "L") if media_type == JPEG else ("RGB", "LA", "P", "I;16", "1"):
        written = io.BytesIO()
        Image.new(mode, side).save(written, "JPEG" if media_type == JPEG else "PNG", exif=turned)
        _clean_image(written.getvalue(), media_type, "")


def _limit_this_process(memory: int, seconds: int) -> None:
    with suppress(AttributeError, OSError):
        os.nice(5)
    try:
        import resource
    except ImportError:  # Windows: the time limit still holds
        return
    limits = (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, seconds),
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

    Image.MAX_IMAGE_PIXELS = MOST_JPEG_PIXELS
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(content), formats=["JPEG" if media_type == JPEG else "PNG"])
            width, height = image.size
            most = _most_pixels(image.mode, media_type)
            if width * height > most:
                raise FileRefused(FileFault.TOO_MANY_PIXELS, shown, limit=most // 1_000_000)
            if max(width, height) < SHORTEST_SIDE:
                raise FileRefused(FileFault.TOO_SMALL, shown, limit=SHORTEST_SIDE)
            if media_type == JPEG:
                # Unpacked at a half, a quarter or an eighth where that is large enough. Above the limit always at a
                # half at least: 25 million dots at a half are some 2,500 on a side.
                shrink = max(width, height) // LONGEST_SIDE
                if width * height > MOST_PIXELS:
                    shrink = max(shrink, 2)
                if shrink > 1:
                    image.draft(None, (width // shrink, height // shrink))
            image.load()
            plain = _plain(image)
            plain.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
            plain = ImageOps.exif_transpose(_with_orientation(plain, image))
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        limit = _most_pixels("", media_type) // 1_000_000
        raise FileRefused(FileFault.TOO_MANY_PIXELS, shown, limit=limit) from None
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, TypeError, KeyError):
        # What Pillow raises for broken files is not one class.
        raise FileRefused(FileFault.UNREADABLE, shown) from None
    written = io.BytesIO()
    # A new image of the same pixels: no EXIF, no profile, no comment can have come along.
    bare = Image.frombytes(plain.mode, plain.size, plain.tobytes())
    if media_type == JPEG:
        bare.save(written, "JPEG", quality=88, optimize=True)
    elif image.mode == "1":
        # Sixteen greys tell as much of two colours that were made smaller. Two dots in a byte pack to half of what one
        # packs to, and noise in a third of the time.
        greys = Image.frombytes("P", bare.size, bare.point(lambda shade: shade >> 4).tobytes())
        greys.putpalette([shade * 17 for shade in range(16) for _ in "rgb"])
        greys.save(written, "PNG", compress_level=4, bits=4)
    else:
        # Level 9 would pack a few percent better, and on two-coloured noise takes twenty times as long.
        bare.save(written, "PNG", compress_level=4)
    return written.getvalue()


def _most_pixels(mode: str, media_type: str) -> int:
    if media_type == JPEG:
        return MOST_JPEG_PIXELS
    return MOST_GREY_PIXELS if mode in {"1", "L", "P"} else MOST_PIXELS


def _with_orientation(plain: Any, image: Any) -> Any:
    """The picture with the other's word of which side is up, and nothing else of it."""
    turned = image.getexif().get(0x0112)
    if turned is not None:
        plain.getexif()[0x0112] = turned
    return plain


def _plain(image: Any) -> Any:
    """The picture in 256 greys or in colours, on white where it is transparent: nothing on it is lost to the eye.

    What has more than 256 greys is scaled, never cut off. A palette or two colours become shades before anything is
    made smaller, so that thin lines stay.
    """
    from PIL import Image

    if image.mode in {"I", "F"} or image.mode.startswith("I;16"):
        return _scaled(image)
    if image.mode in {"RGBA", "LA", "PA", "La", "RGBa"} or "transparency" in image.info:
        layer = image.convert("RGBA")
        page = Image.new("RGB", layer.size, _paper_for(layer))
        page.paste(layer, mask=layer.getchannel("A"))
        return page
    wanted = "L" if image.mode in {"1", "L"} else "RGB"
    return image if image.mode == wanted else image.convert(wanted)


def _scaled(image: Any) -> Any:
    """Many greys as 256, from the darkest that there is to the lightest: scanners fill 10, 12 or all of 16 bits."""
    darkest, lightest = image.getextrema()
    by = 255 / ((lightest - darkest) or 1)
    # Of the whole numbers, Pillow scales the 32 bit ones.
    wide = image if image.mode == "F" else image.convert("I")
    return wide.point(lambda shade: shade * by - darkest * by).convert("L")


def _paper_for(layer: Any) -> str:
    """White, or dark where what is drawn is light: white letters on nothing would be lost on white."""
    from PIL import ImageStat

    drawn = layer.getchannel("A").point(lambda share: 255 if share > 127 else 0)
    seen = ImageStat.Stat(layer.convert("L"), mask=drawn)
    return "#404040" if seen.count[0] and seen.mean[0] > 191 else "white"


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
