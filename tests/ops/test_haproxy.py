"""deploy/haproxy, the units and docs/several-machines.md agree; the page that HAProxy has in our place says what ours
say. What runs the file: test_several_machines.py."""

import re
from pathlib import Path

import pytest
from django.utils import translation

TREE = Path(__file__).parents[2]
CONFIGURATION = (TREE / "deploy" / "haproxy" / "haproxy.cfg").read_text()
AWAY = TREE / "deploy" / "haproxy" / "rahdari-away.http"
UNITS = TREE / "deploy" / "systemd"
SECTION = (
    (TREE / "docs" / "several-machines.md")
    .read_text()
    .partition("## Two of each, behind HAProxy")[2]
    .partition("\n## ")[0]
)


def served() -> dict[int, str]:
    """The unit that serves a port, where the page tells it to listen."""
    found = {}
    for path in UNITS.glob("*.service"):
        text = path.read_text()
        if port := re.search(r"^ExecStart=.* --host \$\{LISTEN\} --port (\d+)$", text, re.MULTILINE):
            # What the file says comes after the unit's own word, and counts.
            assert text.index("Environment=LISTEN=127.0.0.1") < text.index("EnvironmentFile=/etc/rahdari/rahdari.env")
            found[int(port[1])] = path.stem
    return found


class TestEachPortThatIsAsked:
    asked = re.findall(r"^    server \S+ ([\d.]+):(\d+)", CONFIGURATION, re.MULTILINE)

    def test_is_one_that_a_unit_serves_and_that_the_page_starts(self) -> None:
        ports = {int(port) for _, port in self.asked}
        assert ports == served().keys() and len(ports) == 4
        (started,) = re.findall(r"systemctl enable --now (.*)", SECTION)
        assert sorted(started.split()) == sorted(served().values())
        rows = re.findall(r"^\| `(rahdari-\w+)` \| .* \| (\d+) \|$", SECTION, re.MULTILINE)
        assert {int(port): unit for unit, port in rows} == served()
        (copied,) = re.findall(r"cp deploy/systemd/rahdari-\{(.*)\}\.service ", SECTION)
        assert {f"rahdari-{name}" for name in copied.split(",")} == {*served().values(), "rahdari-prepare"}

    def test_is_at_an_address_at_which_the_page_lets_them_listen(self) -> None:
        (first,) = re.findall(r"^    LISTEN=(.*)$", SECTION, re.MULTILINE)
        (second,) = re.findall(r"on the second one ([\d.]*\d)", SECTION)
        assert {address for address, _ in self.asked} == {first, second}


class TestThePageInOurPlace:
    def test_is_installed_where_it_is_looked_for(self) -> None:
        backend = CONFIGURATION.partition("\nbackend web\n")[2].partition("\nbackend ")[0]
        told = dict(re.findall(r"errorfile (\d+) (\S+)", backend))
        assert told == dict.fromkeys(("502", "503", "504"), "/etc/haproxy/errors/rahdari-away.http")
        assert "install -m 0644 deploy/haproxy/rahdari-away.http /etc/haproxy/errors/\n" in SECTION

    @pytest.mark.parametrize("language", ["en", "ur"])
    def test_says_what_our_own_say(self, language: str) -> None:
        page = AWAY.read_text()
        english, urdu = page.partition('<section lang="ur"')[::2]
        sentences = re.findall(r"<(?:h1|p)>(.*)</", english)
        assert len(sentences) == 4
        with translation.override(language):
            ours = [translation.gettext(each) for each in sentences]
        assert re.findall(r"<(?:h1|p)>(.*)</", english if language == "en" else urdu) == ours
        assert page.startswith("HTTP/1.1 503 ") and len(page.encode()) < 8_000
