"""What an import linter cannot see. Each rule takes the folder of the package and returns what breaks it, in words."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

# Rooms that have models or acts of their own.
STATIONS = (
    *("journal", "archive", "register", "people", "letters", "apply", "control", "checks", "fees", "vouch"),
    *("confirm", "attest", "remote", "share", "decide", "sampling", "publish", "dyndns", "mobile", "api", "inquiry"),
    "calendar",
)
# What answers a request or a command of one room is nothing to another.
EDGES = frozenset({"views", "urls", "commands"})
# These stand above all rooms: they put them together.
ASSEMBLY = ("urls.py", "cli.py", "wsgi.py", "__main__.py")
LONGEST = 800


def modules(package: Path) -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted(package.rglob("*.py")):
        if "migrations" not in path.parts:
            yield path, _parsed(path, path.read_text())


@cache
def _parsed(path: Path, text: str) -> ast.Module:
    """Each rule reads all modules, and none changes one."""
    return ast.parse(text, filename=str(path))


def room_of(path: Path, package: Path) -> str:
    first = path.relative_to(package).parts[0]
    return first.removesuffix(".py")


def imported(tree: ast.Module) -> Iterator[tuple[int, str, str]]:
    """(line, module, name): what a module imports from ours, absolutely."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level == 0 and (node.module or "").startswith("rahdari"):
            for alias in node.names:
                yield node.lineno, node.module or "", alias.name
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith("rahdari"):
                    yield node.lineno, alias.name, ""


def a_room_is_entered_by_what_is_public(package: Path) -> list[str]:
    """No view, address or command of another room, and no name of another room that begins with an underscore."""
    broken = []
    for path, tree in modules(package):
        here = room_of(path, package)
        if here == "ops" or path.name in ASSEMBLY:
            continue
        for line, module, name in imported(tree):
            room, *inner = [*module.split(".")[1:], name]
            if room in STATIONS and room != here and any(each in EDGES or each.startswith("_") for each in inner):
                broken.append(f"{path.relative_to(package)}:{line} enters {room} by {'.'.join(inner)}")
    return broken


def _model_imports(tree: ast.Module, here: str) -> dict[str, str]:
    """Names in this module that are models (or the models module) of another room."""
    found = {}
    for node in ast.walk(tree):
        if not isinstance(node, ast.ImportFrom) or node.level:
            continue
        parts = (node.module or "").split(".")
        if parts[0] != "rahdari" or len(parts) < 2 or parts[1] == here or parts[1] not in STATIONS:
            continue
        if len(parts) > 2 and parts[2] == "models":
            found.update({alias.asname or alias.name: parts[1] for alias in node.names})
        elif len(parts) == 2:
            found.update({alias.asname or alias.name: parts[1] for alias in node.names if alias.name == "models"})
    return found


def no_room_queries_another_rooms_model(package: Path) -> list[str]:
    broken = []
    for path, tree in modules(package):
        theirs = _model_imports(tree, room_of(path, package))
        if not theirs:
            continue
        for node in ast.walk(tree):
            if not isinstance(node, ast.Attribute) or node.attr not in {"objects", "_default_manager", "_base_manager"}:
                continue
            base: ast.expr = node.value
            while isinstance(base, ast.Attribute):
                base = base.value
            if isinstance(base, ast.Name) and base.id in theirs:
                broken.append(f"{path.relative_to(package)}:{node.lineno} queries a model of {theirs[base.id]}")
    return broken


_USES = re.compile(r"""{%\s*(?:extends|include)\s+["']([^"']+)["']""")


def no_template_uses_another_rooms(package: Path) -> list[str]:
    broken = []
    for path in sorted(package.rglob("templates/**/*.html")):
        here = room_of(path, package)
        for used in _USES.findall(path.read_text()):
            room = used.split("/")[0]
            if room not in {here, "web"} and not (here == "people" and room in {"account", "mfa", "allauth"}):
                broken.append(f"{path.relative_to(package)} uses {used}")
    return broken


# A link or button that is laid out as a flexible box, and a sentence in it with a value that has an element of its own.
_IN_A_BOX = re.compile(
    r"""class="(?:[^"]*\s)?(?:textlink|btn|back)(?:\s[^"]*)?"[^>]*>(?!<span>)(?:{%\s*if[^%]*%})?"""
    r"""{%\s*blocktranslate[^%]*\|(?:ltr|name|code|whole)[^%]*%}([^<]*){%\s*endblocktranslate"""
)


def a_value_in_a_link_keeps_its_spaces(package: Path) -> list[str]:
    """The box takes text and element for two things and the space between them for none; one <span> around both does
    not."""
    return [
        f"{path.relative_to(package)} has no <span> around {sentence.strip()!r}"
        for path in sorted(package.rglob("templates/**/*.html"))
        for sentence in _IN_A_BOX.findall(path.read_text())
        if "{{" in sentence
    ]


# What lays its children out, with a distance between them.
_LAYS_OUT = frozenset({"row", "actions", "answer", "do"})
_PRESSED = frozenset({"btn", "textlink"})


