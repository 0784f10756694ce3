"""The chore of this room, thin: it calls the act."""

from django.db import close_old_connections
from procrastinate.contrib.django import app

from . import sign_in


@app.periodic(cron="17 3 * * *")
@app.task(name="people.forget_ended_sessions", queue="chores", pass_context=False)
def forget_ended_sessions(timestamp: int) -> None:
    close_old_connections()
    sign_in.forget_ended_sessions()
    close_old_connections()
