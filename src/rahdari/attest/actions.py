"""The acts of attest: attest, revoke, ask, answer, dispute, decide; lists of members.

Each act is one transaction with one journal row. The journal names numbers of ours, never a person's.
"""

from .attestations import (
    MemberNotTaken,
    NotRevocable,
    attest,
    give_back,
    note_use,
    renew,
    revoke,
    settle_use,
    stop_following,
)
from .disputing import (
    NothingToDispute,
    NotPossibleNow,
    close_matter,
    decide,
    dispute,
    mark_carried_out,
    open_matter,
    reply,
)
from .lists import ListNotTaken, corrected, delete_old_lists, judged, keep_list, own_list, send_list
from .requests import (
    OwnRequest,
    answer_request,
    ask,
    attest_applicant,
    erase_about,
    mark_looked_at,
    take_answer_back,
)
from .revoking import (
    ToRevoke,
    corrected_revocations,
    keep_revocations,
    not_taken_back,
    send_revocations,
    to_revoke,
)

__all__ = [
    "ListNotTaken",
    "MemberNotTaken",
    "NotPossibleNow",
    "NotRevocable",
    "NothingToDispute",
    "OwnRequest",
    "ToRevoke",
    "answer_request",
    "ask",
    "attest",
    "attest_applicant",
    "close_matter",
    "corrected",
    "corrected_revocations",
    "decide",
    "delete_old_lists",
    "dispute",
    "erase_about",
    "give_back",
    "judged",
    "keep_list",
    "keep_revocations",
    "mark_carried_out",
    "mark_looked_at",
    "not_taken_back",
    "note_use",
    "open_matter",
    "own_list",
    "renew",
    "reply",
    "revoke",
    "send_list",
    "send_revocations",
    "settle_use",
    "stop_following",
    "take_answer_back",
    "to_revoke",
]
