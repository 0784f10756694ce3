"""Work that a browser does for a comment while it is written, so that whoever sends many pays for many.

The protocol is ALTCHA's, checked by its library and hosted here alone: no tracker, nothing to solve by eye or ear. Who
has no script, or sends before it is done, is in the other of two queues. Each has its own bound: a flood in one of them
does not shut everybody out.
"""

import base64
import datetime as dt
import json

from altcha.v1 import ChallengeOptions, create_challenge, verify_solution

from rahdari.vault import index
from rahdari.web import limits

# About two seconds of a browser on a cheap phone; and so long the work is good for a form.
MOST, LASTS = 50_000, dt.timedelta(hours=4)
DAY = 24 * 3600


def _key() -> str:
    return index.blind("consult.effort", "key")


def asked(now: dt.datetime) -> str:
    """What the browser is asked to find, as JSON."""
    made = create_challenge(ChallengeOptions(max_number=MOST, hmac_key=_key(), expires=now + LASTS))
    return json.dumps(made.to_dict())


def is_done(payload: str) -> bool:
    """Whether this is work that we asked for, in its time and for the first time."""
    if not payload or len(payload) > 1000:
        return False
    try:
        found = json.loads(base64.b64decode(payload, validate=True))
        done, _fault = verify_solution(found, _key())
        challenge = str(found["challenge"])
    except (ValueError, TypeError, KeyError, AttributeError):
        return False
    return done and limits.allow(f"consult.effort:{challenge}", rate=1, per=DAY)
