"""Which errors of the rooms become which problems. Each is one reason, with the words that the pages have for it."""

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from rahdari.apply import actions as apply
from rahdari.apply import queries as applications
from rahdari.apply import wording
from rahdari.decide import actions as decide
from rahdari.fees import queries as fees
from rahdari.letters import queries as letters
from rahdari.page.programs import Problem
from rahdari.register import actions as register
from rahdari.vault import files

from .problems import error, impossible, not_found, not_taken, problem, told


@told(
    applications.ApplicationNotFound,
    applications.EndpointNotFound,
    applications.DocumentNotFound,
    letters.LetterNotFound,
    fees.InvoiceNotFound,
    files.FileMissing,
    apply.UnknownDocumentRule,
)
def absent(found: Exception) -> Problem:
    return not_found()


@told(apply.ServiceNotOpen)
def not_open(found: apply.ServiceNotOpen) -> Problem:
    return impossible("service_not_open", _("This service takes no applications now."))


@told(apply.NotADraft)
def not_a_draft(found: apply.NotADraft) -> Problem:
    return impossible("not_a_draft", _("This application was sent, so its answers stay as they are."))


@told(apply.ChangedMeanwhile)
def changed(found: apply.ChangedMeanwhile) -> Problem:
    return problem("changed-meanwhile", _("Read it again, look at what is different, then send your change."))


@told(apply.TermsChanged)
def terms(found: apply.TermsChanged) -> Problem:
    return impossible(
        "terms_changed", _("The rules have changed since you began. Read the service and your application again.")
    )


@told(apply.MoveNotAllowed)
def decided(found: apply.MoveNotAllowed) -> Problem:
    return impossible("decided", _("It was decided before you withdrew it. Nothing was changed."))


@told(apply.FileRefused)
def file(found: apply.FileRefused) -> Problem:
    return not_taken([error("/file", str(found.reason), wording.file(found))])


@told(apply.TooManyDocuments)
def too_many(found: apply.TooManyDocuments) -> Problem:
    words = ngettext(
        "This application has %(count)s file already, which is the limit. Remove one first.",
        "This application has %(count)s files already, which is the limit. Remove one first.",
        found.limit,
    )
    return impossible("too_many_documents", words % {"count": found.limit})


@told(decide.AlreadyAnswered)
def answered(found: Exception) -> Problem:
    return impossible("answered", _("Your first answer has arrived already, and it counts."))


@told(decide.NoMoreTime)
def no_more_time(found: Exception) -> Problem:
    return impossible("no_more_time", _("More time was given already."))


@told(decide.TooLateToReopen, decide.NotPossibleNow)
def too_late(found: Exception) -> Problem:
    return impossible("too_late", _("It is too late for this answer. Apply again: it costs nothing."))


@told(register.NotValid)
def not_valid(found: Exception) -> Problem:
    return impossible("not_valid", _("This registration is no longer valid. Nothing was changed."))


@told(apply.RegistrationOver)
def over(found: Exception) -> Problem:
    return impossible("not_valid", _("This registration is no longer valid. Nothing was changed."))
