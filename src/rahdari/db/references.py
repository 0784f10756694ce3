"""Numbers that a person can read out: of an application, a question, an incident, announced work, a complaint."""

import secrets

# No I, O, 0 and 1, which are misread.
SIGNS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"


def reference(begins: str) -> str:
    """`D-K7M2-94QX` for "D": 40 random bits. That there is none twice, the database sees to."""
    signs = "".join(secrets.choice(SIGNS) for _ in range(8))
    return f"{begins}-{signs[:4]}-{signs[4:]}"
