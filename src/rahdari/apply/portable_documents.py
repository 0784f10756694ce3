"""Takes the pages of a PDF over into a new one, and nothing else.

Dropped: document information and XMP, scripts and actions, embedded and attached files, forms and notes as such, media,
private data of programs, and the EXIF of photos that were put on a page. Kept: what the page shows, filled-in forms
and visible notes as part of the page. A stream that unpacks to more than a page can need is refused, and so is a file
that unpacks to more than a scanned letter can need; it is counted piece by piece and never whole in memory.
"""

import io
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import takewhile
from typing import Any

import pikepdf

from rahdari.errors import RahdariError

# Keys that act, attach or tell, wherever they stand.
DROPPED = (
    "/A", "/AA", "/AF", "/Collection", "/EF", "/EmbeddedFiles", "/JS", "/JavaScript", "/LastModified", "/Metadata",
    "/Names", "/OpenAction", "/OpenSettings", "/PieceInfo", "/Perms", "/RichMediaContent", "/URI", "/XFA",
)  # fmt: skip
PAGE_KEYS_DROPPED = (
    "/Annots",
    "/B",
    "/Tabs",
    "/TemplateInstantiated",
    "/PresSteps",
    "/DPart",
    "/StructParents",
    "/Thumb",
    "/VP",
)


# What the drawing of one page, a font or a profile may unpack to, and the dots that a picture may have.
MOST_UNPACKED = 32 * 1024 * 1024
MOST_DOTS = 128_000_000
# What all streams of a file may unpack to, and of these all that are no pictures, which are read again to be drawn.
MOST_IN_ALL, MOST_DRAWN = 384 * 1024 * 1024, 64 * 1024 * 1024
PIECE = 1024 * 1024
_FLATE = frozenset({"/FlateDecode", "/Fl"})
# Filters that only the library reads, whole: the memory of the judging process is the limit.
_UNBOUNDED = frozenset(
    {"/LZWDecode", "/LZW", "/RunLengthDecode", "/RL", "/ASCII85Decode", "/A85", "/ASCIIHexDecode", "/AHx"}
)


class Broken(Exception):
    """The file cannot be read, or has no page."""


class Locked(Exception):
    """A password is needed to open the file."""


class TooManyPages(RahdariError):
    """More pages than `.limit`."""

    says = "{limit}"
    limit: int


class TooManyObjects(Exception):
    """More parts than a scanned letter can have."""


def clean(content: bytes, *, most_pages: int, most_objects: int) -> tuple[bytes, int]:
    """The new file and its number of pages. Raises Locked, TooManyPages, TooManyObjects, Broken."""
    try:
        with pikepdf.open(io.BytesIO(content), attempt_recovery=True) as old:
            if len(old.objects) > most_objects:
                raise TooManyObjects
            pages = len(old.pages)
            if pages > most_pages:
                raise TooManyPages(most_pages)
            if pages == 0:
                raise Broken
            _measure(item for item in old.objects if isinstance(item, pikepdf.Stream))
            with suppress(pikepdf.PdfError, RuntimeError):
                old.generate_appearance_streams()
            old.flatten_annotations("screen")
            with pikepdf.new() as new:
                new.pages.extend(old.pages)
                for page in new.pages:
                    _clean_page(page.obj)
                for item in new.objects:
                    _clean_item(item, depth=0)
                written = io.BytesIO()
                new.remove_unreferenced_resources()
                new.save(
                    written,
                    stream_decode_level=pikepdf.StreamDecodeLevel.none,
                    object_stream_mode=pikepdf.ObjectStreamMode.disable,
                    deterministic_id=True,
                )
    except pikepdf.PasswordError:
        raise Locked from None
    except (pikepdf.PdfError, ValueError, TypeError, KeyError, AttributeError, RuntimeError, IndexError):
        # What a broken tree makes the library raise is not one class.
        raise Broken from None
    return written.getvalue(), pages


