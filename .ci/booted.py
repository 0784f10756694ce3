"""A register by the page, on a Debian 13 that boots: what docs/install.md has to be typed is typed, in its order.

    python3 .ci/booted.py            as root; apt-get install mmdebstrap systemd-container util-linux

1) The page ends in a register that answers by its names, and in a doctor that looks at all and finds nothing wrong.
2) The single units come back by themselves, whichever of them starts first while the database is away, and after a boot
   without it.
3) What is typed beside them, `feed status` and a new operator, leaves no traceback.

This commit is installed. The machine has a network of its own and reaches nobody; packages are fetched before it boots.
Standard library only. Exit code 1 says what did not hold.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

TREE = Path(__file__).resolve().parent.parent
PAGE = (TREE / "docs" / "install.md").read_text(encoding="utf-8")
UNITS = ("web", "worker", "watch", "publisher", "push", "lookup")
PATIENCE = 300.0
# Beside what the page installs: what a machine has that boots, and what stands for the world around it.
PACKAGES = ("systemd", "systemd-sysv", "dbus", "procps", "iproute2", "nftables", "git", "ca-certificates", "openssl")
# How pip reaches its index, and nothing else.
PASSED = (
    "PIP_INDEX_URL",
    "PIP_EXTRA_INDEX_URL",
    "PIP_CERT",
    "PIP_DEFAULT_TIMEOUT",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
)
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
# A mail server that takes every letter, and keeps none.
MAIL = """
import socketserver

