"""The HTTP probe against real servers on loopback: well-behaved, slow, endless, redirecting, and talking nonsense."""

import ipaddress
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rahdari.probe import HttpAnswer, HttpOutcome, fetch_token
from rahdari.probe.http import BODY_LIMIT, HEAD_LIMIT
from tests.needs import fewer
from tests.ports import free_port

LOOPBACK = ["127.0.0.0/8", "::1/128"]
PATH = "/.well-known/rahdari/abc123"
TOKEN = b"abc123.sample-token"
PATIENCE = 60.0  # how long a server in a test waits before it gives up; nothing waits for it

type Talk = Callable[[socket.socket, "Server"], None]


class Server:
    """One listener that holds each connection's conversation as the test wrote it."""

    def __init__(self, talk: Talk, host: str) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.listener = socket.create_server((host, 0), family=family)
        self.listener.settimeout(PATIENCE)
        self.port: int = self.listener.getsockname()[1]
        self.talk = talk
        self.over = threading.Event()
        self.requests: list[bytes] = []
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self) -> None:
        while not self.over.is_set():
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(PATIENCE)
                try:
                    self.requests.append(read_request(connection))
                    self.talk(connection, self)
                except OSError:
                    continue

    def stop(self) -> None:
        self.over.set()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(PATIENCE)


def read_request(connection: socket.socket) -> bytes:
    request = b""
    while b"\r\n\r\n" not in request:
        received = connection.recv(1024)
        if not received:
            break
        request += received
    return request


@contextmanager
def a_server(talk: Talk, host: str = "127.0.0.1") -> Iterator[Server]:
    server = Server(talk, host)
    try:
        yield server
    finally:
        server.stop()


def saying(*parts: bytes) -> Talk:
    def talk(connection: socket.socket, server: Server) -> None:
        for part in parts:
            connection.sendall(part)

    return talk


def dribbling(start: bytes, drop: bytes) -> Talk:
    """Sends a drop every moment until the test is over."""

    def talk(connection: socket.socket, server: Server) -> None:
        connection.sendall(start)
        while not server.over.wait(0.01):
            connection.sendall(drop)

    return talk


def endless(start: bytes, piece: bytes) -> Talk:
    def talk(connection: socket.socket, server: Server) -> None:
        connection.sendall(start)
        while not server.over.is_set():
            connection.sendall(piece)

    return talk


def fetch(server: Server, *, host: str = "127.0.0.1", timeout: float = PATIENCE, limit: int = BODY_LIMIT) -> HttpAnswer:
    return fetch_token(
        ipaddress.ip_address(host),
        path=PATH,
        port=server.port,
        limit=limit,
        timeout=timeout,
        allowed_ranges=LOOPBACK,
    )


