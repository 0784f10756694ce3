"""All journeys share one demonstration, in whichever order their files are named."""

import re
from collections import defaultdict
from pathlib import Path

JOURNEYS = Path(__file__).parents[1] / "journeys"
# Ready accounts of the demonstration, which many files use, do not count.
EMAIL = re.compile(r'"([\w.+-]+@(?!demo\.)[\w.-]+\.example)"')


def test_whoever_applies_appears_in_one_file() -> None:
    """Somebody who has an application already is asked less, so that the other file's pages do not come."""
    appears = defaultdict(set)
    for file in JOURNEYS.glob("test_*.py"):
        for email in EMAIL.findall(file.read_text()):
            appears[email].add(file.name)
    assert len(appears) > 20
    assert {email: files for email, files in appears.items() if len(files) > 1} == {}
