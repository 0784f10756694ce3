"""Nothing here blocks, detects or inspects traffic, lists the unregistered, or is named as if it did."""

import ast
import re
import textwrap
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rahdari.api.interface import API
from rahdari.cli import COMMANDS, parser_for
from rahdari.confirm.interface import OPERATORS
from rahdari.programs.operation import Interface
from rahdari.publish.api import FEED
from tests.architecture.rules import modules

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "rahdari"

# Said of traffic or of whoever is not registered. `denied` and `drop` are said of questions and proposals here.
MADE_FOR_IT = re.compile(
    r"(?<![a-z])(block_?list|black_?list|deny_?list|deny|blackhole|drop_(rule|packet|traffic)s?|dpi|deep_packet"
    r"|(inspect|log|read|watch|capture)_(traffic|packets?|flows?)|intercept(s|ed|ion|or)?|un_?registered|un_?listed"
    r"|detect(s|ed|or|ion|ing)?|suspect(s|ed)?|suspicious|evaders?|circumvent(s|ion)?)(?![a-z])",
    re.IGNORECASE,
)
# Another's word, for a thing that is no traffic: Django's settings.
NOT_OURS = frozenset({"X_FRAME_OPTIONS", "DENY"})
# What the policy says that happens to the unregistered: told to everybody, and no list of them.
TOLD_OF = {
    "policy/unregistered": {"unregistered", "Unregistered", "unregistered_from", "policy/unregistered"},
    "policy/shapes": {"unregistered"},
    "api/public": {"_unregistered", "UNREGISTERED"},
    "web/templatetags/rahdari": {"unregistered"},
    "applicant/paper": {"unregistered"},
    "web/templates/web/parts/unregistered.html": {"unregistered.html"},
}


def says(name: str) -> str:
    """The word in this name that says so; empty for none. Words in capitals within a name are parted first."""
    if name in NOT_OURS:
        return ""
    found = MADE_FOR_IT.search(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).replace("-", "_"))
    return found.group() if found else ""


