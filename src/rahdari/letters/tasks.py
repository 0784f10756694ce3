"""The chores of this room, thin: they take the time and call the act."""

import uuid

from django.db import close_old_connections
from django.utils import timezone
from procrastinate.contrib.django import app

from rahdari.db import connections

from . import actions, queries, retention


@app.task(name="letters.send_letter", queue="letters")
def send_letter(letter_id: str) -> None:
    connections.begin()
    actions.send(letter_id=uuid.UUID(letter_id), now=timezone.now())
    close_old_connections()


@app.periodic(cron="17 4 * * *")
@app.task(name="letters.forget_deliveries", queue="letters", pass_context=False)
def forget_deliveries(timestamp: int) -> None:
    close_old_connections()
    retention.forget_deliveries(before=queries.deliveries_kept_since(timezone.now()))
    close_old_connections()


@app.periodic(cron="*/5 * * * *")
@app.task(name="letters.find_left_alone", queue="letters", pass_context=False)
def find_left_alone(timestamp: int) -> None:
    """Where the jobs run without `rahdari worker`, which calls the act every ten seconds."""
    close_old_connections()
    actions.find_left_alone(now=timezone.now())
    close_old_connections()
