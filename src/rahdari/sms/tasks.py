"""The chores of this room, thin: they take the time and call the act."""

import uuid

from django.db import close_old_connections
from django.utils import timezone
from procrastinate.contrib.django import app

from rahdari.db import connections

from . import actions


@app.task(name="sms.send_message", queue="letters")
def send_message(message_id: str) -> None:
    connections.begin()
    actions.send_message(message_id=uuid.UUID(message_id), now=timezone.now())
    close_old_connections()


@app.periodic(cron="43 3 * * *")
@app.task(name="sms.forget_early_reports", queue="letters", pass_context=False)
def forget_early_reports(timestamp: int) -> None:
    close_old_connections()
    actions.forget_early_reports(now=timezone.now())
    close_old_connections()
