"""Who is asked by letter and answers by its link. Each party is declared here once, with all that it reads.

`%(name)s` is the name of whoever applies, and all that a party learns of them.
"""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from rahdari.web import values

type Words = str | Promise


@dataclass(frozen=True)
class Party:
    """`key` begins the findings of the kind of `check` that it answers (`checks.declared`). `subject` and `reminder`
    head its letters, `title` its page; `whom` is what the applicant calls it while it is not asked yet."""

    key: str
    check: str
    whom: Words
    subject: Words
    reminder: Words
    title: Words
    question: Words
    lead: Words
    confirms: Words
    nothing_else: Words
    yes: Words
    no: Words
    yes_text: Words
    no_text: Words

    def asks(self, name: str) -> SafeString:
        return _named(self.question, name)

    def confirmed(self, name: str) -> SafeString:
        return _named(self.confirms, name)


def _named(words: Words, name: str) -> SafeString:
    return format_html(str(words).replace("%(name)s", "{}"), values.quoted_name(name))


CLIENT = Party(
    key="client",
    check="employer",
    whom=_("Your client or employer"),
    subject=_("A question: does this person work for you?"),
    reminder=_("Reminder: does this person work for you?"),
    title=_("One question about your work together"),
    question=_("Does %(name)s work for you?"),
    lead=_(
        "Somebody of this name asks us to register their internet connection, so that operators spare it while they "
        "work. They chose the name; we have not checked it. They named you as somebody who can confirm that they work "
        "for you."
    ),
    confirms=_("That %(name)s works for you or for your organisation, with or without a contract."),
    nothing_else=_("Nothing else. We do not ask what the work is, what it pays, or when it began."),
    yes=_("Yes, they work for us"),
    no=_("No, they do not"),
    yes_text=_("You confirmed that they work for you. You need not do anything else."),
    no_text=_("You said that they do not work for you. A person looks at it before anything is decided."),
)

PARTIES = {each.key: each for each in (CLIENT,)}
BY_CHECK = {each.check: each for each in PARTIES.values()}
