"""`rahdari agent init | sync | run | status | check | preflight | release | key | terms | ruleset | unit | announce
| watch`.

0  all is well                          4  a target could not be brought up to date
1  alarm: the feed is stale, or worse   5  the server was not reached, or refused us
2  the command or the configuration     6  the state folder: full, damaged, in use
3  something came that is not trusted   7  `check`: the address is not registered
8  `preflight`: entries would be hit    9  `preflight`: none is, but lines were not understood
"""

import argparse

from . import accepting, announce, initialising, key, measure, preflight, printing, releasing, run, status, sync, unit

# In the order in which they are listed.
ACTS = (initialising, sync, run, status, preflight, releasing, key, accepting, printing, unit, announce, measure)


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "agent", help="follow the feed on an operator's machine", formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.epilog = f"exit codes:\n{(__doc__ or '').partition(chr(10) * 2)[2]}"
    acts = parser.add_subparsers(dest="act", required=True, metavar="ACT")
    for module in ACTS:
        module.add(acts)
