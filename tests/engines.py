"""Renders with the Rust engine what the suite renders with Django's, and compares byte for byte (ADR 0034): the first
contexts of each template, in both languages, whichever the test has.

A plugin of pytest, where everything is asked for. A difference fails the test in which it came about. These are no
differences of the engines:
- the masked CSRF token, which is another each time that it is read;
- what is another when Django renders it once more: a context that gives something once only, a clock that went on. The
  summary names these templates.
"""

import json
import re
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import unified_diff
from functools import cache
from itertools import islice
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.http import HttpRequest
from django.template.backends.django import DjangoTemplates, Template
from django.test.signals import template_rendered
from django.utils.translation import get_language, override
from django_rust_templates import RustTemplates

from rahdari.settings.engine import CONSTANT

TOKEN = re.compile(r'(?<=name="csrfmiddlewaretoken" value=")\w+')
# As Django has it, before `Comparison` is put around it.
by_django = Template.render
# Of each template, in one process. The first contexts are those of its own page's tests; thousands more are like them.
AT_MOST = 10
OPTIONS = ("autoescape", "builtins", "context_processors", "string_if_invalid")


@cache
def twin(backend: DjangoTemplates) -> Any:
    """The Rust engine with the options of this one: of the pages', or of the controls'."""
    options = {name: getattr(backend.engine, name) for name in OPTIONS}
    options["builtins"] = [each for each in options["builtins"] if each != CONSTANT]
    given = {"NAME": backend.name, "DIRS": backend.dirs, "APP_DIRS": backend.app_dirs, "OPTIONS": options}
    return RustTemplates(given)


def by_rust(template: Template, context: Any, request: HttpRequest | None) -> str:
    name, backend = template.template.name, twin(template.backend)
    try:
        found = backend.get_template(name) if name else backend.from_string(template.template.source)
        return str(found.render(context, request))
    except Exception as error:
        return repr(error)


@contextmanager
def not_counted() -> Iterator[None]:
    """What is asked of the database meanwhile counts in no test."""
    asked, wrappers = len(connection.queries_log), connection.execute_wrappers
    connection.execute_wrappers = []
    try:
        yield
    finally:
        connection.execute_wrappers = wrappers
        while len(connection.queries_log) > asked:
            connection.queries_log.pop()


class Comparison:
    """`.renders` counts what was compared, by language; `.rendered` has each template with the languages it came in,
    also as a part of others; `.unsteady` names what Django itself renders otherwise each time."""

    def __init__(self) -> None:
        self.renders: Counter[str] = Counter()
        self.times: Counter[str | None] = Counter()
        self.rendered: set[tuple[str, str]] = set()
        self.unsteady: set[str] = set()
        self.differences: list[str] = []
        self._here = threading.local()

    def pytest_configure(self) -> None:
        def render(template: Template, context: Any = None, request: HttpRequest | None = None) -> str:
            page: str = by_django(template, context, request)
            self.compare(page, template, context, request)
            return page

        Template.render = render
        template_rendered.connect(self.note)

    def note(self, template: Any, **_: object) -> None:
        self.rendered.add((template.name or "", get_language() or ""))

    def compare(self, page: str, template: Template, context: Any, request: HttpRequest | None) -> None:
        """In the language in which it was rendered, and with the same context in each other one."""
        # A tag may render a template of its own: of a page that is just compared, that is no other render.
        if getattr(self._here, "comparing", False) or self.times[template.template.name] >= AT_MOST:
            return
        self.times[template.template.name] += 1
        self._here.comparing = True
        given = template, context, request
        try:
            with not_counted():
                self.judge(page, *given)
                for language in {code for code, _ in settings.LANGUAGES} - {get_language()}:
                    with override(language):
                        self.judge(by_django(*given), *given)
        finally:
            self._here.comparing = False

    def judge(self, page: str, *given: Any) -> None:
        self.renders[get_language() or ""] += 1
        ours, theirs = TOKEN.sub("", page), TOKEN.sub("", by_rust(*given))
        if ours == theirs:
            return
        name = given[0].template.name or given[0].template.source
        if ours != TOKEN.sub("", by_django(*given)):
            self.unsteady.add(name)
            return
        lines = unified_diff(ours.split("\n"), theirs.split("\n"), "Django", "Rust", n=1, lineterm="")
        self.differences.append("\n".join([f"{name} ({get_language()})", *islice(lines, 20)]))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self) -> Iterator[None]:
        yield
        found, self.differences = self.differences, []
        if found:
            pytest.fail("the engines differ:\n" + "\n".join(found), pytrace=False)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if hasattr(session.config, "workeroutput"):
            # As text: names that templates give are strings of a kind of their own.
            told = (self.renders, sorted(self.rendered), sorted(self.unsteady))
            session.config.workeroutput["engines"] = json.dumps(told)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        told = getattr(node, "workeroutput", {}).get("engines", "[{}, [], []]")
        renders, rendered, unsteady = json.loads(told)
        self.renders.update(renders)
        self.rendered.update((name, language) for name, language in rendered)
        self.unsteady.update(unsteady)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if self.renders:
            names = len({name for name, _ in self.rendered})
            counts = ", ".join(f"{count} in {language}" for language, count in sorted(self.renders.items()))
            terminalreporter.write_line(f"rendered by both engines: {names} templates; {counts}")
            terminalreporter.write_line(f"another each time: {', '.join(sorted(self.unsteady)) or 'none'}")
