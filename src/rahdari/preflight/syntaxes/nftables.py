"""nftables: files and commands as `nft -f` takes them.

A chain with a hook on which others' traffic passes is judged; one of input and output holds for the machine's own
addresses alone. Of a rule, addresses, protocols and ports count; what else it matches is a condition, and what it does
beside its verdict (count, log, mark) changes nothing.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import NamedTuple

from ..change import Action, NotUnderstood, Rule, RuleList, Syntax, Trouble
from ..draft import Draft
from ..space import ALL_OF, ANYWHERE
from .nftables_match import Element, Named, element_of, rule_of

_TOKEN = re.compile(r'\\\n|#[^\n]*|"[^"\n]*"?|[{};,]|!=|==|<=|>=|<<|>>|[<>=&|!]|\n|[^\s{};,=<>!&|"#]+')
# Here passes what is for the machine itself, or comes from it; on every other hook, what is for others.
OWN = frozenset({"input", "output"})
# A chain with a number above this comes after the machine has begun to follow connections.
_FOLLOWS_FROM = -200
_PRIORITIES = {"raw": -300, "mangle": -150, "dstnat": -100, "filter": 0, "security": 50, "srcnat": 100}
_TRANSLATED = re.compile(r"# Translated by ip6?tables-restore-translate\b")
# What that program could not write as nftables stands there as a comment, and is a rule that is lost; so does what the
# program that lists a rule set does not know.
_LOST = re.compile(r"\s*#\s*-[tAIPND] .*")
_UNKNOWN_MATCH = re.compile(r".*#\s?(?:xt_|match |target )")
FAMILIES = frozenset({"ip", "ip6", "inet", "bridge", "netdev", "arp"})
_REACH = {"ip": ALL_OF[4], "ip6": ALL_OF[6]}
# What stands in a table and decides nothing by itself.
_OBJECTS = frozenset({"flowtable", "counter", "quota", "limit", "ct", "secmark", "synproxy", "tunnel"})
_PUT = frozenset({"add", "create", "insert"})
_TAKE_AWAY = frozenset({"delete", "destroy", "replace", "reset", "rename"})


class Token(NamedTuple):
    text: str
    line: int


@dataclass
class Table:
    family: str
    name: str
    named: dict[str, Named] = field(default_factory=dict)
    dormant: bool = False


def tokens(text: str) -> list[Token]:
    """Newlines and semicolons are both `;`."""
    found, line, at = list[Token](), 1, 0
    for form in _TOKEN.finditer(text):
        line += text.count("\n", at, form.start())
        at = form.start()
        said = form[0]
        if said == "\n":
            found.append(Token(";", line))
        elif not said.startswith(("#", "\\\n")):
            found.append(Token(said, line))
    return found


def read(lines: Sequence[str]) -> Draft:
    draft = Draft(Syntax.NFTABLES, lines)
    _translated(draft)
    Reader(draft, tokens("\n".join(lines))).file()
    return draft


def _translated(draft: Draft) -> None:
    """Names rules that were lost before they came here."""
    begun = 0
    for number, line in enumerate(draft.lines, 1):
        if "#" not in line:
            continue
        if _TRANSLATED.match(line):
            begun = number
        elif line.startswith("# Completed on "):
            begun = 0
        elif (begun and _LOST.fullmatch(line)) or _UNKNOWN_MATCH.match(line):
            draft.refuse(number, NotUnderstood(Trouble.NOT_TRANSLATED, ""))
    if begun:
        draft.refuse(len(draft.lines), NotUnderstood(Trouble.CUT_SHORT, ""))


class Reader:
    def __init__(self, draft: Draft, found: list[Token]) -> None:
        self.draft, self.tokens, self.at = draft, found, 0
        self.tables: dict[tuple[str, str], Table] = {}
        self.defined: dict[str, list[Token]] = {}
        # A rule may name a set that stands below it: all are read at the end, in their order.
        self.rules: list[tuple[Table, RuleList, list[Token], bool]] = []
        # Of a chain that was emptied, how many rules had been read by then.
        self.flushed: dict[str, int] = {}
        # Chains of which a hook was read.
        self.hooked: set[str] = set()

    def file(self) -> None:
        while self.at < len(self.tokens):
            self._skip(";")
            if self.at < len(self.tokens):
                self._tried(self._statement)
        self._place()
        firsts: dict[str, list[list[Rule]]] = {}
        for at, (table, of, said, first) in enumerate(self.rules):
            if at < self.flushed.get(of.name, 0):
                continue
            texts = [each.text for each in said]
            try:
                rules = rule_of(texts, said[0].line, table.named, self._known(table), self.draft.expand)
            except NotUnderstood as error:
                self.draft.refuse(said[0].line, error)
                continue
            rules = [self._within(table, rule) for rule in rules]
            into = RuleList(of.name, of.line) if first else of
            self.draft.add(into, rules)
            firsts.setdefault(of.name, []).extend([into.rules] if first else [])
        for name, inserted in firsts.items():
            of = self.draft.lists[name]
            of.rules = [*(rule for rules in reversed(inserted) for rule in rules), *of.rules]

    def _place(self) -> None:
        """A chain without a hook that nothing here leads to may be led to from elsewhere, or have its hook there."""
        led_to = {
            self._key(table, each)
            for table in self.tables.values()
            for named in table.named.values()
            for element in named.elements
            for each in element.verdict[1:2]
        }
        untracked = False
        for table, _, said, _ in self.rules:
            words = [each.text for each in said]
            led_to |= {self._key(table, target) for word, target in pairwise(words) if word in {"jump", "goto"}}
            untracked |= "notrack" in words
        for name, of in self.draft.lists.items():
            of.untracked |= untracked
            if name not in self.hooked and name not in led_to:
                of.applies = of.both_ways = of.untracked = True

    def _within(self, table: Table, rule: Rule) -> Rule:
        reach = _REACH.get(table.family, ANYWHERE)
        target = self._key(table, rule.target) if rule.target else ""
        return replace(rule, source=rule.source & reach, destination=rule.destination & reach, target=target)

    def _known(self, table: Table) -> Callable[[str], bool]:
        """Whether a chain of this name is there to be jumped to."""
        return lambda name: self._key(table, name) in self.draft.lists

    @staticmethod
    def _key(table: Table, chain: str) -> str:
        return f"{table.family} {table.name} {chain}"

    # -- what stands outside of tables

    def _statement(self) -> None:
        word = self._next()
        if word.text == "nft":
            word = self._next()
        if word.text in {"define", "redefine"}:
            name = self._next().text
            self._expect("=")
            self.defined[name] = self._rest()
        elif word.text == "undefine":
            self._rest()
        elif word.text == "include":
            raise NotUnderstood(Trouble.NOT_IN_FILE, next((each.text for each in self._rest()), word.text))
        elif word.text == "flush":
            self._flush()
        elif word.text in _PUT | _TAKE_AWAY:
            self._command(word)
        elif word.text == "table":
            self._table()
        else:
            raise NotUnderstood(Trouble.WORD, word.text)

    def _flush(self) -> None:
        what = self._next().text
        rest = self._rest()
        if what not in {"ruleset", "table", "chain", "set", "map"}:
            raise NotUnderstood(Trouble.WORD, what)
        if what == "chain" and len(rest) >= 2:
            table, names = self._table_named(rest)
            self.flushed[self._key(table, names[0].text)] = len(self.rules)

    def _command(self, verb: Token) -> None:
        what = self._next().text
        if verb.text in _TAKE_AWAY:
            rest = self._rest()
            # A table or chain that goes before the file makes it anew.
            if what not in {"table", "chain", "set", "map"} or verb.text in {"replace", "reset", "rename"}:
                raise NotUnderstood(Trouble.REMOVAL, rest[0].text if rest else what)
            return
        if what == "table":
            self._table()
        elif what in {"chain", "rule", "set", "map", "element"}:
            said = [self._next()]
            if said[0].text in FAMILIES:
                said.append(self._next())
            table, _ = self._table_named(said)
            if what == "chain":
                self._chain(table, self._next())
            elif what == "rule":
                name = self._next()
                of = self._list(table, name)
                rest = self._rest()
                while len(rest) > 2 and rest[0].text in {"position", "handle", "index"}:
                    rest = rest[2:]
                self._note(table, of, rest, first=verb.text == "insert")
            else:
                self._set(table, self._next(), elements_alone=what == "element")
        elif what in _OBJECTS:
            self._rest()
        else:
            # `add rule` may be said without `rule`.
            raise NotUnderstood(Trouble.WORD, what)

    def _table_named(self, said: list[Token]) -> tuple[Table, list[Token]]:
        texts = [each.text for each in said]
        family = texts[0] if texts[0] in FAMILIES and len(texts) > 1 else "ip"
        rest = said[1:] if texts[0] in FAMILIES and len(texts) > 1 else said
        return self.tables.setdefault((family, rest[0].text), Table(family, rest[0].text)), rest[1:]

    # -- inside of tables

    def _table(self) -> None:
        said = [self._next()]
        while self._peek() not in {"{", ";", ""}:
            said.append(self._next())
        table, _ = self._table_named(said)
        if self._peek() != "{":
            return
        self._expect("{")
        while self._peek() not in {"}", ""}:
            self._tried(lambda: self._of_table(table))
            self._skip(";")
        self._close()

    def _of_table(self, table: Table) -> None:
        self._skip(";")
        if self._peek() in {"}", ""}:
            return
        word = self._next()
        if word.text == "chain":
            self._chain(table, self._next())
        elif word.text in {"set", "map"}:
            self._set(table, self._next(), elements_alone=False)
        elif word.text == "flags":
            table.dormant = any(each.text == "dormant" for each in self._rest())
            self._sleep(table)
        elif word.text in _OBJECTS or word.text in {"comment", "type", "policy"}:
            self._rest()
        elif word.text in {"define", "redefine"}:
            name = self._next().text
            self._expect("=")
            self.defined[name] = self._rest()
        else:
            raise NotUnderstood(Trouble.WORD, word.text)

    def _sleep(self, table: Table) -> None:
        for name, of in self.draft.lists.items():
            if table.dormant and name.startswith(self._key(table, "")):
                of.applies = False

    def _chain(self, table: Table, name: Token) -> None:
        of = self._list(table, name)
        if self._peek() != "{":
            return
        self._expect("{")
        while True:
            self._skip(";")
            if self._peek() in {"}", ""}:
                break
            said = self._rest()
            if said[0].text == "type":
                self._hook(table, of, said)
            elif said[0].text == "policy":
                self._policy(of, said)
            elif said[0].text not in {"comment", "flags", "device", "devices", "priority"}:
                self._note(table, of, said, first=False)
        self._close()

    def _list(self, table: Table, name: Token) -> RuleList:
        """A chain, which nothing passes before its hook is read."""
        key = self._key(table, name.text)
        new = key not in self.draft.lists
        of = self.draft.list_of(key, name.line)
        if new:
            of.applies, of.otherwise_line, of.reach = False, name.line, _REACH.get(table.family, ANYWHERE)
        return of

    def _hook(self, table: Table, of: RuleList, said: list[Token]) -> None:
        texts = [each.text for each in said]
        hook = texts[texts.index("hook") + 1] if "hook" in texts[:-1] else ""
        of.otherwise_line = said[0].line
        of.applies = of.both_ways = hook not in OWN and table.family != "arp" and not table.dormant
        of.untracked = table.family in {"netdev", "bridge"} or not (
            hook in {"forward", "postrouting"} or _priority(texts) > _FOLLOWS_FROM
        )
        self.hooked.add(of.name)

    def _policy(self, of: RuleList, said: list[Token]) -> None:
        word = said[1].text if len(said) > 1 else ""
        if word not in {"accept", "drop"}:
            self.draft.refuse(said[0].line, NotUnderstood(Trouble.WORD, word))
            return
        of.otherwise = Action.DENY if word == "drop" else Action.PERMIT
        of.otherwise_line = said[0].line

    def _note(self, table: Table, of: RuleList, said: list[Token], *, first: bool) -> None:
        if said:
            self.rules.append((table, of, said, first))

    def _set(self, table: Table, name: Token, *, elements_alone: bool) -> None:
        named = table.named.setdefault(name.text, Named())
        if self._peek() != "{":
            return
        if elements_alone:
            named.elements += self._elements(named)
            return
        self._expect("{")
        while True:
            self._skip(";")
            if self._peek() in {"}", ""}:
                break
            word = self._next()
            if word.text == "elements":
                self._expect("=")
                named.elements += self._elements(named)
            elif word.text in {"type", "typeof"}:
                kinds = " ".join(each.text for each in self._rest()).split(":")[0]
                named.types = [each.strip() for each in kinds.split(" . ")]
            else:
                self._rest()
        self._close()

    def _elements(self, of: Named) -> list[Element]:
        """One by one: one that is not understood is named, and the others hold."""
        found, element = list[Element](), list[Token]()
        for token in [*self._rest(), Token(",", 0)]:
            if token.text not in {",", "{", "}"}:
                element.append(token)
            elif element:
                try:
                    read = element_of([each.text for each in element])
                    of.check(read)
                    found.append(read)
                except NotUnderstood as error:
                    self.draft.refuse(element[0].line, error)
                element = []
        return found

    # -- tokens

    def _tried(self, do: Callable[[], None]) -> None:
        """What is not understood is named, and the rest of its line passed over."""
        self._skip(";")
        begins = self.at
        try:
            do()
        except NotUnderstood as error:
            line = self.tokens[min(begins, len(self.tokens) - 1)].line
            self.draft.refuse(line, error)
            self._rest()
            if self.at == begins:
                self.at += 1
        if self._peek() == "}" and self.at == begins:
            self.at += 1

    def _peek(self) -> str:
        return self.tokens[self.at].text if self.at < len(self.tokens) else ""

    def _next(self) -> Token:
        if self.at >= len(self.tokens):
            raise NotUnderstood(Trouble.OPEN, self.tokens[-1].text)
        token = self.tokens[self.at]
        self.at += 1
        return token

    def _skip(self, text: str) -> None:
        while self._peek() == text:
            self.at += 1

    def _expect(self, text: str) -> None:
        token = self._next()
        if token.text != text:
            raise NotUnderstood(Trouble.WORD, token.text)

    def _close(self) -> None:
        if not self._peek():
            raise NotUnderstood(Trouble.OPEN, "{")
        self.at += 1

    def _rest(self) -> list[Token]:
        """To the end of the statement, sets in braces and what is defined put in its place. Raises TooManyRules."""
        found, depth = list[Token](), 0
        while self.at < len(self.tokens):
            token = self.tokens[self.at]
            if depth == 0 and token.text in {";", "}"}:
                break
            self.at += 1
            depth += {"{": 1, "}": -1}.get(token.text, 0)
            if token.text == ";":
                continue
            found += self._value(token)
        return found

    def _value(self, token: Token) -> list[Token]:
        if not token.text.startswith("$"):
            return [token]
        value = self.defined.get(token.text[1:])
        if value is None:
            # It stays as it is, and is refused where it is used.
            return [token]
        self.draft.expand(len(value))
        return [Token(each.text, token.line) for each in value]


def _priority(words: Sequence[str]) -> int:
    """`priority raw - 10`; the lowest where it is not understood."""
    said = "".join(words[words.index("priority") + 1 :]) if "priority" in words else ""
    found = re.match(r"([a-z]*)([+-]?\d*)$", said)
    if found is None or (found[1] and found[1] not in _PRIORITIES):
        return _FOLLOWS_FROM
    return _PRIORITIES.get(found[1], 0) + int(found[2] or 0)