def _names(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Whatever a module gives a name: functions, classes, arguments, variables, settings, fields of models, and the
    words of a command, of an address or of a setting in the environment."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield node.lineno, name
            case ast.arg(arg=name):
                yield node.lineno, name
            case ast.Name(id=name, ctx=ast.Store()):
                yield node.lineno, name
            case ast.Attribute(attr=name, ctx=ast.Store()):
                yield node.lineno, name
            case ast.Call(func=ast.Name(id=called) | ast.Attribute(attr=called), args=args, keywords=keywords):
                if called in {
                    "path",
                    "re_path",
                    "add_parser",
                    "add_argument",
                    "Act",
                    "given",
                    "getenv",
                    "get",
                }:
                    given = [*args, *(word.value for word in keywords if word.arg in {"name", "choices", "tag"})]
                    yield from ((each.lineno, text) for each in given for text in _texts(each))
            case ast.Constant(value=str() as text) if re.fullmatch(r"RAHDARI_[A-Z_]+", text):
                yield node.lineno, text


def _texts(node: ast.expr) -> Iterator[str]:
    yield from (each.value for each in ast.walk(node) if isinstance(each, ast.Constant) and isinstance(each.value, str))


def nothing_is_made_for_blocking(package: Path) -> list[str]:
    broken = []
    for path, tree in modules(package):
        relative = path.relative_to(package)
        for number, name in [(0, str(relative.with_suffix(""))), *_names(tree)]:
            # An argument of a call may be a sentence, which is no name.
            told = TOLD_OF.get(str(relative.with_suffix("")), ())
            if " " not in name and name not in told and (word := says(name)):
                broken.append(f"{relative}:{number} {name} is named for {word}")
    return broken + [
        f"{path.relative_to(package)} is named for {word}"
        for path in sorted(package.rglob("templates/**/*.*"))
        if path.name not in TOLD_OF.get(str(path.relative_to(package)), ()) and (word := says(path.name))
    ]


class TestTheCode:
    def test_has_no_such_name(self) -> None:
        assert nothing_is_made_for_blocking(PACKAGE) == []

    @pytest.mark.parametrize(
        ("place", "text", "said"),
        [
            ("agent/fault.py", "def render_blocklist() -> None: ...\n", "blocklist"),
            ("agent/fault.py", "class TrafficDetector: ...\n", "Detector"),
            ("publish/fault.py", "def list_unregistered() -> None: ...\n", "unregistered"),
            ("publish/fault.py", "def hosts(*, unlisted: bool) -> None: ...\n", "unlisted"),
            ("settings/fault.py", "INTERCEPT = True\n", "INTERCEPT"),
            ("ops/fault.py", 'WORD = "RAHDARI_DPI"\n', "DPI"),
            ("ops/fault.py", 'commands.add_parser("detect", help="x")\n', "detect"),
            ("portal/urls_fault.py", 'urlpatterns = [path("suspects/", view, name="found")]\n', "suspects"),
            ("portal/urls_fault.py", 'urlpatterns = [path("a/", view, name="unregistered")]\n', "unregistered"),
            ("register/fault.py", "class A:\n    suspected_at = models.DateTimeField()\n", "suspected"),
            ("register/fault.py", "def a(row) -> None:\n    row.intercepted = []\n", "intercepted"),
            ("portal/templates/portal/unlisted.html", "", "unlisted"),
            ("lookup/log_traffic.py", "", "log_traffic"),
            ("agent/fault.py", "denyList = []\n", "deny_List"),
        ],
    )
    def test_a_planted_name_is_seen(self, tmp_path: Path, place: str, text: str, said: str) -> None:
        path = tmp_path / place
        path.parent.mkdir(parents=True)
        path.write_text(text)
        found = nothing_is_made_for_blocking(tmp_path)
        assert found and f"named for {said}" in found[0]

    @pytest.mark.parametrize(
        "name", ["client_denied", "drop_refusal", "registered", "listed", "undetermined", "blocks"]
    )
    def test_other_words_are_none_of_it(self, name: str) -> None:
        assert says(name) == ""


@pytest.mark.parametrize("word", sorted(COMMANDS))
def test_no_command_offers_it(word: str) -> None:
    """All that `--help` names, of the command and of its acts: `agent check` tells of one address, and of no list."""
    parsers, seen = [parser_for(word)], 0
    while parsers:
        parser = parsers.pop()
        for action in parser._actions:
            for text in (action.dest, *action.option_strings):
                seen += 1
                assert not says(str(text)), f"{word}: {text}"
            if isinstance(action.choices, dict):
                assert not [name for name in action.choices if says(name)]
                parsers += list(action.choices.values())
    assert seen


def named_by(interface: Interface) -> Iterator[str]:
    """What an interface for programs is called by: its addresses, operations and scopes, what they take, its events."""
    yield from (*map(str, interface.scopes), *interface.events)
    for each in interface.operations():
        yield from (each.id, each.path, each.tag, *each.query, *(each.body or {}).get("properties", {}))


@pytest.mark.parametrize("interface", [API, OPERATORS, FEED], ids=lambda each: each.name)
def test_no_operation_offers_it(interface: Interface) -> None:
    names = list(named_by(interface))
    assert names and [name for name in names if says(name)] == []
    planted = replace(interface.operations()[0], path="/unregistered")
    more = replace(interface, declared=[*interface.declared, planted])
    assert [name for name in named_by(more) if says(name)] == ["/unregistered"]


# -- what the pages tell an operator to type --------------------------------------------------------------------------

PAGES = [*sorted((ROOT / "docs" / "devices").glob("*.md")), ROOT / "docs" / "operators.md", ROOT / "docs" / "agent.md"]
STOPS = re.compile(r"\b(drop|reject|deny|discard|blackhole|unreachable(?! \[)|prohibit|null0)\b", re.IGNORECASE)
# A verdict that refuses harm done to what is registered: a blackhole route for it, which is not taken.
OF_A_BLACKHOLE = re.compile(r"blackhole|65535[:,] ?666", re.IGNORECASE)
# A web server in front of the files, which lets the operator's own devices in and nobody else.
OF_A_FILE_SERVER = re.compile(r"server \{.*autoindex off;.*allow .*deny all;", re.DOTALL)
# What denies by itself whatever it does not name, and how it is told to let the rest pass.
DENIES_THE_REST = {
    re.compile(r"access-list \w+\n"): "permit ipv4 any any",
    re.compile(r"firewall family inet filter"): "term rest {\n        then accept;",
}


def samples(text: str) -> Iterator[str]:
    """The blocks of a page that are typed: indented by four, or fenced."""
    yield from re.findall(r"^```.*?\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    for block in re.split(r"\n(?! {4}|\n)", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)):
        lines = [line for line in block.splitlines() if line.startswith("    ") or not line]
        if any(lines):
            yield textwrap.dedent("\n".join(lines)).strip()


def cuts_the_rest(sample: str) -> str:
    """What in this sample stops traffic that is not registered; empty for nothing."""
    if (found := STOPS.search(sample)) and not OF_A_BLACKHOLE.search(sample) and not OF_A_FILE_SERVER.search(sample):
        return found.group()
    for denies, passes in DENIES_THE_REST.items():
        if denies.search(sample) and passes not in sample:
            return f"no {passes.split()[0]} of the rest"
    return ""


class TestThePages:
    def test_show_no_rule_that_cuts_what_is_not_registered(self) -> None:
        found = {
            page.name: [said for each in samples(page.read_text()) if (said := cuts_the_rest(each))] for page in PAGES
        }
        assert len([each for page in PAGES for each in samples(page.read_text())]) > 50
        assert {name: said for name, said in found.items() if said} == {}

    @pytest.mark.parametrize(
        "sample",
        [
            "nft add rule inet edge forward meta mark and 0x10000000 == 0 drop",
            "table inet edge {\n  chain forward { type filter hook forward priority 0; policy drop; }\n}",
            "iptables -A FORWARD -m set ! --match-set rahdari-hosts4 dst -j DROP",
            "ipv4 access-list EDGE\n 10 permit ipv4 any net-group RAHDARI4",
            "firewall family inet filter edge {\n    term registered {\n        then accept;\n    }\n}",
            "route-map OUT deny 10\n match ip address prefix-list OTHERS",
        ],
    )
    def test_a_planted_sample_is_seen(self, sample: str) -> None:
        page = f"Some words.\n\n{textwrap.indent(sample, '    ')}\n\nMore words.\n"
        assert [bool(cuts_the_rest(each)) for each in samples(page)] == [True]
        assert [bool(cuts_the_rest(each)) for each in samples(f"Words\n\n```\n{sample}\n```\n")] == [True]
