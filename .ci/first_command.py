"""The README's first command as a newcomer meets it: `./rahdari demo` starts, says no error, and prints a certificate.

Standard library only, for it runs where nothing is installed. Exit code 1 says what did not hold.
"""

import http.cookiejar
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

ADDRESS = "http://127.0.0.1:8000"
# A registration in force, and so a certificate.
HOLDER = "Sample Freelancer 32"
PATIENCE = 1200
LOG = Path(".data/first-command.log")


def visitor() -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))


def wait_until_it_answers(process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        try:
            urllib.request.urlopen(ADDRESS, timeout=10).close()
        except (urllib.error.URLError, OSError):
            if process.poll() is not None or time.monotonic() > until:
                raise SystemExit("The demonstration does not answer.") from None
            time.sleep(1)
        else:
            return


def certificate() -> bytes:
    """As the holder downloads it: signed in by the page of the demonstration's accounts."""
    web = visitor()
    page = web.open(f"{ADDRESS}/demo/sign-in/", timeout=60).read().decode()
    [form] = [part for part in re.findall(r"<form.*?</form>", page, re.DOTALL) if HOLDER in part]
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))
    request = urllib.request.Request(  # noqa: S310
        f"{ADDRESS}/demo/sign-in/", urllib.parse.urlencode(fields).encode()
    )
    request.add_header("Referer", f"{ADDRESS}/demo/sign-in/")
    web.open(request, timeout=60).close()
    page = web.open(f"{ADDRESS}/my/registrations/", timeout=60).read().decode()
    found = re.search(r"/my/registrations/(RD-[\w-]+)/", page)
    if found is None:
        raise SystemExit(f"{HOLDER} has no registration.")
    return bytes(web.open(f"{ADDRESS}/my/registrations/{found[1]}/certificate.pdf", timeout=60).read())


def main() -> None:
    began = time.monotonic()
    LOG.parent.mkdir(exist_ok=True)
    with LOG.open("wb") as log:
        process = subprocess.Popen(["./rahdari", "demo"], stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        wait_until_it_answers(process)
        print(f"./rahdari demo answers after {time.monotonic() - began:.0f} s.", flush=True)
        if not (paper := certificate()).startswith(b"%PDF"):
            raise SystemExit("The certificate is no PDF.")
        print(f"A certificate was printed, {len(paper)} bytes.", flush=True)
    finally:
        process.send_signal(signal.SIGINT)
        code = process.wait(120)
        said = LOG.read_text(errors="replace")
        if sys.exc_info()[0] is not None:
            print(said[-4000:], flush=True)
    if errors := [line for line in said.splitlines() if re.search(r"\b(ERROR|CRITICAL)\b|Traceback", line)]:
        raise SystemExit("The first start says errors:\n" + "\n".join(errors))
    if code not in {0, 130, -signal.SIGINT}:
        raise SystemExit(f"The demonstration ended with {code} after Ctrl-C.")


if __name__ == "__main__":
    os.chdir(Path(__file__).resolve().parent.parent)
    main()
