"""The patch of docs/adding.md applies, touches few files, and what it adds works."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
# Goal of the page: a sort of evidence touched 22 files before its parts were declared once.
FEWER_THAN = 6
USE = """
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
assert reverse(page.url_name, args=["A-1"]).endswith("/proof-of-work/link/")
assert page.form({"text": "https://sample.example/"}).is_valid() and not page.form({"text": "no address"}).is_valid()
assert page.later({"text": "https://sample.example/"}, None, rules).is_valid()
assert is_given(kind, Facts(evidence_text="https://sample.example/")) and not is_given(kind, Facts())
with override("ur"):
    assert str(page.heading) == "صفحہ جس پر آپ کا کام ہو"
assert '"link"' in str(public.SERVICE).replace("'", '"')
"""


@pytest.fixture(scope="module")
def patch() -> str:
    [found] = re.findall(r"```diff\n(.*?)```", (ROOT / "docs/adding.md").read_text(encoding="utf-8"), re.DOTALL)
    return str(found)


def test_a_sort_of_evidence_touches_few_files(patch: str) -> None:
    assert 0 < len(re.findall(r"^diff --git", patch, re.MULTILINE)) < FEWER_THAN


def test_the_patch_applies_and_what_it_adds_works(patch: str, tmp_path: Path) -> None:
    here = tmp_path / "copy"
    shutil.copytree(ROOT / "src", here / "src", ignore=shutil.ignore_patterns("__pycache__"))
    (here / "docs").mkdir()
    for name in ("docs/evidence.md", "hatch_build.py"):
        shutil.copy(ROOT / name, here / name)
    git = shutil.which("git")
    assert git is not None
    subprocess.run([git, "init", "-q", str(here)], check=True)
    subprocess.run([git, "apply", "-"], cwd=here, input=patch, text=True, check=True)
    environment = {
        **os.environ,
        "PYTHONPATH": f"{here / 'src'}:{here}",
        "DJANGO_SETTINGS_MODULE": "rahdari.settings.test",
    }
    said = subprocess.run(
        [sys.executable, "-c", USE], cwd=here, env=environment, text=True, capture_output=True, check=False
    )
    assert said.returncode == 0, said.stderr
