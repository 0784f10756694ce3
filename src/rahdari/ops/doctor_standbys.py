"""The part of the doctor that looks whether a commit is on a second server before it is answered."""

from collections.abc import Iterator

from rahdari.ops.checks import OK, WRONG, Finding, Inspection

ABOUT = "standbys"
# `remote_write` is on no disk of the second server yet.
ON_TWO_DISKS = ("on", "remote_apply")


def check_standbys(patient: Inspection) -> Iterator[Finding]:
    """Nothing is said of a server that stands alone."""
    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    if not (url := patient.environment.get("DATABASE_URL")):
        return
    several = "," in str(conninfo_to_dict(url).get("host", ""))
    try:
        with psycopg.connect(url, connect_timeout=5, target_session_attrs="read-write") as connection:
            row = connection.execute(
                "SELECT current_setting('synchronous_standby_names'), current_setting('synchronous_commit')"
            ).fetchone()
    except psycopg.OperationalError:
        return  # which is said of the database
    names, commit = row or ("", "")
    if not names:
        if several:
            text = (
                "DATABASE_URL names several servers, and none waits for another: what was answered last is lost with "
            )
            text += "the one that leads. Set synchronous_mode and synchronous_mode_strict: docs/growing.md."
            yield Finding(WRONG, ABOUT, text)
    elif commit not in ON_TWO_DISKS:
        text = (
            f"synchronous_commit is {commit}: a commit is answered before a second server has it on its disk. Set it "
        )
        text += "to on, for the server, the database and the role: docs/growing.md."
        yield Finding(WRONG, ABOUT, text)
    else:
        yield Finding(OK, ABOUT, f"a commit is answered when a second server has it ({names})")
