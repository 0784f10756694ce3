"""Files made to cost much: each is answered, or refused with a reason, after a bounded number of steps."""

import sys
from collections.abc import Callable
from contextlib import suppress

import pytest

from rahdari.preflight import MOST_LINES, PlanError, Syntax, TooManyRules, answer, judging, read
from rahdari.preflight import change as changes
from rahdari.preflight import draft as drafts
from rahdari.preflight.syntaxes import nftables_match
from tests.preflight.editions import Edition, held

# Processor time would say what the machine does beside; steps of Python say what the code does.
MOST_STEPS = 3_000_000


def steps(do: Callable[[], object]) -> int:
    """How many lines of ours run, up to a few more than may."""
    count = 0

    def trace(frame: object, event: str, _: object) -> object:
        nonlocal count
        if "rahdari" not in frame.f_code.co_filename:  # type: ignore[attr-defined]
            return None
        count += event == "line"
        if count > MOST_STEPS:
            raise AssertionError("too many steps")
        return trace

    before = sys.gettrace()
    sys.settrace(trace)  # type: ignore[arg-type]
    try:
        do()
    finally:
        sys.settrace(before)
    return count


def looked(text: str, syntax: Syntax | None = None) -> None:
    with suppress(PlanError):
        answer(read(text.encode(), syntax), Edition([held("192.0.2.1", "udp", 500)]))


N = 1_500
FILES = {
    "chains that each lead to two": "table inet t {\n"
    + "\n".join(f"chain c{at} {{ jump c{at + 1}; jump c{at + 1}; }}" for at in range(200))
    + "\nchain c200 { drop; }\nchain f { type filter hook forward priority 0; policy accept; jump c0; } }",
    "a chain emptied again and again": "table inet t { chain a { type filter hook forward priority 0; } }\n"
    + "\n".join(f"add rule inet t a udp dport {at} drop\nflush chain inet t b" for at in range(N)),
    "rules put before the others": "table inet t { chain a { type filter hook forward priority 0; } }\n"
    + "\n".join(f"insert rule inet t a udp dport {at} drop" for at in range(N)),
    "many rules of one large set": "table inet t { set s { type ipv4_addr; elements = { "
    + ", ".join(f"10.0.{at // 250}.{at % 250}" for at in range(0, 2 * N, 2))
    + " } }\nchain a { type filter hook forward priority 0; policy accept;\n"
    + "\n".join("ip daddr @s udp dport 9 accept" for _ in range(N))
    + "\n} }",
    "lists taken away again and again": "\n".join(
        f"ip access-list extended L{at}\n permit ip any any\nno ip access-list extended L{at}" for at in range(N)
    ),
    "groups that each name two": "\n".join(
        f"object-group network G{at}\n group-object G{at + 1}\n group-object G{at + 1}" for at in range(200)
    )
    + "\nobject-group network G200\n host 192.0.2.1\nip access-list extended X\n deny ip any object-group G0",
    "statements deleted again and again": "\n".join(
        f"set firewall family inet filter F term T{at} then discard\ndelete firewall family inet filter F term T{at}"
        for at in range(N)
    ),
    "many ports for everybody": "ip access-list extended X\n"
    + "\n".join(f" deny udp any any eq {at}" for at in range(N))
    + "\n permit ip any any",
    "everything at once": "\n".join(f"deny 10.{at // 250}.{at % 250}.0/24 udp {at}" for at in range(N)),
}


class TestCost:
    @pytest.mark.parametrize("name", FILES)
    def test_grows_with_the_file_alone(self, name: str) -> None:
        assert steps(lambda: looked(FILES[name])) < MOST_STEPS

    @pytest.mark.parametrize(
        "text",
        [
            "/*" * 100_000,
            " " * 200_000 + "permit",
            '"' * 100_000,
            "add a=" + '"\\' * 100_000,
        ],
        ids=["comments without end", "spaces", "quotes", "escapes"],
    )
    @pytest.mark.parametrize("syntax", list(Syntax))
    def test_no_pattern_looks_at_the_same_again_and_again(self, text: str, syntax: Syntax) -> None:
        looked(text, syntax)


class TestRefusal:
    def test_of_more_rules_than_are_judged(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(drafts, "MOST_RULES", 10)
        with pytest.raises(TooManyRules):
            read(b"192.0.2.1\n" * 6)
        assert changes.MOST_RULES >= 2 * MOST_LINES

    def test_of_sets_multiplied(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(nftables_match, "MOST_RULES", 100)
        ports = ", ".join(f"192.0.2.{at} . {at}" for at in range(1, 20))
        rule = f"ip daddr . udp dport {{ {ports} }} ip saddr . udp sport {{ {ports} }} drop"
        with pytest.raises(TooManyRules):
            read(f"table inet t {{ chain a {{ type filter hook forward priority 0;\n{rule}\n}} }}".encode())

    @pytest.mark.parametrize("bound", ["MOST_PARTS", "MOST_TRIED"])
    def test_of_lists_too_large_to_judge(self, monkeypatch: pytest.MonkeyPatch, bound: str) -> None:
        monkeypatch.setattr(judging, bound, 100)
        text = "ip access-list extended X\n" + "".join(
            f" deny ip any host 192.0.2.{at}\n deny udp any any eq {at}\n" for at in range(60)
        )
        with pytest.raises(TooManyRules):
            answer(read(text.encode()), Edition([held("192.0.2.1", "udp", 500)]))
