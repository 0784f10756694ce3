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


def doubling(count: int) -> str:
    lines = ["define s0 = { 192.0.2.1 }", *(f"define s{at} = {{ $s{at - 1}, $s{at - 1} }}" for at in range(1, count))]
    return "\n".join([*lines, f"table ip t {{ chain c {{ ip daddr $s{count - 1} drop\n}} }}"])


# What names stand for, named again and again.
EXPANDED = {
    "definitions that name two each": doubling(40),
    "a set of ports in many rules": "table inet t { set s { type inet_service; elements = { "
    + ", ".join(map(str, range(1, 20_000)))
    + " } }\nchain a { type filter hook forward priority 0;\n"
    + "\n".join("udp dport @s accept" for _ in range(1_000))
    + "\n} }",
    "a group of ports in many rules": "object-group ip port P\n"
    + "\n".join(f" eq {at}" for at in range(1, 5_000))
    + "\nip access-list extended X\n"
    + "\n".join(" permit udp any any portgroup P" for _ in range(1_000)),
    "masks with gaps": "ip access-list extended X\n"
    + "\n".join(f" deny ip any 10.{at}.0.0 0.0.31.254" for at in range(30)),
    "a list of words behind many": "set " + "a " * 5_000 + "[ " + "b " * 5_000 + "]",
    "blocks in blocks": "a { " * 5_000 + "b c; " * 5_000,
}


class TestRefusal:
    @pytest.mark.parametrize("name", EXPANDED)
    def test_of_what_stands_for_too_much(self, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(drafts, "MOST_EXPANDED", 1_000_000)
        monkeypatch.setattr(drafts, "MOST_SPANS", 100_000)
        with pytest.raises(TooManyRules):
            read(EXPANDED[name].encode(), Syntax.JUNOS if EXPANDED[name].startswith(("set a", "a {")) else None)

    def test_of_more_products_than_are_tried(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(judging, "MOST_TRIED", 20_000)
        text = "table inet t {\nchain c {\ntype filter hook forward priority 0; policy accept;\n" + "\n".join(
            f"ip saddr 10.{at}.0.0/16 ip daddr 0.0.0.0/0 udp sport {at} udp dport {at} meta mark 1 accept"
            for at in range(200)
        )
        with pytest.raises(TooManyRules):
            answer(read(f"{text}\n}}\n}}\n".encode()), Edition([held("192.0.2.1")]))

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
