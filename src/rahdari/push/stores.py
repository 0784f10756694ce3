"""Where the mirror writes: an S3-compatible store, or a folder. Through obstore (the extra `rahdari[s3]`).

An S3 store is reached with AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and what else obstore reads of AWS_* in the
environment: never by an argument, which every user of the machine could read.
"""

import asyncio
import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import obstore
from obstore.store import LocalStore, S3Store

if TYPE_CHECKING:
    from obstore.store import ClientConfig, ObjectStore, RetryConfig, S3Config

PIECE_BYTES = 8 * 1024 * 1024
# The mirror goes on by itself after a fault, and says so; one request is not to keep it silent for minutes.
RETRIES = 4
RETRYING = dt.timedelta(seconds=30)


class Objects:
    """A store of obstore's as `mirror.Store` wants it."""

    def __init__(self, store: "ObjectStore", *, says_how_to_cache: bool) -> None:
        self._store, self._says = store, says_how_to_cache

    async def sizes(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for prefix in ("targets", "repositories"):
            async for chunk in obstore.list(self._store, prefix, chunk_size=1000):
                found.update((each["path"], each["size"]) for each in chunk)
        return found

    async def read(self, key: str) -> bytes | None:
        try:
            answer = await obstore.get_async(self._store, key)
            return bytes(await answer.bytes_async())
        except FileNotFoundError:
            return None

    async def write(self, key: str, content: Path | bytes, *, media_type: str, cache: str) -> None:
        attributes: dict[str, Any] = {"Content-Type": media_type, "Cache-Control": cache} if self._says else {}
        await obstore.put_async(
            self._store, key, content, attributes=attributes or None, chunk_size=PIECE_BYTES, max_concurrency=4
        )

    async def erase(self, keys: Sequence[str]) -> None:
        await obstore.delete_async(self._store, list(keys))


def s3(
    bucket: str,
    prefix: str,
    *,
    endpoint: str = "",
    region: str = "",
    ca_file: Path | None = None,
    retries: int = RETRIES,
) -> Objects:
    """A bucket that speaks S3. Credentials come from the environment; `ca_file` is in PEM.
    Raises OSError for `ca_file`.
    """
    config: S3Config = {}
    client: ClientConfig = {}
    if endpoint:
        config["endpoint"] = endpoint
        client["allow_http"] = endpoint.startswith("http://")
    if region:
        config["region"] = region
    if ca_file:
        client["root_certificate"] = ca_file.read_bytes()
    retry: RetryConfig = {"max_retries": retries, "retry_timeout": RETRYING}
    store = S3Store(bucket, prefix=prefix or None, config=config, client_options=client, retry_config=retry)
    return Objects(store, says_how_to_cache=True)


class Folder(Objects):
    """A folder, such as one that another machine's web server gives out. It is readable for everyone."""

    def __init__(self, folder: Path) -> None:
        super().__init__(LocalStore(folder, mkdir=True), says_how_to_cache=False)
        self._folder = folder

    async def erase(self, keys: Sequence[str]) -> None:
        await asyncio.to_thread(self._unlink, keys)

    def _unlink(self, keys: Sequence[str]) -> None:
        for key in keys:
            (self._folder / key).unlink(missing_ok=True)
