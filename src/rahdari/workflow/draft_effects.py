"""consult -> decide -> consult: what each version of a draft would have changed of last year's cases, as numbers.

Small numbers are protected before they are stored, so that no page and no difference of two says more: none under the
policy's `fewest`, and every one rounded. Nothing is decided again, and no case is named.
"""

import datetime as dt
from collections import Counter

from rahdari import policy
from rahdari.consult import queries as drafts
from rahdari.consult.models import Version
from rahdari.consult.rules import protected
from rahdari.db.queues import each_of
from rahdari.decide import replay


@each_of(drafts.versions_to_replay, at_most=1)
def replay_drafts(version: Version, now: dt.datetime) -> bool:
    found = replay.replay(policy.read(version.policy_text), now=now)
    version.replayed, version.replayed_at = numbers_of(found, drafts.in_force().consultation.fewest), now
    version.save(update_fields=["replayed", "replayed_at"])
    return True


def numbers_of(found: replay.Replay, fewest: int) -> dict[str, object]:
    """`moved`: how many went from one way to another, worse ones first; None stands for fewer than `fewest`."""
    counted = Counter((each.was, each.would_be) for each in found.in_order())
    order = replay.WAYS.index
    return {
        "fewest": fewest,
        "cases": protected(found.cases, fewest),
        "otherwise": protected(len(found.moved), fewest),
        "unknown": protected(found.unknown, fewest),
        "moved": [
            {
                "was": was.name.lower(),
                "would_be": would_be.name.lower(),
                "worse": order(would_be) > order(was),
                "count": protected(count, fewest),
            }
            for (was, would_be), count in counted.items()
        ],
    }
