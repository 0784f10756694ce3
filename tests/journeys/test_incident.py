"""A registered connection is cut: its holder reports it in a browser, the operator answers and mends, and what is left
is a pack of evidence that two programs check that are not ours. Measured with a real rule of a firewall:
tests/incident/test_cut_for_real.py.
"""

import subprocess
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rahdari.people.demonstration import sample_email
from tests.needs import needs_chromium, needs_program

from .people import Person
from .stack import Stack, running, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.root, pytest.mark.whole]
BECAUSE = "A filter against an attack covered it. We take it out."
OPERATOR = "operator-sample-fibre@demo.rahdari.example"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One operator alone has the network of the address, so it is asked."""
    needs_chromium()
    with running(tmp_path_factory.mktemp("incident") / "data") as stack:
        yield stack


def number_of(holder: Person) -> str:
    holder.open("/my/registrations/", "registrations")
    link = holder.page.locator("main a[href*='/my/registrations/RD-']").first
    return str(link.get_attribute("href")).rstrip("/").rpartition("/")[2]


def has(person: Person, path: str, what: str) -> Callable[[], bool | None]:
    def looked() -> bool | None:
        person.page.goto(f"{person.stack.url}{path}")
        return person.page.locator(what).count() > 0 or None

    return looked


@pytest.mark.parametrize(("language", "holder"), [("en", 32), ("ur", 33)])
def test_is_reported_answered_mended_and_closed_with_a_pack_that_others_check(
    stack: Stack, a_person: Callable[..., Person], language: str, holder: int, tmp_path: Path
) -> None:
    sha256sum = needs_program("sha256sum", "apt-get install coreutils")
    mine, there = a_person(f"cut-{language}", language=language), a_person(f"network-{language}", language=language)
    mine.sign_in_ready(sample_email(holder))
    mine.speak()
    number = number_of(mine)
    mine.open(f"/my/registrations/{number}/cut/", "report a cut connection")
    mine.go_on("report a cut connection, nothing chosen")
    mine.page.locator("main input[name=connection]").first.check()
    mine.choose("nothing", "sees")
    mine.choose("on", "own_side")
    mine.go_on("a disruption, reported")
    path = mine.page.url.removeprefix(stack.url)
    incident = path.rstrip("/").rpartition("/")[2]
    # Its operator has it, and learns no name.
    there.sign_in_ready(OPERATOR)
    there.speak()
    there.open("/operator/incidents/", "disruptions of an operator")
    there.follow(there.page.locator("main table a", has_text=incident), "a disruption at its operator")
    assert number not in there.text()
    answer = there.page.locator("form[action$='/answer/']")
    answer.locator("input[value=filter_too_wide]").check()
    answer.locator("textarea").fill(BECAUSE)
    there.follow(answer.locator("button.btn"), "a disruption at its operator, answered")
    there.follow("form[action$='/mended/'] button", "a disruption at its operator, said to be mended")
    mine.open(path, "a disruption, said to be mended")
    assert BECAUSE in mine.text()
    mine.follow("form[action$='/works/'] button", "a disruption, it works again")
    wait_for("the incident to be closed", has(mine, path, "main form[action$='/open_again/']"))
    wait_for("the evidence", has(mine, path, "main a[href$='/pack/evidence/']"))
    mine.read("a disruption, closed")
    with mine.page.expect_download() as kept:
        mine.page.locator("main a[href$='/pack/evidence/']").click()
    kept.value.save_as(tmp_path / "evidence.zip")
    with zipfile.ZipFile(tmp_path / "evidence.zip") as archive:
        archive.extractall(tmp_path)
    place = tmp_path / incident
    words = [sha256sum, "-c", "tagmanifest-sha256.txt", "manifest-sha256.txt"]
    assert subprocess.run(words, cwd=place, capture_output=True, check=False).returncode == 0
    timeline = place / "data" / "timeline.json"
    assert BECAUSE in timeline.read_text()
    timeline.write_text(timeline.read_text().replace("filter_too_wide", "power"))
    assert subprocess.run(words, cwd=place, capture_output=True, check=False).returncode != 0
