"""What a server loads: `application`, with the settings of the environment, following the editions in a thread.

It may be answering before everything is held, and says 503 until then.
"""

import os
import sys

from .app import Lookup
from .settings import from_environment

# The interpreter is handed on after so long: a snapshot being read, or a request in bulk, keeps nobody waiting longer.
SWITCH_SECONDS = 0.0005


def begin() -> Lookup:
    sys.setswitchinterval(SWITCH_SECONDS)
    lookup = from_environment(os.environ)
    lookup.begin()
    return lookup


application = begin()
