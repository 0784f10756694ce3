"""What was not understood, and how to mend it, in plain English: for the agent and for programs. Pages have sentences
of their own, in both languages, by the same codes."""

from collections.abc import Mapping
from typing import Any

from rahdari.address import format_block

from .answering import Answer
from .change import (
    Busy,
    JumpsInCircle,
    NoText,
    NothingInIt,
    OtherFormat,
    PlanError,
    Syntax,
    SyntaxUnknown,
    TooLarge,
    TooManyLines,
    TooManyRules,
    TooMuch,
    Trouble,
    Unread,
)

# (what, how to mend it); {near} is the word at which it was found.
_TROUBLES: Mapping[Trouble, tuple[str, str]] = {
    Trouble.WORD: ("{near} is not known here", "Leave the line out if nothing passes or stops by it"),
    Trouble.ADDRESS: ("{near} is no address of this family", "Write an address, a prefix or a range"),
    Trouble.HOST_NAME: ("{near} is a name, and names are not looked up", "Write the addresses that it stands for"),
    Trouble.MASK: (
        "{near} is no mask that is read, or stands for too many blocks",
        "Write a prefix, or a wildcard mask such as 0.0.0.255",
    ),
    Trouble.PORT: ("{near} is no port", "Write a number from 0 to 65535, or a range such as 1194-1200"),
    Trouble.PROTOCOL: ("{near} is no protocol that is known here", "Write its number"),
    Trouble.NOT_IN_FILE: ("{near} is not in the file, or is empty there", "Put what it holds into the file"),
    Trouble.REMOVAL: ("it takes away what is not seen here", "Give the rules as they are to stand"),
    Trouble.NO_ADDRESS: ("no address is in it", "Write a prefix, or any"),
    Trouble.NO_ACTION: ("it does not say what becomes of what it fits", "Write what it does"),
    Trouble.OPEN: ("it stands outside of a list, or something is not closed at {near}", "Give the whole list"),
    Trouble.SEQUENCE: (
        "{near} is the sequence number of a rule, and the list that it belongs to does not begin above it",
        "Write the line above it that begins the list, such as ip access-list extended NAME",
    ),
    Trouble.HOST_BITS: (
        "{near} begins inside of a prefix, so it may be a mistake",
        "Write the first address of the prefix, or the address alone",
    ),
    Trouble.NOT_TRANSLATED: (
        "the program that translated the rules left this rule out",
        "Write it as nftables by hand, or leave the line out if nothing passes or stops by it",
    ),
    Trouble.CUT_SHORT: (
        "the translation ends in the middle: what came after is lost",
        "Look at the error of the program that translated, and mend the rule at which it stopped",
    ),
    Trouble.COLUMNS: ("no column is called prefix, source or destination", "Name the columns in the first row"),
}


def trouble_in_words(unread: Unread) -> tuple[str, str]:
    """Why a line was not understood, and how to mend it: two sentences without an end."""
    what, mend = _TROUBLES[unread.trouble]
    return what.format(near=repr(unread.near) if unread.near else "a word"), mend


def as_json(found: Answer) -> dict[str, Any]:
    """All of an answer but of which edition it is: counts first. Agent and interface say the same."""
    change = found.change
    return {
        "syntax": change.syntax,
        "lines": change.lines,
        "rules": change.rules,
        "of_the_machine": change.of_the_machine,
        "not_understood": change.unread_count,
        "entries": found.entries,
        "cut": found.cut,
        "affected": found.affected,
        "not_touched": found.untouched,
        "denies_by_default": found.denies_by_default,
        "by_default": list(found.by_default),
        "shares": {
            f"ipv{version}": {"whole": share.everything, "some": share.touched, **share.by_protocol}
            for version, share in found.shares.items()
        },
        "found": [
            {
                "id": entry.id,
                "address": format_block(entry.prefix),
                "protocol": entry.protocol,
                "port": entry.port,
                "state": verdict.state,
                "does": sorted(verdict.actions),
                "lines": list(verdict.lines),
            }
            for entry, verdict in found.found
        ],
        "unread": [
            {"line": each.line, "text": each.text, "trouble": each.trouble, "what": f"{what}.", "mend": f"{mend}."}
            for each in change.unread
            for what, mend in [trouble_in_words(each)]
        ],
        "note": "This says nothing of anybody else whom the change cuts.",
    }


def error_in_words(error: PlanError) -> tuple[str, str]:
    """What is wrong with a file, and how to mend it: two sentences."""
    match error:
        case TooLarge(limit=limit):
            return f"The file has more than {limit // 2**20} MiB.", "Give it in parts."
        case TooManyLines(limit=limit):
            return f"The file has more than {limit} lines.", "Give it in parts."
        case NoText(at=at):
            return f"The file is no text in UTF-8: byte {at} is none.", "Give the change as plain text."
        case NothingInIt():
            return "Nothing is in the file but empty lines and comments.", "Give the change that is planned."
        case SyntaxUnknown(lines=lines):
            known = ", ".join(Syntax)
            return f"None of the {lines} lines is understood in any syntax.", f"Say which it is; known are {known}."
        case OtherFormat(format=format, program=program):
            return (
                f"The file is written in the format of {format}, which is not read here.",
                f"Write it as nftables, and give that: {program} -f FILE.",
            )
        case TooManyRules(limit=limit):
            return (
                f"It has more rules, or more blocks in its rules, than are judged at once ({limit}).",
                "Give it in parts.",
            )
        case TooMuch():
            return "It takes more memory or time than one change may.", "Give it in parts."
        case Busy():
            return "There was no time to read it.", "Try again in a few minutes."
        case JumpsInCircle(name=name):
            return f"The list {name!r} leads back to itself.", "Mend the jumps."
    raise ValueError(error)