def answer(body: bytes, *, status: str = "200 OK", headers: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body


class TestFetchToken:
    def test_reads_the_body_and_says_where_it_was(self) -> None:
        with a_server(saying(answer(TOKEN))) as server:
            got = fetch(server)
            assert (got.outcome, got.status, got.body_start) == (HttpOutcome.FOUND, 200, TOKEN)
            assert got.connected_to == f"127.0.0.1:{server.port}"
            request = server.requests[0].decode()
            assert request.startswith(f"GET {PATH} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n")
            assert "Accept-Encoding: identity\r\n" in request

    def test_reads_over_ipv6(self) -> None:
        with a_server(saying(answer(TOKEN)), host="::1") as server:
            got = fetch(server, host="::1")
            assert (got.outcome, got.body_start) == (HttpOutcome.FOUND, TOKEN)
            assert got.connected_to == f"[::1]:{server.port}"
            assert f"Host: [::1]:{server.port}\r\n".encode() in server.requests[0]

    @pytest.mark.parametrize(
        "parts",
        [
            (b"HTTP/1.1 200 OK\r\n\r\n" + TOKEN,),
            (b"HTTP/1.0 200\n\n" + TOKEN,),
            tuple(bytes([byte]) for byte in answer(TOKEN)),
            (b"HTTP/1.1 100 Continue\r\n\r\n", answer(TOKEN)),
            (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n", TOKEN[:3], b"\r\n10;x=y\r\n",
             TOKEN[3:], b"\r\n0\r\n\r\n"),
        ],
    )  # fmt: skip
    def test_reads_the_same_however_it_is_framed(self, parts: tuple[bytes, ...]) -> None:
        with a_server(saying(*parts)) as server:
            got = fetch(server)
            assert (got.outcome, got.body_start, got.detail) == (HttpOutcome.FOUND, TOKEN, "")

    def test_takes_a_body_of_exactly_the_limit_and_not_one_byte_more(self) -> None:
        chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n"
        for length, outcome in [(128, HttpOutcome.FOUND), (129, HttpOutcome.TOO_LONG)]:
            body = b"x" * length
            for framed in (answer(body), b"HTTP/1.1 200 OK\r\n\r\n" + body, chunked % (length, body)):
                with a_server(saying(framed)) as server:
                    got = fetch(server)
                    assert (got.outcome, got.body_start) == (outcome, b"x" * 128)

    @pytest.mark.parametrize("status", ["404 Not Found", "500 Oops", "204 No Content", "401 Who"])
    def test_says_any_other_status(self, status: str) -> None:
        with a_server(saying(answer(TOKEN, status=status))) as server:
            got = fetch(server)
            assert (got.outcome, got.status, got.body_start) == (HttpOutcome.NOT_FOUND, int(status[:3]), b"")

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_follows_no_redirect_not_even_to_itself(self, status: int) -> None:
        with a_server(
            saying(answer(b"", status=f"{status} Moved", headers=f"Location: {PATH}/elsewhere\r\n"))
        ) as server:
            got = fetch(server)
            assert (got.outcome, got.status, got.location) == (HttpOutcome.REDIRECTED, status, f"{PATH}/elsewhere")
            assert len(server.requests) == 1

    @pytest.mark.parametrize(
        ("said", "detail"),
        [
            (TOKEN, "status_line"),  # HTTP/0.9: a body and nothing else
            (b"SSH-2.0-Sample\r\n", "status_line"),
            (b"\x16\x03\x01\x00\x00\n", "status_line"),
            (b"HTTP/2 200 OK\r\n\r\n", "status_line"),
            (b"HTTP/1.1 999 Odd\r\n\r\n", "status_line"),
            (b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "header"),
            (b"HTTP/1.1 200 OK\r\nA: b\r\n folded\r\n\r\n", "header"),
            (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "length"),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", "length"),
            (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b", "encoded"),
            (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n\x1f\x8b", "encoded"),
            (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "chunk"),
            (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcde\r\n", "chunk"),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nabc", "cut_short"),
            (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", "cut_short"),
            (b"HTTP/1.1 200 OK\r\nContent-Le", "cut_short"),
        ],
    )
    def test_calls_nonsense_malformed(self, said: bytes, detail: str) -> None:
        with a_server(saying(said)) as server:
            got = fetch(server)
            assert (got.outcome, got.detail) == (HttpOutcome.MALFORMED, detail)

    def test_says_when_the_other_side_closes_at_once(self) -> None:
        with a_server(saying()) as server:
            got = fetch(server)
            assert (got.outcome, got.detail) == (HttpOutcome.RESET, "early")

    @pytest.mark.parametrize(
        ("start", "piece", "detail"),
        [
            (b"HTTP/1.1 200 OK\r\n", b"X-Filler: " + b"x" * 1000 + b"\r\n", "head"),
            (b"HTTP/1.1 200 OK\r\nX: ", b"x" * 1000, "head"),
            (b"", b"HTTP/1.1 100 Continue\r\n\r\n", "head"),
            (b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 1000, "body"),
            (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n", "body"),
            (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1;" + b"e" * 1000, "body"),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", b"x" * 1000, "body"),
        ],
    )
    def test_stops_reading_an_endless_answer(self, start: bytes, piece: bytes, detail: str) -> None:
        with a_server(endless(start, piece)) as server:
            got = fetch(server)
            assert (got.outcome, got.detail) == (HttpOutcome.TOO_LONG, detail)
            assert len(got.body_start) <= BODY_LIMIT

    @pytest.mark.parametrize(
        ("start", "drop", "detail"),
        [
            (b"", b"", "head"),
            (b"HTTP/1.1 200 OK\r\nX: ", b"x", "head"),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 128\r\n\r\n", b"", "body"),
            (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0", "body"),
        ],
    )
    def test_gives_up_by_its_deadline_on_a_slow_one(self, start: bytes, drop: bytes, detail: str) -> None:
        with a_server(dribbling(start, drop)) as server:
            # The head has to be here by then.
            got = fetch(server, timeout=3.0 if detail == "body" else 0.2, limit=100_000)
            assert (got.outcome, got.detail) == (HttpOutcome.TIMED_OUT, detail)

    def test_gives_up_by_its_deadline_on_one_that_does_not_take_the_call(self) -> None:
        with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
            port = listener.getsockname()[1]
            waiting = [socket.socket() for _ in range(4)]
            try:
                for caller in waiting:  # fill the queue that nobody serves
                    caller.setblocking(False)
                    caller.connect_ex(("127.0.0.1", port))
                got = fetch_token(
                    ipaddress.ip_address("127.0.0.1"), path=PATH, port=port, timeout=0.2, allowed_ranges=LOOPBACK
                )
            finally:
                for caller in waiting:
                    caller.close()
        assert (got.outcome, got.detail) == (HttpOutcome.TIMED_OUT, "connecting")

    def test_says_when_nobody_listens(self) -> None:
        loopback, port = ipaddress.ip_address("127.0.0.1"), free_port()
        got = fetch_token(loopback, path=PATH, port=port, timeout=PATIENCE, allowed_ranges=LOOPBACK)
        assert (got.outcome, got.connected_to) == (HttpOutcome.REFUSED, None)

    @pytest.mark.parametrize(
        "address",
        ["127.0.0.1", "10.0.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "::1", "fe80::1", "fd00::1",
         "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "::127.0.0.1", "255.255.255.255", "224.0.0.1"],
    )  # fmt: skip
    def test_makes_no_connection_to_an_address_that_is_not_global(self, address: str) -> None:
        with a_server(saying(answer(TOKEN))) as server:
            got = fetch_token(ipaddress.ip_address(address), path=PATH, port=server.port)
            assert (got.outcome, got.connected_to) == (HttpOutcome.NOT_GLOBAL, None)
            assert server.requests == []

    def test_is_not_let_in_by_a_mapped_form_of_an_allowed_range(self) -> None:
        got = fetch_token(ipaddress.ip_address("::ffff:127.0.0.1"), path=PATH, allowed_ranges=["127.0.0.0/8"])
        assert got.outcome is HttpOutcome.NOT_GLOBAL

    @pytest.mark.parametrize("path", ["", "token", "/a b", "/a\r\nHost: other.example", "/ä"])
    def test_puts_nothing_into_the_request_that_could_split_it(self, path: str) -> None:
        with pytest.raises(ValueError, match="path"):
            fetch_token(ipaddress.ip_address("127.0.0.1"), path=path, allowed_ranges=LOOPBACK)
        with pytest.raises(ValueError, match="host_header"):
            fetch_token(ipaddress.ip_address("127.0.0.1"), path="/", host_header="a\r\nb", allowed_ranges=LOOPBACK)

    def test_gives_its_evidence_as_plain_printable_data(self) -> None:
        with a_server(saying(answer(b"\x1b[31m<b>\xff\n"))) as server:
            data = fetch(server).as_data()
        assert data["outcome"] == "found"
        assert data["body_start"] == "?[31m<b>??"
        assert data["status"] == 200

    def test_survives_any_bytes_within_its_bounds(self) -> None:
        said = b""

        def talk(connection: socket.socket, server: Server) -> None:
            connection.sendall(said)

        with a_server(talk) as server:

            @settings(max_examples=fewer(60, 20), deadline=None)
            @given(
                st.sampled_from(
                    [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"]
                ),
                st.binary(max_size=HEAD_LIMIT + 2_000),
            )
            def check(start: bytes, rest: bytes) -> None:
                nonlocal said
                said = start + rest
                got = fetch(server)
                assert isinstance(got.outcome, HttpOutcome)
                assert len(got.body_start) <= BODY_LIMIT

            check()
