"""The terms under which the feed is read, and whether they are accepted here.

An agent that was set up before there were terms, or under others, goes on as before: it follows, places and tells. It
says that they are not accepted, and its receipts do not name them.
"""

import sys

from rahdari.feed.terms import SHORT, TERMS, names_terms, terms_page

from .configuration import Configuration
from .faults import AgentFault, Exit

UPGRADE = "Upgrade rahdari on this machine to the release that the authority names: it brings them."


class TermsNotAccepted(AgentFault):
    """A note: everything goes on."""

    exit = Exit.OK

    def __init__(self) -> None:
        super().__init__(
            "The terms of the feed are not accepted on this machine. Everything goes on; the authority sees it.",
            "Read them with `rahdari agent terms`, accept them with `rahdari agent terms --accept`, and start the "
            "agent anew.",
        )


class OtherTerms(AgentFault):
    """A note, as above."""

    exit = Exit.OK

    def __init__(self, named: str, accepted: str) -> None:
        super().__init__(
            f"The feed goes under the terms {named[:SHORT]}, and on this machine {accepted[:SHORT]} are accepted. "
            "Everything goes on; the authority sees it.",
            "Read the new ones with `rahdari agent terms`, accept them with `rahdari agent terms --accept`, and start "
            "the agent anew."
            if named == TERMS
            else UPGRADE,
        )


class TermsRefused(AgentFault):
    exit = Exit.USAGE

    def __init__(self, why: str, option: str) -> None:
        super().__init__(
            f"{why} Nothing was changed.",
            "Read them with `rahdari agent terms`. On a terminal you are asked; elsewhere give "
            f"{option} {TERMS[:SHORT]} once you accept them.",
        )


def terms_note(configuration: Configuration, named: str) -> AgentFault | None:
    """What is to be said of the terms. `named`: those that the feed's metadata name, or empty."""
    if not configuration.terms:
        return TermsNotAccepted()
    if named and configuration.terms != named:
        return OtherTerms(named, configuration.terms)
    return None


def accept_terms(given: str, option: str) -> str:
    """The digest of the terms once they are accepted, by the digest that was given or on the terminal.

    Raises TermsRefused.
    """
    if given:
        if not names_terms(given):
            raise TermsRefused(f"{given} is not the digest of the terms of the feed.", option)
        return TERMS
    if not sys.stdin.isatty():
        raise TermsRefused("The terms of the feed have to be accepted first.", option)
    print(terms_page().decode())
    try:
        answer = input('Type "yes" to accept these terms: ')
    except EOFError:
        answer = ""
    if answer.strip().lower() != "yes":
        raise TermsRefused("The terms of the feed were not accepted.", option)
    return TERMS
