"""Mail for the demonstration: shown in the terminal, and kept as files in `DATA/mail`. It goes nowhere else."""

import sys
import threading
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from django.conf import settings
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.message import EmailMessage

WIDTH = 76
ISOLATES = dict.fromkeys((0x2066, 0x2067, 0x2068, 0x2069))


def columns(text: str) -> int:
    """How many columns of a terminal a text takes: marks above and below letters take none."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.category(letter) in {"Mn", "Cf"} else 1 for letter in text)


def box(message: EmailMessage) -> str:
    """The letter in a frame, for reading in a terminal."""
    lines = [f"To       {', '.join(message.to)}", f"Subject  {message.subject}", "", *str(message.body).split("\n")]
    shown = [line.translate(ISOLATES) for line in lines]
    width = max(WIDTH, *(columns(line) for line in shown))
    edge = "─" * (width + 2)
    middle = (f"│ {line}{' ' * (width - columns(line))} │" for line in shown)
    return "\n".join([f"┌{edge}┐", *middle, f"└{edge}┘"])


_counting = threading.Lock()
_counts: dict[Path, int] = {}


def _next_number(folder: Path) -> int:
    """Counted once for each process: thousands of letters lie there after a day of many."""
    with _counting:
        known = _counts[folder] if folder in _counts else len(list(folder.glob("*.eml")))
        _counts[folder] = known + 1
        return known + 1


class ConsoleAndFileBackend(BaseEmailBackend):
    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        folder = Path(settings.MAIL_FOLDER)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for message in email_messages:
            content = message.message()
            name = str(content["Message-ID"]).strip("<>").split("@")[0]
            number = _next_number(folder)
            (folder / f"{number:05d}-{name}.eml").write_bytes(content.as_bytes())
            sys.stdout.write(box(message) + "\n")
            sys.stdout.flush()
        return len(email_messages)
