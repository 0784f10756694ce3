"""Wake-ups of the processes that wait: NOTIFY of PostgreSQL, on which the loops of `ops` listen."""

from enum import StrEnum

from django.db import connection


class Channel(StrEnum):
    WORKFLOW = "rahdari_workflow"
    LOOKS = "rahdari_looks"
    PUBLISH = "rahdari_publish"
    PUBLISHED = "rahdari_published"
    LETTERS = "rahdari_letters"
    SMS = "rahdari_sms"
    WATCH = "rahdari_watch"


def wake(channel: Channel = Channel.WORKFLOW) -> None:
    """Delivered when the present transaction commits, and never when it is rolled back."""
    with connection.cursor() as cursor:
        cursor.execute(f"NOTIFY {channel.value}")
