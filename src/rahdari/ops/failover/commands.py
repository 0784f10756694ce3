"""`rahdari drill failover`: its words and options. docs/growing.md tells how it is used."""

import argparse
import sys
from pathlib import Path


def add_drill(acts: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    failover = acts.add_parser(
        "failover",
        help="kill the database that leads under applications that go on",
        description="In a folder of its own and on this machine alone: three PostgreSQL under Patroni and etcd, "
        "applications and grants that go on, and the leader killed and changed. Then each act that was answered is "
        "looked for. Needs the programs patroni and etcd.",
    )
    failover.add_argument("--acts", type=int, default=10_000, metavar="N", help="acts that are answered at least")
    failover.add_argument("--kills", type=int, default=3, metavar="N", help="how often the leader is killed (3)")
    failover.add_argument("--switchovers", type=int, default=2, metavar="N", help="and how often it hands over (2)")
    failover.add_argument(
        "--bad-days",
        action="store_true",
        help="further: a replica that is far behind, etcd away, a leader that stood still and comes back",
    )
    failover.add_argument("--away", type=float, default=60, metavar="SECONDS", help="how long etcd is away then (60)")
    failover.add_argument("--applicants", type=int, default=4, metavar="N", help="processes of applicants (4)")
    failover.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    failover.set_defaults(run=run_failover)


def run_failover(options: argparse.Namespace) -> int:
    from . import drill

    plan = drill.Plan(
        acts=options.acts,
        kills=options.kills,
        switchovers=options.switchovers,
        bad_days=options.bad_days,
        away=options.away,
        clients=options.applicants,
    )
    return drill.rehearse(plan, json_file=options.json, say=lambda text: print(text, file=sys.stderr, flush=True))
