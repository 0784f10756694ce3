"""Which secrets of the environment each process is given: those that it reads and no other, so that whoever takes one
over finds no key of another. Standard library only.

`rahdari up` leaves the others out of what it gives a child. The single units get all of rahdari.env from systemd, and
name the others in UnsetEnvironment: tests hold both to this list.
"""

from collections.abc import Mapping

# The account of the store of backups, as obstore reads it. The embedded database has it, which archives its log.
STORE_ACCOUNT = frozenset(
    """AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_WEB_IDENTITY_TOKEN_FILE
    AWS_CONTAINER_CREDENTIALS_RELATIVE_URI AWS_CONTAINER_CREDENTIALS_FULL_URI AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE
    AWS_METADATA_ENDPOINT""".split()
)
# Whoever has the value has a power with it.
SECRET = STORE_ACCOUNT | frozenset(
    """DATABASE_URL PGPASSWORD RAHDARI_DATABASE_REPLICAS RAHDARI_OWNER_DATABASE_URL RAHDARI_BACKUP_DATABASE_URL
    RAHDARI_BACKUP_IDENTITY RAHDARI_SECRET_KEY RAHDARI_SMTP_PASSWORD RAHDARI_METRICS_TOKEN RAHDARI_SEAL_PASSPHRASE
    RAHDARI_TOKEN""".split()
)
DATABASE = frozenset({"DATABASE_URL", "PGPASSWORD"})
LETTERS = frozenset({"RAHDARI_SECRET_KEY", "RAHDARI_SMTP_PASSWORD"})
# By the command. Publisher and watch sign no cookie and send no letter; push, lookup and an operator's agent read none.
READS: Mapping[str, frozenset[str]] = {
    "web": DATABASE | LETTERS | {"RAHDARI_DATABASE_REPLICAS", "RAHDARI_METRICS_TOKEN"},
    "worker": DATABASE | LETTERS,
    "publisher": DATABASE,
    "watch": DATABASE,
    "prepare": DATABASE | {"RAHDARI_SECRET_KEY", "RAHDARI_OWNER_DATABASE_URL"},
    "postgres": STORE_ACCOUNT,
}


def of(process: str, given: Mapping[str, str]) -> dict[str, str]:
    """The part of an environment that a process is given."""
    left_out = SECRET - READS.get(process, frozenset())
    return {name: value for name, value in given.items() if name not in left_out}
