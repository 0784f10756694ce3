"""A complaint about what is registered, with a file, of which the holder is asked."""

import datetime as dt
import uuid

from rahdari.apply.models import Document
from rahdari.complaint import actions
from rahdari.complaint.models import Complaint

from .drafts import a_pdf


def a_complaint(number: str, now: dt.datetime) -> tuple[Complaint, Document]:
    given = {"kind": "misuse", "about": "sold_on", "target": number, "words": "It is sold.", "language": "en"}
    sent = actions.send(id=uuid.uuid4(), email="sender@sample.example", with_files=True, now=now, **given)
    file = actions.add_file(complaint=sent, name="shop.pdf", content=a_pdf(), owner="here", now=now)
    actions.end_files(complaint=sent, now=now)
    actions.look_up(now=now)
    return sent, file
