"""A real SMTP server on loopback that does as it is told."""

import email
import email.policy
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller


class MailServer:
    """Keeps what it took. `answers` are given to recipients in turn; when they are used up it takes everything."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.answers: list[str] = []
        self.answer_to_data = ""
        self.taken: list[EmailMessage] = []
        self.recipients: list[str] = []
        self._sessions: list[Any] = []

    @property
    def sessions(self) -> int:
        """How many connections gave a recipient."""
        return len(self._sessions)

    async def handle_RCPT(  # noqa: N802 - the name is aiosmtpd's
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if session not in self._sessions:
            self._sessions.append(session)
        if self.answers:
            answer = self.answers.pop(0)
            if not answer.startswith("2"):
                return answer.format(address=address)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        if self.answer_to_data:
            return self.answer_to_data
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        self.taken.append(message)
        self.recipients += envelope.rcpt_tos
        return "250 Taken"

    @property
    def mailers(self) -> dict[str, Any]:
        return {
            "default": {
                "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
                "OPTIONS": {"host": "127.0.0.1", "port": self.port, "timeout": 60},
            }
        }


@contextmanager
def running(server: MailServer) -> Iterator[MailServer]:
    controller = Controller(server, hostname="127.0.0.1", port=server.port, ready_timeout=60)
    controller.start()
    try:
        yield server
    finally:
        controller.stop()