class _Neighbours(HTMLParser):
    """Links and buttons beside each other, with nothing but white space between, in something that lays nothing out."""

    def __init__(self) -> None:
        super().__init__()
        # Of each open element: its tag, its classes, and whether its last child is a link or button.
        self.open: list[tuple[str, frozenset[str]]] = [("", frozenset())]
        self.after_one = [False]
        self.found: list[int] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        classes = frozenset((dict(attrs).get("class") or "").split())
        if classes & _PRESSED and self.after_one[-1] and not self.open[-1][1] & _LAYS_OUT:
            self.found.append(self.getpos()[0])
        self.after_one[-1] = False
        if tag in {"a", "button", "p", "li", "div", "span", "form", "td", "section", "nav"}:
            self.open.append((tag, classes))
            self.after_one.append(False)

    def handle_endtag(self, tag: str) -> None:
        if self.open[-1][0] == tag:
            classes = self.open.pop()[1]
            self.after_one.pop()
            self.after_one[-1] = bool(classes & _PRESSED)

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.after_one[-1] = False


def links_beside_each_other_keep_a_distance(package: Path) -> list[str]:
    """A space between two of them is no distance: on a wide screen they read as one."""
    broken = []
    for path in sorted(package.rglob("templates/**/*.html")):
        text = re.sub(r"{%\s*(else|elif)[^%]*%}", "or", path.read_text())
        parser = _Neighbours()
        parser.feed(re.sub(r"{%.*?%}|{#.*?#}", "", re.sub(r"{{.*?}}", "value", text)))
        broken += [f"{path.relative_to(package)}:{line} has two links or buttons side by side" for line in parser.found]
    return broken


_TITLE = re.compile(r"{%\s*block title\s*%}.*?{%\s*endblock", re.DOTALL)
_PREFIX = re.compile(r"{%\s*block title_prefix\s*%}(.*?){%\s*endblock", re.DOTALL)
_SUMMARY = re.compile(r"{%\s*error_summary\s+(.*?)\s*%}")


def a_title_says_once_that_something_is_wrong(package: Path) -> list[str]:
    """`web/base.html` says it for a form named `form`; whoever sums up other errors says it in `title_prefix`."""
    broken = []
    for path in sorted(package.rglob("templates/**/*.html")):
        text, where = path.read_text(), path.relative_to(package)
        broken += [
            f"{where} says it in its title and so twice" for title in _TITLE.findall(text) if '"Error:"' in title
        ]
        said = "".join(_PREFIX.findall(text)) or "form.errors"
        summed_up = {f"{name}.errors" for names in _SUMMARY.findall(text) for name in names.split()}
        broken += [
            f"{where} does not say {each} in its title"
            for each in sorted(summed_up)
            if not re.search(rf"\b{each}", said)
        ]
    return broken


# Only the edge asks what time it is: what answers a request, a command, a timer. Everything else is told.
EDGE = re.compile(
    r"(^|/)((tasks|commands|backends|sessions|adapter|updates)\.py$|commands/)|^cli\.py$|^portal/[a-z_]+\.py$|^(workflow|ops|agent|client|push|lookup|vantage|web|db|programs)/"
)
EDGE_IMPORTS = frozenset({"django.http", "django.shortcuts", "django.views"})


def _answers_requests(tree: ast.Module) -> bool:
    return any(isinstance(node, ast.ImportFrom) and node.module in EDGE_IMPORTS for node in ast.walk(tree))


def only_the_edge_asks_the_time(package: Path) -> list[str]:
    broken = []
    for path, tree in modules(package):
        relative = str(path.relative_to(package))
        if EDGE.search(relative) or _answers_requests(tree):
            continue
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in {"now", "utcnow", "today"}
            ):
                base = node.func.value
                if isinstance(base, ast.Name | ast.Attribute):
                    broken.append(f"{relative}:{node.lineno} asks the clock; take `now` as an argument")
    return broken


# What only a page or an answer to a program needs: the use cases under both know no request, and of the pages no more
# than the links that are handed out.
_OF_A_SURFACE = re.compile(
    r"^(django\.(http|shortcuts|urls|views|contrib\.messages|contrib\.auth)|rahdari\.people\.access)\b"
)


def a_use_case_knows_no_request(package: Path) -> list[str]:
    return [
        f"{path.relative_to(package)}:{node.lineno} knows a surface: {node.module}"
        for path, tree in modules(package)
        if room_of(path, package) == "applicant"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and _OF_A_SURFACE.match(node.module or "")
        if (path.name, node.module) != ("links.py", "django.urls")
    ]


_LOCK_OR_WAKE = re.compile(r"pg_\w*advisory|pg_notify|^\s*NOTIFY\s")


def locks_and_wake_ups_have_one_place(package: Path) -> list[str]:
    """A lock whose number is chosen where it is used meets another room's; a channel that is misspelt wakes nobody."""
    return [
        f"{path.relative_to(package)}:{node.lineno} has a lock or a wake-up of its own: db/locks.py, db/wake.py"
        for path, tree in modules(package)
        if room_of(path, package) != "db"
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _LOCK_OR_WAKE.search(node.value)
    ]


def no_file_outgrows_a_mind(package: Path) -> list[str]:
    broken = []
    for path in sorted(package.rglob("*.py")):
        lines = path.read_text().count("\n")
        if lines > LONGEST:
            broken.append(f"{path.relative_to(package)} has {lines} lines")
    return broken


ALL = (
    a_room_is_entered_by_what_is_public,
    no_room_queries_another_rooms_model,
    no_template_uses_another_rooms,
    a_title_says_once_that_something_is_wrong,
    a_value_in_a_link_keeps_its_spaces,
    links_beside_each_other_keep_a_distance,
    only_the_edge_asks_the_time,
    a_use_case_knows_no_request,
    locks_and_wake_ups_have_one_place,
    no_file_outgrows_a_mind,
)
