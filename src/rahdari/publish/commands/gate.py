"""`rahdari feed holds|approve|cancel|reopen|bulk`: removals that wait at the gate."""

import argparse
from typing import Any

from .console import fail, read_passphrase, span
from .custody import of_the_feed, sign_or_write, signing


def add_words(acts: Any) -> None:
    acts.add_parser("holds", help="removals that wait, because there are so many").set_defaults(run=run_holds)
    for word, run, text in (
        ("approve", run_approve, "let the removals of a hold go out, once its waiting period is over"),
        ("cancel", run_cancel, "let them not go out: the entries stay in the feed until their own term ends"),
        ("reopen", run_reopen, "ask again about a hold that was cancelled"),
    ):
        act = acts.add_parser(word, help=text)
        act.add_argument("hold", metavar="HOLD", help="as `rahdari feed holds` shows it")
        act.add_argument("--reason", required=True, help="why; it goes into the journal")
        act.add_argument("--by", required=True, metavar="NAME", help="who says so; goes into the journal")
        act.set_defaults(run=run)
    bulk = acts.add_parser(
        "bulk",
        help="state with the offline keys that so many entries may go, so that agents do not hold them back",
        description="One statement for each of these holds. docs/holds.md.",
    )
    bulk.add_argument("holds", nargs="+", metavar="HOLD")
    signing(bulk)
    bulk.set_defaults(run=run_bulk)


def run_holds(options: argparse.Namespace) -> int:
    from django.utils import timezone

    from rahdari.publish import holds as publish_holds

    now = timezone.now()
    shown = publish_holds.open_holds()
    if not shown:
        print("Nothing waits.")
    for hold in shown:
        print(
            f"{str(hold.pk)[:8]}  {hold.stream}: {hold.removals} of {hold.entries} entries wait since "
            f"{hold.opened_at:%Y-%m-%d %H:%M} UTC"
        )
        if hold.state == hold.State.CANCELLED:
            print("          cancelled: they stay until their own term ends")
        elif hold.state == hold.State.APPROVED:
            due = f"in {span(hold.due_at - now)}" if hold.due_at > now else "now"
            print(f"          approved by {hold.approved_by}; they go out {due}")
        else:
            print(f"          to be approved by a second person; not before {hold.due_at:%Y-%m-%d %H:%M} UTC")
        for actor, number in publish_holds.who_ended(hold):
            print(f"          {number} ended by {actor}")
    return 0


def run_approve(options: argparse.Namespace) -> int:
    return _decide(options, "approve_hold", "They go out once the waiting period is over.")


def run_cancel(options: argparse.Namespace) -> int:
    return _decide(options, "cancel_hold", "They stay in the feed until their own term ends.")


def run_reopen(options: argparse.Namespace) -> int:
    return _decide(options, "reopen_hold", "A second person is to approve it, and the waiting period begins anew.")


def _decide(options: argparse.Namespace, act: str, well: str) -> int:
    from django.utils import timezone

    from rahdari.journal import seconding
    from rahdari.publish import actions
    from rahdari.publish import holds as publish_holds

    hold = publish_holds.hold_by_start(options.hold)
    if hold is None:
        return fail(f"There is no hold {options.hold}. `rahdari feed holds` shows them.")
    try:
        getattr(actions, act)(hold=hold, actor=f"system:{options.by}", reason=options.reason, now=timezone.now())
    except publish_holds.HoldDecided as error:
        return fail(f"This hold is {error.state}; that cannot be done with it.")
    except seconding.NotSecond:
        return fail("Who ended entries of this hold cannot approve it. A second person has to.")
    print(well)
    return 0


@of_the_feed
def run_bulk(options: argparse.Namespace) -> int:
    from django.utils import timezone

    from rahdari.publish import actions
    from rahdari.publish import holds as publish_holds

    holds = []
    for text in options.holds:
        hold = publish_holds.hold_by_start(text)
        if hold is None:
            return fail(f"There is no hold {text}. `rahdari feed holds` shows them.")
        holds.append(hold)
    draft = actions.draft_bulk_for(holds=holds, now=timezone.now())
    return sign_or_write(draft, options, read_passphrase(options, twice=False), list(options.offline or []))
