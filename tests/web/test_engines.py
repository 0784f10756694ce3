"""The comparison of the engines sees a difference, and takes nothing else for one."""

from itertools import count
from typing import Any

import pytest
from django.db import connection
from django.template import engines as known
from django.test.utils import CaptureQueriesContext

from tests.needs import needs_package


class Masked:
    """Another each time that it is read, as the token against forged requests is."""

    numbers = count()

    def __str__(self) -> str:
        return f"sample{next(self.numbers)}"


@pytest.fixture
def comparison(monkeypatch: pytest.MonkeyPatch) -> Any:
    needs_package("django_rust_templates", "pip install 'rahdari[templates]'")
    from tests import engines

    # Where everything is asked for one is at work already, and would compare what this one compares.
    monkeypatch.setattr(engines.Template, "render", engines.by_django)
    return engines.Comparison()


def compare(comparison: Any, source: str, **context: object) -> list[str]:
    template = known["django"].from_string(source)
    comparison.compare(template.render(context), template, context, None)
    found: list[str] = comparison.differences
    return found


def test_a_difference_is_told_with_its_template_and_lines(comparison: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.engines.by_rust", lambda *_: "same\n<b>")
    told = compare(comparison, "same\n{{ word }}", word="<b>")
    assert all(each.startswith("same\n") and "-&lt;b&gt;\n+<b>" in each for each in told)
    assert ["(en)" in each for each in told] == [True, False] and "(ur)" in told[1]


def test_an_error_of_one_engine_is_a_difference(comparison: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests import engines

    def broken(*_: object) -> str:
        raise RuntimeError("sample")

    monkeypatch.setattr(engines, "twin", lambda _: type("Twin", (), {"from_string": broken}))
    assert all("+RuntimeError('sample')" in each for each in compare(comparison, "word") or [""])


@pytest.mark.parametrize(
    ("source", "context", "unsteady"),
    [
        ("{{ word }} {% comma %} {% gates 'prove' %}", {"word": "<b>"}, False),
        ("{% csrf_token %}", {"csrf_token": Masked()}, False),
        ("{% for each in once %}{{ each }}{% endfor %}", {"once": iter("abc")}, True),
        ("{{ clock }}", {"clock": count().__next__}, True),
    ],
    ids=["alike", "a token", "given once", "a clock"],
)
def test_what_is_no_difference(comparison: Any, source: str, context: dict[str, Any], unsteady: bool) -> None:
    assert compare(comparison, source, **context) == []
    assert comparison.renders == {"en": 1, "ur": 1}
    assert comparison.unsteady == ({source} if unsteady else set())


@pytest.mark.django_db
def test_what_the_other_engine_asks_the_database_is_not_counted(comparison: Any) -> None:
    def asked() -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            return int(cursor.fetchone()[0])

    with CaptureQueriesContext(connection) as queries:
        assert compare(comparison, "{{ asked }}", asked=asked) == []
    assert len(queries) == 1 and "SELECT 1" in queries[0]["sql"]
