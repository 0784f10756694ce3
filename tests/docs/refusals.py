"""Every code of refusal and every sentence that refuses something, gathered from the policy, the code and the
catalogues: docs/refusals.md, which docs/conf.py writes each time the documentation is built.

A sentence refuses where the code gives it to a form (`error_messages`, `ValidationError`, `add_error`), to the answer
of a page (`messages.error`, `warning`, `info`), or to a problem of the API; also through a function of the same room
(`wording.address(error)`) or a name of the same function.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import polib

from rahdari import policy

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "docs" / "refusals.md"
SOURCE = ROOT / "src" / "rahdari"

SIMPLE = {"_", "gettext", "gettext_lazy"}
PLURAL = {"ngettext", "ngettext_lazy", "npgettext", "npgettext_lazy"}
IN_CONTEXT = {"pgettext", "pgettext_lazy", "npgettext", "npgettext_lazy"}
TO_A_FORM = {"ValidationError", "add_error"}
TO_A_PROGRAM = {"impossible", "not_taken", "error", "too_many", "Problem", "refusal"}
TO_A_PAGE = {"error", "warning", "info"}
# Names that hold what is wrong until a page shows it.
HOLDS = {"problem", "problems", "fault", "faults", "wrong", "refusal", "refused", "why_not", "trouble", "troubles"}
WAYS_OUT = {
    "form": "mend it on the same page; what was written stays there",
    "page": "the page that follows shows how it stands now",
    "api": "the answer names the place in what was sent",
}


def _name(call: ast.Call) -> str:
    func = call.func
    return func.id if isinstance(func, ast.Name) else func.attr if isinstance(func, ast.Attribute) else ""


def _owner(call: ast.Call) -> str:
    func = call.func
    return func.value.id if isinstance(func, ast.Attribute) and isinstance(func.value, ast.Name) else ""


def _msgids(node: ast.AST) -> Iterator[str]:
    """The sentences below this node; of those for one and for many, that for many."""
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and _name(call) in SIMPLE | PLURAL | IN_CONTEXT:
            place = (_name(call) in PLURAL) + (_name(call) in IN_CONTEXT)
            said = call.args[place] if len(call.args) > place else None
            if isinstance(said, ast.Constant) and isinstance(said.value, str):
                yield said.value


@cache
def _functions(path: Path) -> dict[str, ast.AST]:
    if not path.exists():
        return {}
    tree = ast.parse(path.read_text())
    found: dict[str, ast.AST] = {
        node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)
    }
    # Tables of sentences, by which fault it is.
    for node in tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found.update({target.id: node.value for target in targets if isinstance(target, ast.Name)})
    return found


@cache
def _handed_on(path: Path) -> dict[str, list[int]]:
    """Functions that give an argument of theirs to a field's `error_messages`: their names, and which arguments."""
    text = path.read_text() if path.exists() else ""
    found: dict[str, list[int]] = {}
    for function in ast.walk(ast.parse(text)) if "error_messages" in text else ():
        if isinstance(function, ast.FunctionDef):
            said = [
                keyword.value
                for call in ast.walk(function)
                if isinstance(call, ast.Call)
                for keyword in call.keywords
                if keyword.arg == "error_messages"
            ]
            used = {name.id for value in said for name in ast.walk(value) if isinstance(name, ast.Name)}
            places = [place for place, argument in enumerate(function.args.args) if argument.arg in used]
            if places:
                found[function.name] = places
    return found


