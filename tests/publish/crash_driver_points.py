"""Where the publisher can be killed."""

WRITTEN = ("half written", "written", "renamed", "in place")
CHECKPOINTS = [
    "cut: before commit",
    "cut: committed",
    *(f"delta: {at}" for at in WRITTEN),
    *(f"{kind}: {at}" for kind in ("snapshot", "wide") for at in (*WRITTEN[1:], "noted")),
    *(f"{name}.json: {at}" for name in ("role", "snapshot", "timestamp") for at in WRITTEN),
    "roles: signed",
    "signed",
    "mark: before commit",
    "mark: committed",
    "filled",
    "joined",
]
