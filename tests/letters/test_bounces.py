"""Letters that came back, as the mail servers of the world tell it (RFC 3464)."""

import uuid

import pytest

from rahdari.letters import actions, bounces
from rahdari.letters.models import Letter, LetterState
from tests.builders.letters import FACTS, NOW, a_reader

pytestmark = pytest.mark.django_db


def a_sent_letter() -> Letter:
    letter = actions.write_letter(
        to=a_reader(), template="application_late", about="", context=FACTS["application_late"], now=NOW
    )
    letter.state, letter.sent_at = LetterState.SENT, NOW
    letter.save()
    return letter


def a_notice(identity: object, *, action: str = "failed", status: str = "5.1.1", enclosed: bool = False) -> bytes:
    """As it comes over the wire."""
    kind = "message/rfc822" if enclosed else "text/rfc822-headers"
    rest = "\n\nThe whole letter." if enclosed else "\n"
    return f"""From: MAILER-DAEMON@mail.example
To: noreply@rahdari.example
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b1"

--b1
Content-Type: text/plain; charset=us-ascii

Your message could not be delivered.

--b1
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.example

Final-Recipient: rfc822; reader@sample-freelancer.example
Action: {action}
Status: {status}
Diagnostic-Code: smtp; 550 5.1.1 no such mailbox here

--b1
Content-Type: {kind}

Message-ID: <{identity}@rahdari.example>
Subject: Closed without a decision{rest}
--b1--
""".replace("\n", "\r\n").encode()


class TestRecordReturn:
    @pytest.mark.parametrize("enclosed", [False, True])
    def test_notes_on_the_letter_that_it_came_back(self, enclosed: bool) -> None:
        letter = a_sent_letter()
        bounces.record_return(content=a_notice(letter.pk, enclosed=enclosed), now=NOW)
        letter.refresh_from_db()
        assert (letter.state, letter.last_error, letter.sent_at) == (LetterState.FAILED, "Returned 5.1.1", NOW)

    def test_leaves_a_letter_alone_that_is_only_late(self) -> None:
        letter = a_sent_letter()
        with pytest.raises(bounces.NotAReturn):
            bounces.record_return(content=a_notice(letter.pk, action="delayed", status="4.4.1"), now=NOW)
        letter.refresh_from_db()
        assert letter.state == LetterState.SENT

    @pytest.mark.parametrize(
        "content",
        [b"", b"Subject: hello\r\n\r\nHello.", a_notice("elsewhere"), a_notice(uuid.UUID(int=7))],
        ids=["nothing", "a letter of somebody's", "another's letter", "a letter that is not there"],
    )
    def test_takes_nothing_else_for_a_notice(self, content: bytes) -> None:
        with pytest.raises(bounces.NotAReturn):
            bounces.record_return(content=content, now=NOW)
