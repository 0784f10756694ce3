"""Which request runs where in a process that serves pages, so that no kind of request can take all threads.

The server's own threads are many and only wait: each reads what its request brings, and then waits for a place.
Requests are answered by a few threads of ours, each with a connection to the database, in three lines:

    reserved   proofs by link, reports of routers, health: they never wait for a page
    files      whatever brings files: by turns, one at a time of each who sends
    pages      everything else

Invariants: whoever sends slowly holds no place; what was announced is there whole before a place is taken; of bodies
that wait so many bytes are held and no more, of one household a quarter of them at most; one household has half of the
threads that wait at most, and some of them are left for what is reserved.
"""

import tempfile
import threading
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any

type Environ = dict[str, Any]
type Start = Callable[..., Any]
type Application = Callable[[Environ, Start], Iterable[bytes]]
type Answer = tuple[str, list[tuple[str, str]], list[bytes]]

RESERVED = ("/prove/", "/nic/", "/v3/update", "/healthz")
RESERVED_THREADS, FILE_THREADS = 2, 2
# The server's threads: each waits for a sender or for a place.
WAITING = 256
# Seconds that a whole body may take to come, and that files may wait for their turn: less than the 60 that nginx waits.
BODY_PATIENCE, TURN_PATIENCE = 60.0, 50.0
PIECE, IN_MEMORY = 64 * 1024, 1024 * 1024
MOST_HELD = 256 * 1024 * 1024

# No page of Django's: what says that there is no place may not wait for one.
PAGE = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>Rahdari</title>'
    '<p>{english}</p><p lang="ur" dir="rtl">{urdu}</p></html>'
)
BUSY_PAGE = PAGE.format(
    english="Too much comes in at this moment. What you saved is safe; only this last step was not taken. "
    "Wait a minute, then load this page again: your browser sends the same once more.",
    urdu="اس وقت بہت کچھ ایک ساتھ آ رہا ہے۔ جو محفوظ ہو چکا تھا وہ محفوظ ہے؛ صرف یہ آخری قدم نہیں لیا گیا۔ "
    "ایک منٹ بعد یہ صفحہ دوبارہ کھولیں: براؤزر وہی چیز پھر بھیج دے گا۔",
)
UNREAD_PAGE = PAGE.format(
    english="What your browser sent did not arrive whole. What you saved is safe; only this last step was not "
    "taken. Load this page again, from a better connection if you can.",
    urdu="براؤزر نے جو بھیجا وہ پورا نہیں پہنچا۔ جو محفوظ ہو چکا تھا وہ محفوظ ہے؛ صرف یہ آخری قدم نہیں لیا گیا۔ "
    "یہ صفحہ دوبارہ کھولیں، ممکن ہو تو بہتر کنکشن سے۔",
)


class Unread(Exception):
    """The body did not come whole, or not in time."""


class Busy(Exception):
    """There is no room for the request now."""


