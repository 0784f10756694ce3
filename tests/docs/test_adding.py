"""The patches of docs/adding.md apply, touch few files, and what they add works."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
# Goal of the page: a sort of evidence touched 22 files before its parts were declared once, and somebody who is asked
# 35.
USE_LINK = """
import django, hatch_build, pathlib
hatch_build.compile_catalogues(pathlib.Path())
django.setup()
from django.urls import reverse
from django.utils.translation import override
from rahdari import policy
from rahdari.apply import step_forms
from rahdari.apply.rules import Facts, is_given
from rahdari.api import public
rules = policy.read(policy.BUNDLED.read_text().replace('wants = "text"', 'wants = "link"', 1))
[kind] = [each for service in rules.services.values() for each in service.evidence if each.wants == "link"]
page = step_forms.PAGES[kind.wants]
assert reverse(page.url_name, args=["A-1"]).endswith("/evidence/link/")
assert page.form({"text": "https://sample.example/"}).is_valid() and not page.form({"text": "no address"}).is_valid()
assert page.later({"text": "https://sample.example/"}, None, rules).is_valid()
assert is_given(kind, Facts(evidence_text="https://sample.example/")) and not is_given(kind, Facts())
with override("ur"):
    assert str(page.heading) == "صفحہ جس پر آپ کا کام ہو"
assert '"link"' in str(public.SERVICE).replace("'", '"')
"""
USE_SCHOOL = """
import django, hatch_build, pathlib
hatch_build.compile_catalogues(pathlib.Path())
django.setup()
from django.utils.translation import override
from rahdari import policy
from rahdari.applicant import awaiting
from rahdari.apply import step_forms
from rahdari.checks.kinds import KINDS
from rahdari.letters.writing import compose
from rahdari.vouch.parties import BY_CHECK, PARTIES
from rahdari.workflow import checking
text = policy.BUNDLED.read_text().replace('wants = "address"', 'wants = "school"')
rules = policy.read(text.replace('kind = "employer"', 'kind = "enrolment"'))
[kind] = {each.key: each for service in rules.services.values() for each in service.evidence if each.sort.asks}.values()
assert (kind.wants, kind.sort.asks) == ("school", "enrolment")
assert step_forms.PAGES[kind.wants].form({"text": "dean@school.example"}).is_valid()
school = BY_CHECK["enrolment"]
assert school is PARTIES["school"] and "school_confirmed" in KINDS["enrolment"].findings
assert "enrolment" in checking._REQUESTS and "enrolment" in awaiting._WHOM
with override("ur"):
    asked = school.asks("Sample Person")
    facts = {"about": str(school.subject), "question": asked, "lead": str(school.lead), "not_asked": "-"}
assert "Sample Person" in asked and "school" not in asked
letter = compose(
    template="client_question",
    language="ur",
    context={**facts, "ends_at": django.utils.timezone.now(), "url": "/vouch/x/", "stop_url": "/vouch/x/stop/"},
)
assert letter.subject == facts["about"] and "Sample Person" in letter.text
"""
PATCHES = {"a sort of evidence": (0, 6, USE_LINK), "somebody who is asked": (1, 10, USE_SCHOOL)}


@pytest.fixture(params=PATCHES)
def patch(request: pytest.FixtureRequest) -> tuple[str, int, str]:
    """One patch of the page, how many files are too many for it, and what uses it."""
    place, fewer_than, use = PATCHES[request.param]
    found = re.findall(r"```diff\n(.*?)```", (ROOT / "docs/adding.md").read_text(encoding="utf-8"), re.DOTALL)
    assert len(found) == len(PATCHES)
    return str(found[place]), fewer_than, use


def test_touches_few_files(patch: tuple[str, int, str]) -> None:
    assert 0 < len(re.findall(r"^diff --git", patch[0], re.MULTILINE)) < patch[1]


@pytest.mark.whole
def test_applies_and_what_it_adds_works(patch: tuple[str, int, str], tmp_path: Path) -> None:
    change, _, use = patch
    here = tmp_path / "copy"
    shutil.copytree(ROOT / "src", here / "src", ignore=shutil.ignore_patterns("__pycache__"))
    (here / "docs").mkdir()
    for name in ("docs/evidence.md", "hatch_build.py"):
        shutil.copy(ROOT / name, here / name)
    git = shutil.which("git")
    assert git is not None
    subprocess.run([git, "init", "-q", str(here)], check=True)
    subprocess.run([git, "apply", "-"], cwd=here, input=change, text=True, check=True)
    environment = {
        **os.environ,
        "PYTHONPATH": f"{here / 'src'}:{here}",
        "DJANGO_SETTINGS_MODULE": "rahdari.settings.test",
    }
    said = subprocess.run(
        [sys.executable, "-c", use], cwd=here, env=environment, text=True, capture_output=True, check=False
    )
    assert said.returncode == 0, said.stderr
