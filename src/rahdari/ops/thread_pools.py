"""Which request runs where in a process that serves pages, so that no kind of request can take all threads.

The server's own threads are many and only wait: each reads what its request brings, and then waits for a place.
Requests are answered by a few threads of ours, each with a connection to the database, in three lines:

    reserved   proofs by link, reports of routers, health: they never wait for a page
    files      whatever brings files, one at a time of each who sends
    pages      everything else

Each line goes by turns: files by turns of the senders, the others by turns of the households.

Invariants: whoever sends slowly holds no place; what was announced is there whole before a place is taken; of bodies
that wait so many bytes are held and no more, of one household a quarter of them at most; one household has an eighth of
the threads that wait at most, and never all that answer; some of both are left for what is reserved; whose files took
much time comes behind all others.
"""

import tempfile
import threading
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

type Environ = dict[str, Any]
type Start = Callable[..., Any]
type Application = Callable[[Environ, Start], Iterable[bytes]]
type Answer = tuple[str, list[tuple[str, str]], list[bytes]]

RESERVED = ("/prove/", "/nic/", "/v3/update", "/healthz")
RESERVED_THREADS, FILE_THREADS = 2, 2
# The server's threads: each waits for a sender or for a place.
WAITING = 256
# Seconds that a whole body may take to come, and anything may wait for its turn: less than the 60 that nginx waits.
BODY_PATIENCE, TURN_PATIENCE = 60.0, 50.0
# Whose files took more seconds than that lately comes behind the others. What was taken counts half after so many
# seconds, and less than the least not at all.
MOST_OF_SENDER, MOST_OF_HOUSEHOLD = 10.0, 30.0
HALF_LIFE, LEAST = 120.0, 0.1
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


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody of that household waits for."""

    household: str
    work: Callable[[], Answer]
    answer: "Future[Answer]"


class Spent:
    """The seconds that each one took lately: what is past counts half after each `HALF_LIFE`."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._seconds: dict[str, float] = {}
        self._halved = clock()

    def add(self, who: str, seconds: float) -> None:
        self._seconds[who] = self.of(who) + seconds

    def of(self, who: str) -> float:
        self._forget()
        return self._seconds.get(who, 0.0)

    def _forget(self) -> None:
        halvings, rest = divmod(self._clock() - self._halved, HALF_LIFE)
        if halvings:
            self._halved = self._clock() - rest
            self._seconds = {who: left for who, past in self._seconds.items() if (left := past * 0.5**halvings) > LEAST}


class Turns:
    """Threads that do what each one wants, by turns: of all who wait, the one whose turn is longest ago is next.

    One has `of_one` of the threads at most. With `by_time`, whoever took much of it lately comes behind the others.
    """

    def __init__(
        self,
        name: str,
        threads: int,
        *,
        of_one: int,
        by_time: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name, self._threads, self._of_one, self._clock = name, threads, of_one, clock
        self._started = 0
        self._waiting: OrderedDict[str, deque[Wanted]] = OrderedDict()
        self._busy: Counter[str] = Counter()
        self.spent = Spent(clock) if by_time else None
        self._changed = threading.Condition()

    def submit(self, who: str, work: Callable[[], Answer], *, household: str) -> "Future[Answer]":
        wanted = Wanted(household, work, Future())
        with self._changed:
            theirs = self._waiting.setdefault(who, deque())
            while theirs and theirs[0].answer.cancelled():  # given up while others went before
                theirs.popleft()
            theirs.append(wanted)
            # Started when they are needed: the server may fork before.
            if self._started < self._threads:
                self._started += 1
                threading.Thread(target=self._run, name=f"{self._name}-{self._started}", daemon=True).start()
            self._changed.notify()
        return wanted.answer

    def _next(self) -> tuple[str, Wanted]:
        with self._changed:
            while True:
                able = [name for name in self._waiting if self._busy[name] < self._of_one]
                if able:
                    # The first of those that are equal: in the order of their turns.
                    who = min(able, key=self._took_much)
                    theirs = self._waiting.pop(who)
                    wanted = theirs.popleft()
                    if theirs:  # behind all others
                        self._waiting[who] = theirs
                    self._busy[who] += 1
                    return who, wanted
                self._changed.wait()

    def _took_much(self, who: str) -> bool:
        household = self._waiting[who][0].household
        return self.spent is not None and (
            self.spent.of(f"sender {who}") > MOST_OF_SENDER or self.spent.of(f"from {household}") > MOST_OF_HOUSEHOLD
        )

    def _run(self) -> None:
        while True:
            who, wanted = self._next()
            began = self._clock()
            try:
                if wanted.answer.set_running_or_notify_cancel():
                    try:
                        wanted.answer.set_result(wanted.work())
                    except BaseException as error:
                        wanted.answer.set_exception(error)
            finally:
                with self._changed:
                    if self.spent is not None:
                        for name in (f"sender {who}", f"from {wanted.household}"):
                            self.spent.add(name, self._clock() - began)
                    self._busy -= Counter([who])  # those at none are left out
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
        self.pages = Turns("pages", threads, of_one=max(1, threads - 1))
        self.reserved = Turns("reserved", RESERVED_THREADS, of_one=1)
        self.files = Turns("files", FILE_THREADS, of_one=1, by_time=True)
        # An eighth of the threads that wait is left for what is reserved.
        left = waiting // 8
        self.room = Room(most=waiting - left, most_of_one=left, most_held=most_held)
        self.reserved_room = Room(most=left, most_of_one=max(1, left // 2), most_held=most_held)

    def __call__(self, environ: Environ, start: Start) -> Iterable[bytes]:
        is_reserved = environ.get("PATH_INFO", "").startswith(RESERVED)
        length = self._length(environ)
        who = self.household(environ)
        # A body may come slowly: it takes none of what is left for the reserved.
        room = self.reserved_room if is_reserved and not length else self.room
        try:
            with ExitStack() as stack:
                stack.enter_context(room.inside(who))
                if length:
                    until = time.monotonic() + self.body_patience
                    stack.enter_context(room.held(who, length, until))
                    body = stack.enter_context(tempfile.SpooledTemporaryFile(IN_MEMORY))
                    read_body(environ["wsgi.input"], body, length, until)
                    environ["wsgi.input"] = body
                status, headers, content = self._in_its_line(environ, who, is_reserved=is_reserved)
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

    def _in_its_line(self, environ: Environ, household: str, *, is_reserved: bool) -> Answer:
        line, who = self.pages, household
        if is_reserved:
            line = self.reserved
        elif environ.get("CONTENT_TYPE", "").lower().startswith("multipart/"):
            line, who = self.files, self._sender(environ) or household
        turn = line.submit(who, lambda: answer_of(self.behind, environ), household=household)
        try:
            return turn.result(self.turn_patience)
        except TimeoutError:
            if turn.cancel():
                raise Busy from None
            return turn.result()

    def _sender(self, environ: Environ) -> str:
        """Who it says that it is. Whoever says many names has a turn for each, and no more places."""
        for part in environ.get("HTTP_COOKIE", "").split(";"):
            name, _, value = part.strip().partition("=")
            if name == self.cookie and value:
                return f"cookie {value}"
        return str(environ.get("HTTP_AUTHORIZATION", ""))


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
