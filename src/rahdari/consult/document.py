"""A draft as its file says it: clauses with ids, in both languages. Pure: no database, no clock.

Invariants: a clause is known by its id alone, and an id never changes what it is about; the same text gives the same
bytes, and so the same digest, on every machine. The form of the file is in docs/consult.md, why it is TOML in ADR 0043.
"""

import hashlib
import json
import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rahdari.policy import Text

FORMAT = 1
LANGUAGES = ("en", "ur")
MOST_CLAUSES, LONGEST = 200, 5_000
_ID = re.compile(r"[0-9a-z]+([.-][0-9a-z]+)*")
_KEY = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class DraftError(Exception):
    """The file is no draft that may be published. `.problems`: a sentence each, with the place in the file."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Clause:
    """`text` is what the draft says, None where it drops the clause; `in_force` what is the rule today, None where
    there is none."""

    id: str
    title: Text
    text: Text | None
    in_force: Text | None

    def says(self, language: str) -> str:
        return self.text.in_language(language) if self.text else ""

    def said(self, language: str) -> str:
        """In force today."""
        return self.in_force.in_language(language) if self.in_force else ""


@dataclass(frozen=True, slots=True)
class Document:
    """`why` is what was seen that asks for the change, `cost` what it takes."""

    key: str
    title: Text
    lead: Text
    why: Text
    cost: Text | None
    clauses: tuple[Clause, ...]

    def clause(self, id: str) -> Clause | None:
        return next((each for each in self.clauses if each.id == id), None)

    def texts(self, language: str) -> dict[str, str]:
        """What each clause says, by its id, in the order of the draft."""
        return {each.id: each.says(language) for each in self.clauses}

    def differing(self, before: "Document") -> list[str]:
        """Ids of clauses that say something else than before, or are new."""
        return [each.id for each in self.clauses if not self.reads_as(before, each.id)]

    def reads_as(self, before: "Document", id: str) -> bool:
        """Whether the clause says the same as before, or is in neither."""
        now, then = self.clause(id), before.clause(id)
        return now.text == then.text if now and then else now is then

    def frozen(self) -> dict[str, Any]:
        """Plain JSON, which `thawed` reads back."""

        def both(text: Text | None) -> dict[str, str] | None:
            return {"en": text.en, "ur": text.ur} if text is not None else None

        clauses = [
            {"id": each.id, "title": both(each.title), "text": both(each.text), "in_force": both(each.in_force)}
            for each in self.clauses
        ]
        said = {name: both(getattr(self, name)) for name in ("title", "lead", "why", "cost")}
        return {"format": FORMAT, "key": self.key, **said, "clauses": clauses}

    @property
    def digest(self) -> str:
        """SHA-256 of its canonical JSON: 64 hex digits."""
        canonical = json.dumps(self.frozen(), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()


def thawed(data: Mapping[str, Any]) -> Document:
    """What `frozen` gave. It was judged when it was published."""

    def both(text: Mapping[str, str] | None) -> Text | None:
        return Text(text["en"], text["ur"]) if text is not None else None

    def must(text: Mapping[str, str]) -> Text:
        return Text(text["en"], text["ur"])

    clauses = (Clause(c["id"], must(c["title"]), both(c["text"]), both(c["in_force"])) for c in data["clauses"])
    lead, why = must(data["lead"]), must(data["why"])
    return Document(data["key"], must(data["title"]), lead, why, both(data["cost"]), tuple(clauses))


def read(text: str) -> Document:
    """The draft of this text (TOML). Raises DraftError with every problem."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DraftError([f"This is not TOML: {error}."]) from error
    except RecursionError:
        raise DraftError(["This is not TOML: it is nested too deep."]) from None
    judge = _Judge()
    found = judge.document(data)
    if judge.problems:
        raise DraftError(judge.problems)
    return found


def taken_back_by(versions: Sequence[Document], id: str, before: int) -> int | None:
    """Which of all versions took the change of a clause back that reads in the latest one as in the one of the number
    `before`; None where none in between reads otherwise."""
    since = None
    for number in range(len(versions), before, -1):
        if not versions[number - 1].reads_as(versions[before - 1], id):
            return since
        since = number
    return None


