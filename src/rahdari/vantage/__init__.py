"""Looking from elsewhere: a small process that probes for the register, and what the register makes of its answers.

Invariants: a vantage probes only for whoever shows its token, only global addresses (or ranges allowed by its own
setting), one attempt a request, few at a time; each answer is signed by its key and speaks of exactly one request. It
keeps nothing and logs no address. Nothing here knows Django.
"""

from .client import ANSWERS, ask, ask_many, connections, greet
from .vantage_list import Vantage, VantagesUnusable, load

__all__ = [
    "ANSWERS",
    "Vantage",
    "VantagesUnusable",
    "ask",
    "ask_many",
    "connections",
    "greet",
    "load",
]