class Mail(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(b"220 mail.example\\r\\n")
        reading = False
        for line in self.rfile:
            word = line.strip().upper()
            reading = word != b"." if reading else word == b"DATA"
            if word in (b"DATA", b".", b"QUIT") or not reading:
                self.wfile.write(b"354 go on\\r\\n" if word == b"DATA" else b"250 mail.example\\r\\n")

socketserver.ThreadingTCPServer.allow_reuse_address = True
socketserver.ThreadingTCPServer(("127.0.0.1", 25), Mail).serve_forever()
"""
MAIL_RUNS = "systemd-run --quiet --unit mail python3 /srv/mail.py\n"
BEFORE = f"""
cd /srv/rahdari
printf '127.0.0.1 register.example feed.example\\n' >>/etc/hosts
openssl req -x509 -newkey rsa:2048 -nodes -days 100 -subj /CN=register.example \\
    -addext subjectAltName=DNS:register.example,DNS:feed.example \\
    -keyout /etc/ssl/private/register.example.key -out /etc/ssl/register.example.pem 2>/dev/null
cp /etc/ssl/register.example.pem /etc/ssl/feed.example.pem
cp /etc/ssl/private/register.example.key /etc/ssl/private/feed.example.key
cp /etc/ssl/register.example.pem /usr/local/share/ca-certificates/register.crt
update-ca-certificates >/dev/null
sed -i -e 's/^RAHDARI_SMTP_HOST=.*/RAHDARI_SMTP_HOST=127.0.0.1/' -e 's/^RAHDARI_SMTP_PORT=.*/RAHDARI_SMTP_PORT=25/' \\
    -e '/^RAHDARI_SMTP_TLS=/d' -e 's/^RAHDARI_MAIL_FROM=.*/RAHDARI_MAIL_FROM=register@authority.test/' \\
    /etc/rahdari/rahdari.env
cat >/srv/mail.py <<'END'
{MAIL}
END
{MAIL_RUNS}"""
# What the reader has: put into the data folder once that is one.
FILES = r"""
printf 'number,name\n0000001,Sample Software House\n' >/var/lib/rahdari/companies.csv
cp src/rahdari/address/data/pk-networks.csv /var/lib/rahdari/networks.csv
cp src/rahdari/policy/declaration.toml /var/lib/rahdari/my-policy.toml
echo sample-words >/var/lib/rahdari/words
chown rahdari: /var/lib/rahdari/*.csv /var/lib/rahdari/my-policy.toml /var/lib/rahdari/words
"""


def section(title: str) -> str:
    """What is to be typed of a section of the page, up to its first table."""
    if f"\n{title}\n" not in PAGE:
        raise SystemExit(f"docs/install.md has no section {title}")
    said = re.split(r"\n#+ |\n\| ", PAGE.partition(f"\n{title}\n")[2])[0]
    return "\n".join(line[4:] for line in said.splitlines() if line.startswith("    "))


def until(holds: Callable[[], bool], what: str) -> float:
    began = time.monotonic()
    while not holds():
        if time.monotonic() - began > PATIENCE:
            raise SystemExit(f"Not within {PATIENCE:g} s: {what}")
        time.sleep(0.5)
    return time.monotonic() - began


def build(root: Path) -> None:
    """A root file system with what the first block of the page installs, and this commit."""
    first = section("## A register").partition("runuser -u postgres")[0]
    (packages,) = re.findall(r"^apt-get install (.*)$", first, re.MULTILINE)
    # The machine that runs this may have another mirror than the usual one.
    sources = Path("/etc/apt/sources.list.d/debian.sources")
    names = ",".join([*PACKAGES, *packages.split()])
    command = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={names}", "trixie", str(root)]
    subprocess.run([*command, *([str(sources)] if sources.exists() else [])], check=True)
    for name in ("/etc/resolv.conf", "/etc/ssl/certs/ca-certificates.crt", "/etc/pip.conf", "/etc/xdg/pip"):
        if (kept := Path(name)).exists():
            there = root / name.lstrip("/")
            there.parent.mkdir(parents=True, exist_ok=True)
            if kept.is_dir():
                shutil.copytree(kept, there, dirs_exist_ok=True)
            else:
                shutil.copy(kept, there)
    subprocess.run(["git", "clone", "--quiet", str(TREE), str(root / "srv" / "rahdari")], check=True)
    passed = [f"{name}={os.environ[name]}" for name in PASSED if name in os.environ]
    typed = "set -e; cd /srv/rahdari\n" + re.sub(r"^apt-get .*$", "", first, flags=re.MULTILINE)
    inside = ["chroot", str(root), "env", "-i", f"PATH={PATH}", "HOME=/root", *passed, "bash", "-c", typed]
    subprocess.run(["unshare", "--mount", "--pid", "--fork", "--kill-child", *inside], check=True)


class Machine:
    """What boots from a root file system, in a network of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def boot(self) -> None:
        # A quiet console of its own, and nothing of the system that runs this.
        command = ["systemd-nspawn", "--quiet", "--boot", "--private-network", "--register=no", "--keep-unit"]
        self.outside = subprocess.Popen(
            [*command, "--console=pipe", f"--directory={self.root}"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        children = Path(f"/proc/{self.outside.pid}/task/{self.outside.pid}/children")
        until(lambda: bool(children.read_text().split()), "the machine has begun")
        self.first = children.read_text().split()[0]
        until(lambda: self.said("systemctl is-active basic.target") == "active", "the machine has booted")

    def end(self) -> None:
        """As a power cut does."""
        os.kill(int(self.first), signal.SIGKILL)
        self.outside.wait(timeout=PATIENCE)

    def type(self, text: str) -> subprocess.CompletedProcess[str]:
        """Both outputs as one."""
        inside = ["nsenter", "--target", self.first, "--all", "env", "-i", f"PATH={PATH}", "HOME=/root", "bash"]
        return subprocess.run(
            inside, input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )

    def said(self, text: str) -> str:
        return self.type(text).stdout.strip()

    def do(self, text: str) -> str:
        done = self.type(f"set -e\n{text}")
        if done.returncode != 0:
            raise SystemExit(f"{text}\nended with {done.returncode}:\n{done.stdout}")
        return done.stdout

    def all_run(self) -> bool:
        answers = (
            "for port in 8000 8001 8002; do python3 -c \"import http.client as h; c = h.HTTPConnection('127.0.0.1', "
        )
        answers += "$port, timeout=9); c.request('GET', '/healthz', headers={'Host': 'register.example'}); "
        answers += 'assert c.getresponse().status == 200"; done'
        units = " ".join(f"rahdari-{name}" for name in UNITS)
        return self.type(f"set -e; systemctl is-active --quiet {units}; {answers}").returncode == 0

    def doctor(self) -> str:
        done = self.type("set -a; . /etc/rahdari/rahdari.env; /opt/rahdari/bin/rahdari doctor")
        wrong = [line for line in done.stdout.splitlines() if line.startswith("WRONG")]
        if done.returncode != 0 or wrong or "could not be looked at" in done.stdout:
            raise SystemExit(f"The doctor ends with {done.returncode}:\n{done.stdout}")
        return done.stdout

    def no_traceback(self) -> None:
        if "Traceback" in (log := self.said("journalctl --no-pager -u 'rahdari-*'")):
            raise SystemExit(f"A traceback in the log:\n{log}")


def register(machine: Machine, *words: str) -> str:
    (function,) = re.findall(r"^register\(\) .*$", section("### First steps"), re.MULTILINE)
    return machine.do(f"{function}\nregister {' '.join(words)}")


def by_the_page(machine: Machine) -> None:
    database = "runuser -u postgres" + section("## A register").partition("runuser -u postgres")[2]
    steps = section("### First steps").replace("--passphrase", "--passphrase-file /var/lib/rahdari/words")
    steps = steps.replace("register prepare\n", f"register prepare\n{FILES}")
    # A register takes no address for samples.
    steps = re.sub(r"(@\S+)\.example", r"\1.sample-register", steps)
    # The feed has its first edition a moment after the first start: the doctor is asked when it is there.
    steps = re.sub(r"^\(set -a.*doctor\)$", "", steps, flags=re.MULTILINE)
    until(lambda: machine.said("systemctl is-active postgresql@17-main") == "active", "PostgreSQL runs")
    machine.do("cd /srv/rahdari\n" + database)
    machine.do(BEFORE)
    machine.do("cd /srv/rahdari\n" + section("### The web server"))
    machine.do("cd /srv/rahdari\n" + steps)
    until(lambda: "Edition" in machine.said(FEED_STATUS), "an edition is published")
    print(machine.doctor())
    for name in ("register.example", "feed.example"):
        machine.do(f"python3 -c \"import urllib.request as r; r.urlopen('https://{name}/healthz', timeout=30)\"")
    machine.no_traceback()


FEED_STATUS = "set -a; . /etc/rahdari/rahdari.env; runuser -u rahdari -- /opt/rahdari/bin/rahdari feed status"


def by_units(machine: Machine) -> None:
    machine.do("systemctl disable --now rahdari-up; rm /etc/systemd/system/rahdari-up.service")
    machine.do(section("### A user for each process"))
    machine.do("cd /srv/rahdari\n" + section_after("All of them on one machine:"))
    until(machine.all_run, "all units run")
    for number, first in enumerate(UNITS):
        order = [first, *(name for name in UNITS if name != first)]
        machine.do("systemctl stop 'rahdari-*'; systemctl stop postgresql@17-main")
        # The first one alone, then the others; then the database.
        machine.do(f"systemctl start --no-block rahdari-{first}; sleep {number}")
        machine.do("".join(f"systemctl start --no-block rahdari-{name}\n" for name in order[1:]) + "sleep 4")
        machine.do("systemctl start postgresql@17-main")
        print(
            f"{first} first: all run {until(machine.all_run, f'all units run, {first} first'):.0f} s after the database"
        )
    machine.do("systemctl disable --quiet postgresql")
    machine.end()
    machine.boot()
    machine.do(MAIL_RUNS)
    until(lambda: "activating" in machine.said("systemctl is-active rahdari-prepare"), "prepare waits for the database")
    machine.do("systemctl start postgresql@17-main")
    print(f"after a power cut: all run {until(machine.all_run, 'all units run after a boot'):.0f} s after the database")


def section_after(words: str) -> str:
    said = PAGE.partition(f"\n{words}\n\n")[2].partition("\n\n")[0]
    return "\n".join(line[4:] for line in said.splitlines())


def beside_them(machine: Machine) -> None:
    said = register(machine, "operator", "add", "another-fibre", "--name", "Another-Fibre", "--asn", "64501")
    if "token" not in said.lower():
        raise SystemExit(said)
    until(lambda: "2 operators" in machine.said(FEED_STATUS), "the publisher has taken up the new operator")
    said = machine.do(FEED_STATUS)
    # The keys are looked at by root alone.
    by_root = machine.do(FEED_STATUS.replace("runuser -u rahdari -- ", ""))
    if "Traceback" in said or "publisher's alone" not in said or " signs; " not in by_root:
        raise SystemExit(said + by_root)
    print(by_root)
    print(machine.doctor())
    machine.no_traceback()


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="rahdari-booted-") as folder:
        machine = Machine(Path(folder) / "root")
        build(machine.root)
        machine.boot()
        try:
            by_the_page(machine)
            by_units(machine)
            beside_them(machine)
        finally:
            machine.end()


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    main()
