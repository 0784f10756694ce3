"""Juniper SRX dynamic address: an archive with one file for each feed, one prefix on a line.

The device asks by HEAD whether the archive changed, and replaces the addresses without a commit.
"""

import gzip
import io
import tarfile
import tempfile
from collections.abc import Iterable, Iterator

from .renderer import Head, Option, Options, Renderer

PIECE = 1 << 20


class Srx(Renderer):
    kind = "juniper-srx"
    # By model some hundred thousand; the smallest that is published for a branch device.
    capacity = 100_000
    options = {"feed": Option("rahdari", "name of the feed, which is the name of the file in the archive")}

    def render(self, items: Iterable[str], head: Head, options: Options) -> Iterator[bytes]:
        # An archive says how long a file is before the file: it is written aside first.
        with tempfile.TemporaryFile() as aside:
            size = 0
            for prefix in items:
                size += aside.write(f"{prefix}\n".encode())
            aside.seek(0)
            info = tarfile.TarInfo(str(options["feed"]))
            info.size = size
            yield from _zipped(_archive(info, aside))


def _archive(info: tarfile.TarInfo, content: io.BufferedIOBase) -> Iterator[bytes]:
    yield info.tobuf(tarfile.USTAR_FORMAT)
    while piece := content.read(PIECE):
        yield piece
    yield b"\0" * (-info.size % tarfile.BLOCKSIZE)
    yield b"\0" * 2 * tarfile.BLOCKSIZE


def _zipped(pieces: Iterable[bytes]) -> Iterator[bytes]:
    out = io.BytesIO()
    # No time in it: the same addresses give the same bytes, and the device sees that nothing changed.
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=6, mtime=0) as file:
        for piece in pieces:
            file.write(piece)
            yield out.getvalue()
            out.seek(0)
            out.truncate()
    yield out.getvalue()
