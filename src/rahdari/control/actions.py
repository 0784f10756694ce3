"""The acts of control: open and prove challenges, look at servers, show a proof again.

Each act is one transaction with one journal row (what the clock repeats is not journaled: looks are attempts).
The network is never asked inside a transaction.
"""

from .attempts import TooManyLooks, TooSoonToLook, ask_for_a_look, look_at_due, look_once
from .challenges import (
    ChallengeNotPending,
    LinkOutcome,
    LinkUnknown,
    answer_by_operator,
    await_operator,
    expire_challenges,
    open_challenge,
    open_link,
    open_way,
    share_proof,
    withdraw_challenges,
)
from .erasing import erase_evidence, erase_proofs, forget_reproofs
from .registries import CodeNotTaken, NoCodeNow, send_code, try_code
from .reported_proofs import prove_by_report
from .reproofs import begin_reproof, follow_reproof, repeat_proof

__all__ = [
    "ChallengeNotPending",
    "CodeNotTaken",
    "LinkOutcome",
    "LinkUnknown",
    "NoCodeNow",
    "TooManyLooks",
    "TooSoonToLook",
    "answer_by_operator",
    "ask_for_a_look",
    "await_operator",
    "begin_reproof",
    "erase_evidence",
    "erase_proofs",
    "expire_challenges",
    "follow_reproof",
    "forget_reproofs",
    "look_at_due",
    "look_once",
    "open_challenge",
    "open_link",
    "open_way",
    "prove_by_report",
    "repeat_proof",
    "send_code",
    "share_proof",
    "try_code",
    "withdraw_challenges",
]