def judge_next(document: Document, earlier: Iterable[Document]) -> None:
    """Raises DraftError where an id stands for another clause than in an earlier version: who commented on 9.1 meant
    that clause, also in later versions."""
    known: dict[str, str] = {}
    keys = set()
    for each in earlier:
        keys.add(each.key)
        known |= {clause.id: clause.title.en for clause in each.clauses}
    problems = [
        f'clauses.{clause.id}: this id was "{known[clause.id]}" before. Another clause takes another id.'
        for clause in document.clauses
        if known.get(clause.id, clause.title.en) != clause.title.en
    ]
    if keys - {document.key}:
        problems.append(f"key: this is version of {', '.join(sorted(keys))}.")
    if problems:
        raise DraftError(problems)


class _Judge:
    """Reads a document and collects what is wrong; a harmless stand-in takes the place of what is."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def document(self, data: Mapping[str, Any]) -> Document:
        if data.get("format") != FORMAT:
            self.problems.append(f"format: this version of Rahdari reads drafts of format {FORMAT}.")
        self._known(data, "", {"format", "key", "title", "lead", "why", "cost", "clauses"})
        key = data.get("key")
        if not isinstance(key, str) or not _KEY.fullmatch(key) or len(key) > 60:
            self.problems.append("key: small letters, digits and hyphens, 60 at most.")
        clauses = data.get("clauses")
        if not isinstance(clauses, list) or not 1 <= len(clauses) <= MOST_CLAUSES:
            self.problems.append(f"clauses: between 1 and {MOST_CLAUSES} tables [[clauses]].")
            clauses = []
        read = tuple(self._clause(each, place) for place, each in enumerate(clauses, 1))
        ids = [each.id for each in read]
        twice = sorted({each for each in ids if ids.count(each) > 1})
        self.problems += [f"clauses.{each}: this id stands twice." for each in twice]
        title, lead, why = (self._must(data, name, name) for name in ("title", "lead", "why"))
        return Document(str(key), title, lead, why, self._text(data, "cost", "cost"), read)

    def _clause(self, data: Any, place: int) -> Clause:
        nothing = Text("", "")
        if not isinstance(data, Mapping):
            self.problems.append(f"clauses, number {place}: this is no table.")
            return Clause("", nothing, None, None)
        id = data.get("id")
        if not isinstance(id, str) or not _ID.fullmatch(id) or len(id) > 20:
            self.problems.append(f'clauses, number {place}: an id is such as "9.1", 20 characters at most.')
            id = str(place)
        where = f"clauses.{id}"
        self._known(data, f"{where}.", {"id", "title", "text", "in_force"})
        text, in_force = self._text(data, "text", where), self._text(data, "in_force", where)
        if text is None and in_force is None:
            self.problems.append(f"{where}: neither a text nor a rule in force.")
        return Clause(id, self._must(data, "title", where), text, in_force)

    def _must(self, data: Mapping[str, Any], key: str, where: str) -> Text:
        found = self._text(data, key, where)
        if found is None and key not in data:
            self.problems.append(f"{where}: {key} is missing.")
        return found or Text("", "")

    def _text(self, data: Mapping[str, Any], key: str, where: str) -> Text | None:
        """Both languages, each filled: a draft that is known in one language only can be answered by half."""
        given = data.get(key)
        if given is None:
            return None
        if not isinstance(given, Mapping) or set(given) != set(LANGUAGES):
            self.problems.append(f'{where}: {key} gives both languages: {{ en = "...", ur = "..." }}.')
            return None
        said = {}
        for language in LANGUAGES:
            words = given[language]
            if not isinstance(words, str) or not words.strip() or len(words) > LONGEST:
                self.problems.append(f"{where}: {key}.{language} is a text of 1 to {LONGEST} characters.")
                return None
            said[language] = plain(words)
        if not re.search(r"[\u0600-\u06ff]", said["ur"]):
            self.problems.append(f"{where}: {key}.ur holds no Urdu letter.")
        return Text(**said)

    def _known(self, data: Mapping[str, Any], where: str, names: set[str]) -> None:
        self.problems += [f"{where}{each}: this key is not known here." for each in data if each not in names]


def plain(words: str) -> str:
    """One form for what looks the same: composed letters (NFC), one space between words."""
    return " ".join(unicodedata.normalize("NFC", words).split())