class Turns:
    """Threads that do what each sender wants, one thing at a time for each, by turns of the senders."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._started = 0
        self._waiting: OrderedDict[str, deque[tuple[Future[Answer], Callable[[], Answer]]]] = OrderedDict()
        self._busy: set[str] = set()
        self._changed = threading.Condition()

    def submit(self, sender: str, work: Callable[[], Answer]) -> "Future[Answer]":
        wanted: Future[Answer] = Future()
        with self._changed:
            self._waiting.setdefault(sender, deque()).append((wanted, work))
            # Started when they are needed: the server may fork before.
            if self._started < self._threads:
                self._started += 1
                threading.Thread(target=self._run, name=f"files-{self._started}", daemon=True).start()
            self._changed.notify()
        return wanted

    def _next(self) -> tuple[str, "Future[Answer]", Callable[[], Answer]]:
        with self._changed:
            while True:
                sender = next((name for name in self._waiting if name not in self._busy), None)
                if sender is not None:
                    theirs = self._waiting.pop(sender)
                    wanted, work = theirs.popleft()
                    if theirs:  # behind all others
                        self._waiting[sender] = theirs
                    self._busy.add(sender)
                    return sender, wanted, work
                self._changed.wait()

    def _run(self) -> None:
        while True:
            sender, wanted, work = self._next()
            try:
                if wanted.set_running_or_notify_cancel():
                    try:
                        wanted.set_result(work())
                    except BaseException as error:
                        wanted.set_exception(error)
            finally:
                with self._changed:
                    self._busy.discard(sender)
                    self._changed.notify()


class Places:
    """The application behind it, with places for its requests.

    `cookie` is the name of the session's cookie, `household` tells of a request whom its limits are counted for.
    """

    def __init__(
        self,
        behind: Application,
        *,
        threads: int,
        largest: int,
        cookie: str,
        household: Callable[[Environ], str],
        waiting: int = WAITING,
        most_held: int = MOST_HELD,
        body_patience: float = BODY_PATIENCE,
        turn_patience: float = TURN_PATIENCE,
    ) -> None:
        self.behind = behind
        self.largest, self.cookie, self.household = largest, cookie, household
        self.body_patience, self.turn_patience = body_patience, turn_patience
        self.pages = ThreadPoolExecutor(threads, "pages")
        self.reserved = ThreadPoolExecutor(RESERVED_THREADS, "reserved")
        self.files = Turns(FILE_THREADS)
        # An eighth of the threads that wait is left for what is reserved.
        self.room = Room(most=waiting - waiting // 8, most_of_one=waiting // 2, most_held=most_held)

    def __call__(self, environ: Environ, start: Start) -> Iterable[bytes]:
        is_reserved = environ.get("PATH_INFO", "").startswith(RESERVED)
        length = self._length(environ)
        try:
            with ExitStack() as stack:
                if length or not is_reserved:
                    who = self.household(environ)
                    stack.enter_context(self.room.inside(who))
                if length:
                    until = time.monotonic() + self.body_patience
                    stack.enter_context(self.room.held(who, length, until))
                    body = stack.enter_context(tempfile.SpooledTemporaryFile(IN_MEMORY))
                    read_body(environ["wsgi.input"], body, length, until)
                    environ["wsgi.input"] = body
                status, headers, content = self._in_its_line(environ, is_reserved=is_reserved)
        except Unread:
            status, headers, content = _plain("400 Bad Request", UNREAD_PAGE)
        except Busy:
            status, headers, content = _plain("503 Service Unavailable", BUSY_PAGE)
        start(status, headers)
        return content

    def _length(self, environ: Environ) -> int:
        """How much is to be read. What is larger than any form of ours is answered unread by what stands behind."""
        text = environ.get("CONTENT_LENGTH") or "0"
        length = int(text) if text.isdecimal() else 0
        return length if length <= self.largest else 0

    def _in_its_line(self, environ: Environ, *, is_reserved: bool) -> Answer:
        def work() -> Answer:
            return answer_of(self.behind, environ)

        if is_reserved:
            return self.reserved.submit(work).result()
        if not environ.get("CONTENT_TYPE", "").lower().startswith("multipart/"):
            return self.pages.submit(work).result()
        turn = self.files.submit(self._sender(environ), work)
        try:
            return turn.result(self.turn_patience)
        except TimeoutError:
            if turn.cancel():
                raise Busy from None
            return turn.result()

    def _sender(self, environ: Environ) -> str:
        """Who it says that it is, or its household. Whoever says many names has a turn for each, and no more places."""
        for part in environ.get("HTTP_COOKIE", "").split(";"):
            name, _, value = part.strip().partition("=")
            if name == self.cookie and value:
                return f"cookie {value}"
        return environ.get("HTTP_AUTHORIZATION") or self.household(environ)


class Room:
    """Who is inside, and how many bytes of theirs are held."""

    def __init__(self, *, most: int, most_of_one: int, most_held: int) -> None:
        self.most, self.most_of_one, self.most_held = most, most_of_one, most_held
        self._inside: Counter[str] = Counter()
        self._held: Counter[str] = Counter()
        self._changed = threading.Condition()

    @contextmanager
    def inside(self, who: str) -> Iterator[None]:
        """Raises Busy where there are too many, or too many of the same household."""
        with self._changed:
            if self._inside[who] >= self.most_of_one or self._inside.total() >= self.most:
                raise Busy
            self._inside[who] += 1
            self._changed.notify_all()
        try:
            yield
        finally:
            self._less(self._inside, who, 1)

    @contextmanager
    def held(self, who: str, length: int, until: float) -> Iterator[None]:
        """Waits for room; raises Busy when it is late."""

        def is_room() -> bool:
            # The largest that one may send always has room at some time.
            of_one = self._held[who] + length <= max(self.most_held // 4, length)
            return of_one and self._held.total() + length <= max(self.most_held, length)

        with self._changed:
            if not self._changed.wait_for(is_room, until - time.monotonic()):
                raise Busy
            self._held[who] += length
        try:
            yield
        finally:
            self._less(self._held, who, length)

    def _less(self, counted: Counter[str], who: str, by: int) -> None:
        with self._changed:
            counted[who] -= by
            if not counted[who]:
                del counted[who]
            self._changed.notify_all()


def read_body(source: Any, into: Any, length: int, until: float) -> None:
    """All of what was announced. Raises Unread when it ends before, or is not there `until` then (monotonic clock)."""
    left = length
    while left:
        piece = source.read(min(left, PIECE))
        if not piece or time.monotonic() > until:
            raise Unread
        into.write(piece)
        left -= len(piece)
    into.seek(0)


def _plain(status: str, page: str) -> Answer:
    content = page.encode()
    headers = [
        ("Content-Type", "text/html; charset=utf-8"),
        ("Content-Length", str(len(content))),
        ("Cache-Control", "no-store"),
        ("Content-Security-Policy", "default-src 'none'"),
        ("Retry-After", "60"),
    ]
    return status, headers, [content]


def answer_of(application: Application, environ: Environ) -> Answer:
    """What the application answers, all of it: the server's thread has only to pass it on."""
    said: list[Any] = []

    def start(status: str, headers: list[tuple[str, str]], *_: object) -> None:
        said[:] = [status, headers]

    content = application(environ, start)
    try:
        pieces = [bytes(piece) for piece in content]
    finally:
        if close := getattr(content, "close", None):
            close()
    return said[0], said[1], pieces
