"""The part of the doctor that looks at the processes without a port: the publisher, the worker and the measuring."""

from collections.abc import Iterator

from rahdari.ops.checks import NOTE, OK, WRONG, Finding

NAMES = {"publisher": "rahdari publisher", "worker": "rahdari worker", "watch": "rahdari watch run"}


def check_loops(*, others_run: bool) -> Iterator[Finding]:
    """Each of their loops holds a connection to the database, whichever machine it runs on. Where neither they nor
    `others_run`, nothing was started yet."""
    from rahdari.publish import metrics
    from rahdari.web.metrics_access import LOOPS

    at_work = metrics.loops_at_work()
    state = WRONG if others_run or at_work else NOTE
    for process, command in NAMES.items():
        loops = [loop for loop, of in LOOPS.items() if of == process]
        away = [loop for loop in loops if loop not in at_work]
        if len(away) == len(loops):
            yield Finding(
                state, "loops", f"`{command}` does not run, or does not reach the database. Start it; see its log."
            )
        elif away:
            text = f"of `{command}` these are not at work: {', '.join(away)}. Its log says why; restart it."
            yield Finding(WRONG, "loops", text)
        else:
            yield Finding(OK, "loops", f"`{command}` is at work")
