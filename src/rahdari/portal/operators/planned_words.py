"""What a pre-flight says on pages: its errors, its troubles with lines, shares of address space."""

from collections.abc import Callable, Iterable, Mapping

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from rahdari.preflight import (
    Action,
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
    Verdict,
)
from rahdari.web import values
from rahdari.web.templatetags.rahdari import comma

# How a list of a device begins.
BEGINS = "ip access-list extended NAME"


def syntax(of: Syntax) -> str:
    return _SYNTAXES[of]()


_SYNTAXES: Mapping[Syntax, Callable[[], str]] = {
    Syntax.LINES: lambda: _("One block on each line"),
    Syntax.CSV: lambda: _("CSV with names in the first row"),
    Syntax.RPSL: lambda: _("RPSL objects to withdraw"),
    Syntax.NFTABLES: lambda: "nftables",
    Syntax.CISCO: lambda: _("Cisco access lists"),
    Syntax.JUNOS: lambda: _("Junos firewall filters"),
    Syntax.MIKROTIK: lambda: _("MikroTik firewall rules"),
}


def protocols(some: Iterable[str]) -> str:
    """`UDP`; `TCP, other protocols`."""
    return comma().join(_("other protocols") if each == "other" else values.plain_ltr(each.upper()) for each in some)


def family(version: int) -> str:
    return f"IPv{version}"


def share(of: float) -> str:
    """A share of all addresses, never rounded to all or to none."""
    if of in {0, 1}:
        return _("%(number)s%%") % {"number": values.figure(100 if of else 0)}
    if of > 0.9999:
        return _("more than 99.99%")
    if of < 0.0001:
        return _("less than 0.01%")
    return _("%(number)s%%") % {"number": f"{of * 100:.2f}"}


def does(verdict: Verdict) -> str:
    """Why an entry is affected: the gravest of what the change does to it."""
    for action in (Action.DENY, Action.RENUMBER, Action.REROUTE, Action.LIMIT):
        if action in verdict.actions:
            return _DOES[action]()
    return _DOES[Action.DENY]()


_DOES: Mapping[Action, Callable[[], str]] = {
    Action.DENY: lambda: _("Denied in part, or under a condition"),
    Action.LIMIT: lambda: _("Slowed down"),
    Action.REROUTE: lambda: _("Takes another route"),
    Action.RENUMBER: lambda: _("Gets another address"),
}


def trouble(of: Unread) -> tuple[str, str]:
    """Why a line was not understood, and how to correct it."""
    near = {"word": values.plain_ltr(of.near)}
    what, mend = _TROUBLES[of.trouble]
    return what() % near, mend()


_TROUBLES: Mapping[Trouble, tuple[Callable[[], str], Callable[[], str]]] = {
    Trouble.WORD: (
        lambda: _("We do not know the word %(word)s."),
        lambda: _("Remove the line if nothing passes or stops because of it."),
    ),
    Trouble.ADDRESS: (
        lambda: _("%(word)s is not an address that fits here."),
        lambda: _("Enter an address, a prefix or a range."),
    ),
    Trouble.HOST_NAME: (
        lambda: _("%(word)s is a name. We do not look up names."),
        lambda: _("Enter its addresses."),
    ),
    Trouble.MASK: (
        lambda: _("We cannot read the mask %(word)s, or it covers too many ranges."),
        lambda: _("Enter a prefix, or a wildcard mask such as 0.0.0.255."),
    ),
    Trouble.PORT: (
        lambda: _("%(word)s is not a port."),
        lambda: _("Enter a number from 0 to 65535, or a range of numbers."),
    ),
    Trouble.PROTOCOL: (lambda: _("We do not know the protocol %(word)s."), lambda: _("Enter its number.")),
    Trouble.NOT_IN_FILE: (
        lambda: _("%(word)s is not in the file, or is empty there."),
        lambda: _("Add what it contains to the file."),
    ),
    Trouble.REMOVAL: (
        lambda: _("The line removes something that is not in the file."),
        lambda: _("Give the rules as they will be after the change."),
    ),
    Trouble.NO_ADDRESS: (lambda: _("The line has no address."), lambda: _("Enter a prefix.")),
    Trouble.NO_ACTION: (
        lambda: _("The line does not say what happens to the traffic."),
        lambda: _("Enter what the rule does."),
    ),
    Trouble.OPEN: (
        lambda: _("The line is outside a list, or a bracket near it is not closed."),
        lambda: _("Give the whole list."),
    ),
    Trouble.SEQUENCE: (
        lambda: _("%(word)s is the sequence number of a rule, and its list does not begin above it."),
        lambda: (
            _("Write the line above it that begins the list, such as: %(line)s") % {"line": values.plain_ltr(BEGINS)}
        ),
    ),
    Trouble.HOST_BITS: (
        lambda: _("%(word)s begins inside a prefix. This may be a mistake."),
        lambda: _("Enter the first address of the prefix, or the address alone."),
    ),
    Trouble.NOT_TRANSLATED: (
        lambda: _("The program that translated your rules left this rule out."),
        lambda: _("Write it as nftables by hand. Remove the line if nothing passes or stops because of it."),
    ),
    Trouble.CUT_SHORT: (
        lambda: _("The translation ends in the middle. What came after is lost."),
        lambda: _("Read the error of the program that translated, and correct the rule where it stopped."),
    ),
    Trouble.COLUMNS: (
        lambda: _("No column has a name that we know."),
        lambda: _("Name the columns in the first row."),
    ),
}


def error(of: PlanError) -> str:
    """Why a file was not read, and what to do."""
    match of:
        case TooLarge(limit=limit):
            return _("The file has more than %(most)s megabytes. Send it in parts.") % {
                "most": values.figure(limit // 2**20)
            }
        case TooManyLines(limit=limit):
            return _("The file has more than %(most)s lines. Send it in parts.") % {"most": values.figure(limit)}
        case NoText():
            return _("The file is not plain text in UTF-8. Save it as text and choose it again.")
        case NothingInIt():
            return _("Choose a file with the planned change, or paste the change.")
        case SyntaxUnknown(lines=lines):
            return ngettext(
                "We did not understand its %(count)s line. Choose how it is written.",
                "We did not understand any of its %(count)s lines. Choose how it is written.",
                lines,
            ) % {"count": values.figure(lines)}
        case OtherFormat(format=format, program=program):
            return _(
                "This is the format of %(format)s, which we do not read. Convert it with %(program)s, and send that."
            ) % {
                "format": values.plain_ltr(format),
                "program": values.plain_ltr(program),
            }
        case TooManyRules():
            return _("The change has more rules or ranges than we can judge at once. Send it in parts.")
        case TooMuch():
            return _("The change takes more memory or time than one change may. Send it in parts.")
        case Busy():
            return _("We are too busy to read the change. Try again in a few minutes.")
        case JumpsInCircle(name=name):
            return _("The list %(list)s leads back to itself. Correct the jumps.") % {"list": values.plain_ltr(name)}
    raise ValueError(of)
