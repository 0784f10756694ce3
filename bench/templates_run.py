"""The run of `bench/templates`."""

import argparse
import os
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from bench import measure


def main(given: argparse.Namespace) -> None:
    conditions = measure.conditions()
    with tempfile.TemporaryDirectory(prefix="rahdari-bench-") as folder:
        data = Path(folder) / "data"
        data.mkdir(mode=0o700)
        os.environ |= {"RAHDARI_DATA": str(data), "DJANGO_SETTINGS_MODULE": "rahdari.settings.test"}
        from rahdari.ops.postgres import running_postgres

        with running_postgres(data) as url:
            os.environ["DATABASE_URL"] = url
            rows = run(5 if given.quick else 25)
    measure.report(rows, given=given, about=conditions, experiment="templates")


def run(rounds: int) -> list[dict[str, Any]]:
    import django
    from django.conf import settings
    from django.core.management import call_command
    from django.forms import BaseForm
    from django.template import loader
    from django.template.utils import EngineHandler
    from django.utils.module_loading import import_string

    # Not as tests are set up: there each render tells the test of it, at its own cost.
    django.setup()
    from bench.deadline_day_run import Person
    from rahdari.settings import engine
    from rahdari.vault import keys
    from tests.bench import test_whole_application as walk

    # Here no query is counted: to keep the text of each costs more than the engines differ by.
    walk.CaptureQueriesContext = lambda _: nullcontext(())  # type: ignore[assignment, misc]
    keys.make_missing(Path(settings.DATA) / "keys")
    call_command("migrate", verbosity=0)
    engines = {}
    for name, (pages, forms) in engine.KNOWN.items():
        handler = EngineHandler([settings.TEMPLATES[0] | {"BACKEND": pages}])
        engines[name] = handler, import_string(forms)()
        timed(type(handler.all()[0].from_string("")))
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in engines}
    for number in range((rounds + 1) * len(engines)):
        name = list(engines)[number % len(engines)]
        loader.engines, BaseForm.default_renderer = engines[name]  # type: ignore[attr-defined]
        visitor = walk.Counting(f"203.0.113.{number + 1}")
        began, spent[0] = time.process_time(), 0.0
        Person(number + 1, False, visitor.address, 80).fill_in(visitor, walk.Outbox(), b"")
        taken[name].append((time.process_time() - began, spent[0]))
    return [row(name, counted[1:]) for name, counted in taken.items()]


# Processor time within templates: that of pages, with the controls in them.
spent, _inside = [0.0], [False]


def timed(kind: Any) -> None:
    """Add what this class of templates takes to `spent`."""
    render = kind.render

    def timing(self: Any, context: Any = None, request: Any = None) -> str:
        if _inside[0]:
            return render(self, context, request)
        began, _inside[0] = time.process_time(), True
        try:
            return render(self, context, request)
        finally:
            spent[0] += time.process_time() - began
            _inside[0] = False

    kind.render = timing


def row(name: str, counted: list[tuple[float, float]]) -> dict[str, Any]:
    walks, templates = ([seconds * 1000 for seconds in each] for each in zip(*counted, strict=True))
    return {
        "engine": name,
        "walks": len(walks),
        "min ms": min(walks),
        "p50 ms": measure.percentile(walks, 0.5),
        "templates min ms": min(templates),
        "templates p50 ms": measure.percentile(templates, 0.5),
    }
