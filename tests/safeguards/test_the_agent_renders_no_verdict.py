"""What the agent gives a device says which addresses are registered. It stops nothing, and names no other address."""

import ast
import gzip
import ipaddress
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from rahdari.agent.renderers import RENDERERS
from rahdari.agent.ruleset import ruleset
from tests.agent.renderers.test_golden import CASES, ROWS, rendered

AGENT = Path(__file__).resolve().parents[2] / "src" / "rahdari" / "agent"
# Of nftables, iptables, BIRD, FRR and the devices.
VERDICT = re.compile(
    r"(?<![a-z])(drop|reject|deny|discard|blackhole|unreachable|prohibit|null0|block|queue|tarpit)(?![a-z])",
    re.IGNORECASE,
)
# Where rules of others are read, verdicts are words that are looked for: they stand alone.
# Faults whose words speak of the rules of others.
FAULTS = frozenset({"ComplementFound", "DropsByDefault"})
READS_RULES, LOOKED_FOR = (
    "complement_rules.py",
    frozenset("ACCEPT DROP REJECT RETURN accept drop reject return".split()),
)
# What the agent says to its own database.
OF_THE_DATABASE = re.compile(r"DROP (TABLE|INDEX)\b")


def texts(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Each text of a module as it stands when it is put together: parts of an f-string, sums, products of a join, and
    words of a list are one text. Docstrings and what a fault says to people render nothing."""
    notes = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and node.name in FAULTS:
            notes.update(map(id, ast.walk(node)))
    for node in ast.walk(tree):
        if id(node) not in notes and isinstance(node, ast.expr) and (text := put_together(node)):
            yield node.lineno, text


def put_together(node: ast.expr) -> str:
    match node:
        case ast.Constant(value=str() as text):
            return text
        case ast.Constant(value=bytes() as content):
            return content.decode("latin-1")
        case ast.JoinedStr(values=values):
            return "".join(map(put_together, values))
        case ast.FormattedValue(value=value):
            return put_together(value) or "\N{REPLACEMENT CHARACTER}"
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return put_together(left) + put_together(right)
        case ast.BinOp(left=left, op=ast.Mod()):
            return put_together(left)
        case ast.List(elts=elements) | ast.Tuple(elts=elements) | ast.Set(elts=elements):
            return " ".join(filter(None, map(put_together, elements)))
        case ast.Call(
            func=ast.Attribute(value=ast.Constant(value=str() as between), attr="join"), args=[ast.List() as parts]
        ):
            return between.join(map(put_together, parts.elts))
        case ast.Call(func=ast.Attribute(value=value, attr="format")):
            return put_together(value)
    return ""


def the_agent_renders_no_verdict(folder: Path) -> list[str]:
    found = []
    for path in sorted(folder.rglob("*.py")):
        for number, text in texts(ast.parse(path.read_text())):
            if path.name == READS_RULES and set(text.split()) <= LOOKED_FOR:
                continue
            if hit := VERDICT.search(OF_THE_DATABASE.sub("", text)):
                found.append(f"{path.relative_to(folder)}:{number} renders {hit.group()}")
    return found


class TestTheCode:
    def test_has_no_text_with_a_verdict(self) -> None:
        assert the_agent_renders_no_verdict(AGENT) == []

    @pytest.mark.parametrize(
        "planted",
        [
            'RULE = "ip daddr @rahdari drop"',
            'RULE = "ip daddr @rahdari drop comment \\"x\\""',
            'RULE = f"ip daddr @{name} counter drop; accept"',
            'RULE = "ip daddr @rahdari " + "dr" + "op"',
            'RULE = f"ip daddr @{name} dr" + "op"',
            'COMMAND = ["iptables", "-A", "FORWARD", "-j", "DROP"]',
            'RULE = " ".join(["ip", "daddr", "@x", "re" + "ject"])',
            'RULE = "ip daddr %s reject with icmp" % name',
            'RULE = "route {} blackhole;".format(prefix)',
            'RULE = b"set policy deny\\n"',
            'POLICY = "type filter hook forward priority 0; policy drop;"',
            'def rule() -> str:\n    return f"{prefix} discard {after}"',
        ],
    )
    def test_a_planted_verdict_is_seen(self, tmp_path: Path, planted: str) -> None:
        for name in ("fault.py", READS_RULES):
            (tmp_path / name).write_text(planted + "\n")
        assert len({said.partition(":")[0] for said in the_agent_renders_no_verdict(tmp_path)}) == 2

    @pytest.mark.parametrize(
        "said", ['"""Nothing here may drop a packet."""', 'SQL = "DROP TABLE entries"', 'A = "dropped"']
    )
    def test_other_words_are_none(self, tmp_path: Path, said: str) -> None:
        (tmp_path / "fine.py").write_text(said + "\n")
        assert the_agent_renders_no_verdict(tmp_path) == []


# -- what comes out of it ----------------------------------------------------------------------------------------------

OF_AN_ADDRESS = re.compile(
    r"(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7})(?:/\d{1,3})?(?![\w.:])"
)


def written(kind: str, options: dict[str, object]) -> str:
    content = rendered(kind, ROWS, options)
    return (gzip.decompress(content) if kind == "juniper-srx" else content).decode("latin-1")


def strangers(text: str) -> list[str]:
    """Addresses in a text that lie in no row."""
    known = [ipaddress.ip_network(row.prefix) for row in ROWS]
    found = []
    for hit in OF_AN_ADDRESS.findall(text):
        try:
            network = ipaddress.ip_network(hit)
        except ValueError:
            continue
        if not any(network.version == each.version and network.subnet_of(each) for each in known):  # type: ignore[arg-type]
            found.append(hit)
    return found


@pytest.mark.parametrize(("kind", "options"), [(kind, options) for kind, _, options in CASES])
class TestARenderer:
    def test_writes_no_verdict(self, kind: str, options: dict[str, object]) -> None:
        assert VERDICT.findall(written(kind, options)) == []

    def test_lists_nothing_that_is_not_registered(self, kind: str, options: dict[str, object]) -> None:
        assert strangers(written(kind, options)) == []


def test_a_planted_verdict_and_a_planted_stranger_are_seen() -> None:
    text = written("frr", {}) if "frr" in RENDERERS else ""
    assert VERDICT.search(text.replace("permit", "deny", 1))
    assert strangers(text + "\nip prefix-list RAHDARI4 permit 192.0.2.99/32\n") == ["192.0.2.99/32"]


# -- the rules that mark -----------------------------------------------------------------------------------------------

_SET = re.compile(r"set \w+ \{ type [\w. ]+;(?: flags interval;)? \}")
_CHAIN = re.compile(r"chain registered \{ type filter hook prerouting priority mangle; policy accept; \}")
_MARK = re.compile(
    r"(?:ip|ip6) [sd]addr(?: \. meta l4proto)?(?: \. th [sd]port)? @\w+ meta mark set meta mark or 0x10000000"
)
_FRAME = re.compile(r"(?:table|flush chain) inet rahdari.*|chain registered \{|\}|")


def unknown_lines(rules: str) -> list[str]:
    """Lines that do something else than name a set, hook a chain that accepts, or mark."""
    lines = [line.partition("#")[0].strip() for line in rules.splitlines()]
    return [line for line in lines if not any(known.fullmatch(line) for known in (_SET, _CHAIN, _MARK, _FRAME))]


class TestTheRuleset:
    def test_marks_and_does_nothing_else(self) -> None:
        assert unknown_lines(ruleset()) == []
        assert len(_MARK.findall(ruleset())) >= 24

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("policy accept", "policy drop"),
            ("meta mark set meta mark or 0x10000000", "counter drop"),
            ("meta mark set meta mark or 0x10000000", "queue num 1"),
            ("@hosts4 meta mark", "!= @hosts4 meta mark"),
        ],
    )
    def test_a_planted_rule_is_seen(self, old: str, new: str) -> None:
        assert old in ruleset()
        assert unknown_lines(ruleset().replace(old, new))
