"""An operator announces work, and a holder's calendar has it: read back by a calendar library, and by the program with
which networks read notices. The operator works in English, the holder in Urdu."""

import base64
import datetime as dt
import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from icalendar import Calendar

from rahdari.people.demonstration import sample_email
from tests.maintenance.test_readers import READER

from .desk import OFFICER
from .people import DESK, Person, body_of
from .stack import Stack, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.root, pytest.mark.whole]
WHY = "We move lines to a new gateway."
IN_URDU = "لائنیں نئے گیٹ وے پر منتقل ہوں گی۔"


def at_the_operator(person: Person) -> None:
    """At a desk; the pages of operators are wide."""
    person.page.set_viewport_size(DESK)
    person.sign_in_ready("operator-sample-fibre@demo.rahdari.example")
    person.speak()


def read_by_networks(content: bytes) -> list[dict[str, object]]:
    asked = json.dumps({"how": "ical", "content": base64.b64encode(content).decode()})
    program = Path(__file__).parents[1] / "maintenance" / "read_notices.py"
    said = subprocess.run([READER, "-I", program], input=asked, capture_output=True, text=True, check=True).stdout
    found: list[dict[str, object]] = json.loads(said)["read"]
    return found


class TestPlannedWork:
    def test_is_announced_by_an_operator_and_is_in_the_holders_calendar(
        self, stack: Stack, a_person: Callable[..., Person]
    ) -> None:
        operator, holder = a_person("operator-of-work"), a_person("holder-of-work", language="ur")
        officer = a_person("officer-of-work")
        email = sample_email(33)
        holder.sign_in_ready(email)
        holder.speak()
        # The calendar is there before there is anything in it.
        holder.open("/my/planned-work/", "planned work, none")
        holder.follow("main button[value=make]", "planned work, with a calendar")
        link = str(holder.page.locator("main .copylist code").first.text_content()).strip()
        empty = holder.page.request.get(link)
        assert empty.status == 200 and Calendar.from_ical(empty.body()).walk("VEVENT") == []

        at_the_operator(operator)
        operator.open("/operator/planned-work/", "planned work of an operator, none")
        operator.follow("main a[href$='/new/']", "announce work")
        operator.go_on("announce work, nothing given")
        day = dt.datetime.now(ZoneInfo("Asia/Karachi")).date() + dt.timedelta(days=14)
        # Nobody types more than this to say that a whole network is worked on.
        operator.fill({"affected": "203.0.113.0/24\n127.0.0.0/8\n2001:db8::/33 DEGRADED", "day": day.isoformat()})
        operator.fill({"begins": "02:00", "ends": "03:00", "minutes": "10", "text_en": WHY, "text_ur": IN_URDU})
        operator.choose("OUTAGE", "impact")
        operator.page.locator("main select[name=reason]").select_option("move")
        operator.go_on("planned work, a draft")
        operator.sees(
            "This counts only registered addresses in your networks. We have told nobody yet. Other customers "
            "may be affected too."
        )
        reference = operator.page.url.rstrip("/").rpartition("/")[2]
        operator.follow("main button[value=announce]", "planned work, announced")

        # The letter has the file, and the calendar the event. Nobody has read the operator's words yet.
        def letter() -> str | None:
            return next((mail for mail in stack.mails_to(email) if reference in body_of(mail)), None)

        mail = wait_for("the letter of planned work", letter)
        assert "text/calendar" in mail and IN_URDU not in mail and "ایک افسر کے پڑھنے کے بعد" in body_of(mail)
        read = holder.page.request.get(link)
        [event] = Calendar.from_ical(read.body()).walk("VEVENT")
        start = dt.datetime.combine(day, dt.time(2), ZoneInfo("Asia/Karachi"))
        assert (event.start, event.end, event["SEQUENCE"]) == (start, start + dt.timedelta(hours=1), 0)
        assert event["X-MAINTNOTE-MAINTENANCE-ID"] == reference
        [known] = read_by_networks(read.body())
        assert (known["status"], known["start"]) == ("CONFIRMED", int(start.timestamp()))
        assert re.fullmatch(r"RD-\w{4}-\w{4}", str(known["account"]))
        unchanged = holder.page.request.get(link, headers={"If-None-Match": read.headers["etag"]})
        assert unchanged.status == 304

        holder.open(f"/my/planned-work/{reference}/", "planned work of a holder, words not read yet")
        assert IN_URDU not in holder.text()
        officer.page.set_viewport_size(DESK)
        officer.sign_in_ready(OFFICER)
        officer.speak()
        officer.open("/desk/planned-work/", "planned work at the desk")
        assert WHY in officer.text() and IN_URDU in officer.text()
        officer.follow("main button[value=show]", "planned work at the desk, words read")
        holder.open(f"/my/planned-work/{reference}/", "planned work of a holder")
        assert IN_URDU in holder.text()
        operator.page.reload()
        operator.follow("main button[value=cancel]", "planned work, cancelled")

        def cancelled() -> bytes | None:
            content = holder.page.request.get(link).body()
            return content if b"X-MAINTNOTE-STATUS:CANCELLED" in content else None

        [known] = read_by_networks(wait_for("the calendar without it", cancelled))
        assert (known["status"], known["sequence"]) == ("CANCELLED", 1)
        holder.open("/my/planned-work/", "planned work, cancelled")
        holder.follow("main button[value=end]", "planned work, without a calendar")
        assert holder.page.request.get(link).status == 404