class _Refusals(ast.NodeVisitor):
    def __init__(self, path: Path) -> None:
        self.path, self.found, self.locals = path, dict[str, str](), dict[str, list[ast.AST]]()
        self.handed_on = _handed_on(path)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        outer, self.locals = self.locals, {}
        for inner in ast.walk(node):
            if isinstance(inner, ast.Assign) and isinstance(inner.targets[0], ast.Name):
                self.locals.setdefault(inner.targets[0].id, []).append(inner.value)
        self.generic_visit(node)
        self.locals = outer

    def visit_Assign(self, node: ast.Assign) -> None:
        target = node.targets[0]
        named = isinstance(target, ast.Name) and target.id.lower().strip("_") in HOLDS
        into_messages = "error_messages" in ast.unparse(target)
        if named or into_messages:
            self.take(node.value, "form")
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        name, owner = _name(node), _owner(node)
        for keyword in node.keywords:
            if keyword.arg == "error_messages":
                self.take(keyword.value, "form")
        handed_on = {"": self.handed_on, "fields": _handed_on(SOURCE / "web" / "fields.py")}.get(owner, {})
        for place in handed_on.get(name, ()):
            if place < len(node.args):
                self.take(node.args[place], "form")
        if name in TO_A_FORM:
            self.take(node, "form")
        elif owner == "messages" and name in TO_A_PAGE:
            self.take(node, "page")
        elif name in TO_A_PROGRAM and "api" in self.path.relative_to(SOURCE).parts[0]:
            self.take(node, "api")
        self.generic_visit(node)

    def take(self, node: ast.AST, how: str, depth: int = 0) -> None:
        for sentence in _msgids(node):
            self.found.setdefault(sentence, how)
        if depth == 3:
            return
        for inner in ast.walk(node):
            if isinstance(inner, ast.Call):
                # wording.address(error), _port_words(error)
                where = self.path.with_name(f"{_owner(inner)}.py") if _owner(inner) else self.path
                if (function := _functions(where).get(_name(inner))) is not None and function is not node:
                    self._from(where, function, how, depth)
            elif isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Load):
                for value in self.locals.get(inner.id, ()):
                    if value is not node:
                        self.take(value, how, depth + 1)
                if inner.id.isupper() and (table := _functions(self.path).get(inner.id)) is not None:
                    self.take(table, how, depth + 1)

    def _from(self, where: Path, function: ast.AST, how: str, depth: int) -> None:
        other = self if where == self.path else _Refusals(where)
        outer, other.locals = other.locals, {}
        other.take(function, how, depth + 1)
        other.locals = outer
        for sentence, way in other.found.items() if other is not self else ():
            self.found.setdefault(sentence, way)


@cache
def urdu_of(room: str) -> dict[str, str]:
    """The Urdu of a room's sentences; of those for many, the form for many."""
    path = SOURCE / room / "locale" / "ur" / "LC_MESSAGES" / "django.po"
    if not path.exists():
        return {}
    return {
        entry.msgid_plural or entry.msgid: entry.msgstr_plural[1] if entry.msgid_plural else entry.msgstr
        for entry in polib.pofile(str(path))
    }


@cache
def refusals() -> dict[str, dict[str, str]]:
    """By room: each sentence, and how it reaches whoever reads it."""
    found: dict[str, dict[str, str]] = {}
    for path in sorted(SOURCE.rglob("*.py")):
        if "migrations" in path.parts:
            continue
        tree = ast.parse(path.read_text())
        visitor = _Refusals(path)
        visitor.visit(tree)
        room = path.relative_to(SOURCE).parts[0]
        for sentence, how in visitor.found.items():
            found.setdefault(room, {}).setdefault(sentence, how)
    return found


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _codes() -> Iterator[str]:
    yield "## Codes of the bundled policy"
    yield ""
    yield "| Code | What is said | In Urdu | The way out |"
    yield "| --- | --- | --- | --- |"
    rules = policy.current(None)
    for reason in rules.reasons.values():
        ways = [reason.advice.en] if reason.advice is not None else []
        ways += [rules.remedies[key].text.en for key in reason.remedies]
        if not ways and reason.kind == "provisional":
            ways = ["Nothing is to be done: the registration stands meanwhile, and its page says what is awaited."]
        yield f"| {reason.code} | “{_cell(reason.text.en)}” | {_cell(reason.text.ur)} | {_cell(' '.join(ways))} |"


def _sentences() -> Iterator[str]:
    told: set[str] = set()
    for room, sentences in refusals().items():
        new = [sentence for sentence in sorted(sentences) if sentence not in told]
        if not new:
            continue
        yield ""
        yield f"## Sentences of `{room}`"
        yield ""
        yield "| What is said | In Urdu | The way out |"
        yield "| --- | --- | --- |"
        for sentence in new:
            told.add(sentence)
            urdu = _cell(urdu_of(room).get(sentence, ""))
            yield f"| “{_cell(sentence)}” | {urdu} | {WAYS_OUT[sentences[sentence]]} |"


def page() -> str:
    lines = [
        "# Every code, and every sentence that refuses",
        "",
        "All that may be refused or sent back to people, gathered from the policy, the code and the catalogues. Of a",
        "sentence for one and for many, that for many. [When something is wrong](errors.md) says what happens and why.",
        "",
        *_codes(),
        *_sentences(),
    ]
    return "\n".join(lines) + "\n"


def write() -> None:
    """Write the page, unless it says this already: Sphinx builds anew what has changed."""
    if not PAGE.exists() or PAGE.read_text(encoding="utf-8") != page():
        PAGE.write_text(page(), encoding="utf-8")
