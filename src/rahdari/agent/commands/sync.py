"""`rahdari agent sync`: come up to date once, apply, and report."""

import argparse
import json

from .. import status
from ..configuration import Configuration, load
from ..faults import Exit
from ..folder import give_back, open_state, set_aside, sole_agent
from ..metrics_server import Showing
from ..rehearsal import rehearsed_as_json, rehearsed_in_words, rehearsing
from ..syncing import Agent
from ..terms import terms_note
from .acts import Acts, act, as_json, now, print_fault


def add(acts: Acts) -> None:
    sync = act(acts, "sync", "come up to date once, apply, and report", sync_once)
    sync.add_argument("--json", action="store_true", help="print a JSON object")
    sync.add_argument("--dry-run", action="store_true", help="say what each target would change, and change nothing")
    sync.add_argument("--anew", action="store_true", help="set a damaged or lost state aside and fetch all of it again")


def sync_once(arguments: argparse.Namespace) -> int:
    configuration = load(arguments.config)
    if arguments.dry_run:
        return rehearse_once(configuration, in_json=arguments.json)
    with sole_agent(configuration.state, make=arguments.anew):
        if arguments.anew:
            set_aside(configuration.state, now())
        with open_state(configuration.state) as state:
            agent = Agent(configuration, state)
            try:
                outcome = agent.sync(now=now())
                held = state.held_counts(now=now())
                if configuration.metrics_file is not None:
                    Showing(agent).show(outcome)
            finally:
                agent.close()
    give_back(configuration.state)
    position = outcome.position
    if arguments.json:
        said = {
            "ok": outcome.exit is Exit.OK,
            "session": position.session if position else None,
            "sequence": position.sequence if position else None,
            "digest": position.digest if position else None,
            "streams": status.streams_as_json(outcome.positions, held),
            "files": outcome.files,
            "in_force": outcome.applied.loaded,
            "kept_stale": outcome.applied.kept_stale,
            "targets": list(outcome.applied.targets),
            "seconds": round(outcome.seconds, 3),
            "faults": [as_json(fault) for fault in outcome.faults],
        }
        print(json.dumps(said))
    elif position is not None:
        names = ", ".join(outcome.applied.targets)
        done = f"applied to {names}" if names else "nothing to apply"
        edition = status.edition_in_words(outcome.positions).capitalize()
        print(f"{edition}: {status.counted(outcome.applied.loaded)} now; {done}.")
        print("\n".join(status.digests_in_words(outcome.positions)))
    for fault in outcome.faults:
        print_fault(fault)
    if (note := terms_note(configuration, agent.terms_named)) is not None:
        print_fault(note)
    return outcome.exit


def rehearse_once(configuration: Configuration, *, in_json: bool) -> int:
    with rehearsing(configuration) as rehearsal:
        said = rehearsal.sync(now=now())
    if in_json:
        print(json.dumps(rehearsed_as_json(said)))
    else:
        print(rehearsed_in_words(said))
    for fault in said.faults:
        print_fault(fault)
    return said.exit
