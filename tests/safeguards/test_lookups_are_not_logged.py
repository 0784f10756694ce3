"""What an operator asks would tell whom its customers talk to: it is counted, and nowhere written down."""

from pathlib import Path

import pytest

from tests.access.test_log_secrets import NGINX
from tests.lookup.feeds import Feed, ask
from tests.lookup.test_access import QUESTIONS, begun


@pytest.fixture
def feed(tmp_path: Path) -> Feed:
    return Feed(tmp_path)


def test_nothing_that_is_asked_is_logged(feed: Feed, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(0)
    lookup = begun(feed, in_bulk=True)
    for question in QUESTIONS:
        ask(lookup, question)
        ask(lookup, question, token=None)
    ask(lookup, "/lookup/ip", method="POST", body=b"203.0.113.7\nnonsense")
    assert caplog.text == ""


@pytest.mark.parametrize("name", ["rahdari.conf", "feed.conf"])
def test_the_sample_web_servers_leave_them_out_of_their_logs(name: str) -> None:
    text = (NGINX.parent / name).read_text()
    (server,) = [each for each in text.split("\nserver {") if "location ~ ^/(lookup|rdap)/ {" in each]
    before, _, place = server.partition("location ~ ^/(lookup|rdap)/ {")
    of_all = before.partition("location ")[0]
    for log in ("access_log off;", "error.log crit;"):
        assert log in place.partition("}")[0] or log in of_all, log
