"""What a whole application costs, counted: its requests, and the queries of each. The walk is that of
`bench/deadline-day`, here without a server."""

import http.client
import io
import re
from collections.abc import Mapping

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from PIL import Image

from bench.deadline_day_run import PHOTO, Person
from bench.walking import Visitor
from tests.builders.people import the_newest_code

pytestmark = pytest.mark.django_db

# Each request in its order, and how many queries it makes at most: the session, the reader with all that the navigation
# shows, and the application are three. Savepoints count where the suite's own transaction makes them.
EXPECTED = [
    ("GET", "/", 0),
    ("GET", "/apply/", 0),
    ("POST", "/apply/", 1),
    ("GET", "/apply/ready/", 1),
    ("POST", "/sign-in/", 12),
    ("GET", "/sign-in/code/", 1),
    ("POST", "/sign-in/code/", 17),
    ("GET", "about-you/", 3),
    ("POST", "about-you/", 11),
    ("GET", "evidence/", 3),
    ("GET", "evidence/*/", 4),
    ("POST", "evidence/*/", 12),
    ("GET", "addresses/add/", 4),
    ("POST", "addresses/add/", 21),
    ("GET", "send/", 6),
    ("POST", "send/", 33),
    # Once in each process the frozen rules are read, and the corrections of the calendar.
    ("GET", "status/", 8),
]
# With a photo in the place of a declaration: the file, and from then on the list of files.
WITH_A_PHOTO = {
    ("POST", "evidence/*/"): 11,
    ("POST", "addresses/add/"): 1,
    ("GET", "send/"): 1,
    ("POST", "send/"): 1,
}


class Counting(Visitor):
    """Asks the application itself. `.counted` has of each request the method, the path and its queries."""

    def __init__(self, address: str) -> None:
        super().__init__(port=80, address=address)
        self.client = Client()
        self.counted: list[tuple[str, str, int]] = []

    def _once(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> tuple[int, bytes, http.client.HTTPMessage]:
        with CaptureQueriesContext(connection) as queries:
            answer = self.client.generic(
                method,
                path,
                body or b"",
                content_type=headers.get("Content-Type", "application/octet-stream"),
                REMOTE_ADDR=self.address,
                HTTP_ACCEPT_LANGUAGE="en",
            )
        self.counted.append((method, short(path), len(queries)))
        said = http.client.HTTPMessage()
        if "Location" in answer:
            said["Location"] = answer["Location"]
        return answer.status_code, answer.getvalue(), said


def short(path: str) -> str:
    """Without what is different in every application, and one word for every sort of evidence."""
    path = re.sub(r"^(/.*/)evidence/\?.+", r"\1evidence/*/", path)
    return re.sub(r"\?.*|^/my/applications/[^/]+/", "", path)


class Outbox:
    def code(self, email: str) -> str:
        assert email
        # Of letters to nobody yet: by an index, since `bench/growth` counts what its walk costs.
        return the_newest_code(to=None)


def a_photo() -> bytes:
    kept = io.BytesIO()
    Image.effect_noise(PHOTO, 40).convert("RGB").save(kept, "JPEG", quality=70)
    return kept.getvalue()


@pytest.mark.parametrize("upload", [True, False], ids=["a photo", "a declaration"])
def test_takes_these_requests_and_queries(upload: bool) -> None:
    visitor = Counting("203.0.113.77")
    Person(1, upload, visitor.address, 80).fill_in(visitor, Outbox(), a_photo())
    assert [each[:2] for each in visitor.counted] == [each[:2] for each in EXPECTED], "requests"
    extra = WITH_A_PHOTO if upload else {}
    most = [each[2] + extra.get(each[:2], 0) for each in EXPECTED]
    more = [(is_, at_most) for is_, at_most in zip(visitor.counted, most, strict=True) if is_[2] > at_most]
    assert more == [], "queries"