def _measure(streams: Iterable[Any]) -> None:
    """Raises TooManyObjects when they unpack to more than a letter can need: a bomb for whoever opens it."""
    left, left_to_draw = MOST_IN_ALL, MOST_DRAWN
    for stream in streams:
        is_image = str(stream.get("/Subtype", "")) == "/Image"
        dots = int(stream.get("/Width", 0)) * int(stream.get("/Height", 0)) if is_image else 0
        # Four colours of 16 bits are the widest dots there are.
        most = min(left, MOST_UNPACKED + dots * 8 if is_image else min(MOST_UNPACKED, left_to_draw))
        if dots > MOST_DOTS or (unpacked := _unpacked(stream, most)) > most:
            raise TooManyObjects
        left -= unpacked
        if not is_image:
            left_to_draw -= unpacked


def _unpacked(stream: Any, most: int) -> int:
    """How many bytes the stream unpacks to; counting ends above `most`."""
    given = stream.get("/Filter", pikepdf.Array())
    filters = [str(name) for name in given] if isinstance(given, pikepdf.Array) else [str(given)]
    if _UNBOUNDED.intersection(filters):
        with suppress(pikepdf.PdfError):
            return len(stream.read_bytes(pikepdf.StreamDecodeLevel.specialized))
        return 0
    pieces: Iterator[bytes] = iter((stream.read_raw_bytes(),))
    for _filter in takewhile(_FLATE.__contains__, filters):
        pieces = _inflate(pieces)
    total = 0
    for piece in pieces:
        total += len(piece)
        if total > most:
            break
    return total


def _inflate(pieces: Iterator[bytes]) -> Iterator[bytes]:
    reader = zlib.decompressobj()
    for piece in pieces:
        rest = piece
        while rest and not reader.eof:
            try:
                yield reader.decompress(rest, PIECE)
            except zlib.error:  # damaged: a reader shows what came before, and so do we
                return
            rest = reader.unconsumed_tail


def _clean_page(page: Any) -> None:
    for key in PAGE_KEYS_DROPPED:
        if key in page:
            del page[key]


def _clean_item(item: Any, *, depth: int) -> None:
    if depth > 50:
        raise TooManyObjects
    if isinstance(item, pikepdf.Stream):
        _clean_keys(item, depth=depth)
        _strip_photo(item)
    elif isinstance(item, pikepdf.Dictionary):
        _clean_keys(item, depth=depth)
    elif isinstance(item, pikepdf.Array):
        for part in item:
            if not getattr(part, "is_indirect", False):
                _clean_item(part, depth=depth + 1)


def _clean_keys(item: Any, *, depth: int) -> None:
    for key in list(item.keys()):
        if key in DROPPED:
            del item[key]
            continue
        part = item.get(key)
        if isinstance(part, pikepdf.Object) and not part.is_indirect:
            _clean_item(part, depth=depth + 1)


def _strip_photo(stream: Any) -> None:
    """A photo on a page is a whole JPEG file; its EXIF may say where it was taken."""
    if stream.get("/Filter") not in (pikepdf.Name.DCTDecode, pikepdf.Array([pikepdf.Name.DCTDecode])):
        return
    raw = stream.read_raw_bytes()
    bare = without_segments(raw)
    if bare != raw:
        stream.write(bare, filter=pikepdf.Name.DCTDecode, decode_parms=stream.get("/DecodeParms"))


def without_segments(photo: bytes) -> bytes:
    """The same JPEG without comments and application data, but with what its colours need (APP2 profile, APP14)."""
    if not photo.startswith(b"\xff\xd8"):
        return photo
    kept = [photo[:2]]
    place = 2
    while place + 4 <= len(photo) and photo[place] == 0xFF:
        marker = photo[place + 1]
        if marker == 0xDA:
            break
        end = place + 2 + int.from_bytes(photo[place + 2 : place + 4], "big")
        tells = marker == 0xFE or (0xE1 <= marker <= 0xEF and marker not in {0xE2, 0xEE})
        if marker == 0xE2 and not photo[place + 4 :].startswith(b"ICC_PROFILE"):
            tells = True
        if not tells:
            kept.append(photo[place:end])
        place = end
    return b"".join([*kept, photo[place:]])
