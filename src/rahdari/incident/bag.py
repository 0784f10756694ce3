"""Bags: files with their SHA-256, as RFC 8493 has it, in a zip that is the same for the same files. Pure.

    files = bag({"data/facts.json": ...}, tags={"README.en.txt": ...}, info={"External-Identifier": "D-..."})
    zipped(files, folder="D-...", at=now)

The tag manifest holds the hash of every file but itself and what is put beside it later: whoever has its hash has all
of it. Both manifests are what `sha256sum -c` reads.
"""

import datetime as dt
import hashlib
import io
import zipfile
from collections.abc import Mapping

MANIFEST, TAG_MANIFEST = "manifest-sha256.txt", "tagmanifest-sha256.txt"
DECLARATION = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"


def bag(payload: Mapping[str, bytes], *, tags: Mapping[str, bytes], info: Mapping[str, str]) -> dict[str, bytes]:
    """All files of the bag, by their names in it. `payload`: names below `data/`. Raises ValueError for a name that is
    not below it, or that a reader could take for another place."""
    for name in payload:
        if not name.startswith("data/") or ".." in name or "\\" in name or any(each.isspace() for each in name):
            raise ValueError(f"{name} is no name in a payload")
    size = sum(len(content) for content in payload.values())
    told = {**info, "Payload-Oxum": f"{size}.{len(payload)}"}
    files = {
        "bagit.txt": DECLARATION,
        "bag-info.txt": "".join(f"{key}: {value}\n" for key, value in told.items()).encode(),
        MANIFEST: _manifest(payload),
        **tags,
    }
    return {**files, TAG_MANIFEST: _manifest(files), **payload}


def _manifest(files: Mapping[str, bytes]) -> bytes:
    return "".join(f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files)).encode()


def zipped(files: Mapping[str, bytes], *, folder: str, at: dt.datetime) -> bytes:
    """The bag in a folder of its own."""
    made = io.BytesIO()
    when = at.astimezone(dt.UTC).timetuple()[:6]
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(f"{folder}/{name}", when)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(entry, files[name])
    return made.getvalue()
