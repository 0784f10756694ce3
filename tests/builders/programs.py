"""A program of a person's, for tests."""

import datetime as dt
import json
from collections.abc import Iterable
from typing import Any

from django.test import Client
from django.utils import timezone

from rahdari.api import keys
from rahdari.api.rules import Scope
from rahdari.people.models import User
from tests.builders import story

ALL = tuple(Scope)


class Program:
    """Asks with a token of the person, and reads JSON."""

    def __init__(self, person: User | None = None, scopes: Iterable[str] = ALL, language: str = "en") -> None:
        self.person = person or story.a_person()
        self.token, self.text = keys.make_token(
            owner=self.person,
            name="Sample program",
            scopes=scopes,
            valid_for=dt.timedelta(days=30),
            now=timezone.now(),
        )
        self.client = Client(headers={"authorization": f"Bearer {self.text}", "accept-language": language})

    def ask(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        facts: dict[str, Any] = {} if body is None else {"data": json.dumps(body), "content_type": "application/json"}
        answer: Any = getattr(self.client, method)(f"/api/v1{path}", **(facts | more))
        is_json = "json" in answer.headers.get("Content-Type", "")
        answer.said = json.loads(answer.content) if is_json else None
        return answer

    def get(self, path: str, **more: Any) -> Any:
        return self.ask("get", path, **more)

    def put(self, path: str, body: Any, **more: Any) -> Any:
        return self.ask("put", path, body, **more)

    def post(self, path: str, body: Any = None, **more: Any) -> Any:
        return self.ask("post", path, body, **more)

    def delete(self, path: str, **more: Any) -> Any:
        return self.ask("delete", path, **more)


def problem(answer: Any, status: int, kind: str) -> Any:
    assert answer.status_code == status, answer.content
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert (answer.said["type"], answer.said["status"]) == (f"urn:rahdari:problem:{kind}", status)
    assert answer.said["detail"]
    return answer.said
