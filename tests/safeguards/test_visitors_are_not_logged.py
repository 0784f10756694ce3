"""The sample web server's log says of nobody that they were here, or from where."""

import re
from pathlib import Path

NGINX = Path(__file__).resolve().parents[2] / "deploy" / "nginx"
# What nginx knows of whoever asks.
WHO = re.compile(r"\$((binary_)?remote_\w+|proxy_protocol_addr|http_(x_forwarded_for|forwarded|cookie|user_agent))")
# From `error` on, nginx writes the visitor's address and the whole request.
BRIEF = {"crit", "alert", "emerg"}


def told_of(text: str) -> list[str]:
    """What the logs of the servers that show the pages tell of a visitor."""
    formats = dict(re.findall(r"log_format\s+(\w+)\s+([^;]*);", text))
    found = [name for name, written in formats.items() if WHO.search(written)]
    for server in re.split(r"(?m)^server \{", text)[1:]:
        logs = re.findall(r"access_log\s+([^;]*);", server)
        if not re.search(r"(?m)^ {4}access_log", server):
            found.append("a server that logs as nginx does by itself")
        found += [log for log in logs if log != "off" and log.split()[-1] not in formats]
        levels = re.findall(r"error_log\s+\S+\s*(\w*);", server)
        if not levels or not BRIEF.issuperset(levels):
            found.append("a server whose errors name the visitor")
    return found


def pages() -> str:
    text = (NGINX / "rahdari.conf").read_text(encoding="utf-8")
    return "".join(part for part in re.split(r"(?m)^(?=server \{)", text) if "return 301" not in part)


def test_no_log_of_the_pages_tells_of_a_visitor() -> None:
    assert told_of(pages()) == []


def test_it_would_be_found() -> None:
    text = pages()
    assert told_of(text.replace("[$time_local]", "$remote_addr [$time_local]")) == ["rahdari"]
    assert told_of(text.replace("access_log /var/log/nginx/rahdari.log rahdari;", "")) != []
    assert told_of(text.replace("error.log crit", "error.log warn")) != []
