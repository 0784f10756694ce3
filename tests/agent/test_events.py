import base64
import json

from rahdari.agent.events import Event, News, events_of, news_of


class TestEvents:
    def test_are_read_from_lines(self) -> None:
        lines = b": hello\n\nid: 7\nevent: edition\ndata: {\ndata:}\nretry: 5\n\nignored\n\r\ndata: last\r\n\r\n".split(
            b"\n"
        )
        assert list(events_of(lines)) == [Event("7", "edition", "{\n}"), Event("7", "message", "last")]

    def test_that_are_not_finished_give_nothing(self) -> None:
        assert list(events_of([b"data: cut off"])) == []

    def test_hold_no_more_than_the_bound(self) -> None:
        lines = [b"data: " + b"x" * 60_000] * 100 + [b""]
        (event,) = events_of(lines)
        assert len(event.data) == 60_000

    def test_carry_the_timestamp(self) -> None:
        data = json.dumps({"timestamp": base64.b64encode(b"signed").decode(), "more": 1})
        assert news_of(Event("1", "edition", data)) == News(b"signed")

    def test_that_cannot_be_read_still_ask_for_a_look(self) -> None:
        for data in ("", "{", "[]", "7", '{"timestamp": 7}', '{"timestamp": "%%%"}', "[" * 50_000):
            assert news_of(Event("1", "edition", data)) == News(None)
