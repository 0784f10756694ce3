"""Which errors of the rooms become which problems. Each is one reason, with the words that the pages have for it."""

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from rahdari.applicant.refusals import REFUSALS
from rahdari.applicant.registrations import RegistrationNotFound
from rahdari.applicant.representing import NotAsked
from rahdari.apply import actions as apply
from rahdari.apply import form_errors
from rahdari.apply import queries as applications
from rahdari.apply.rows import FileFault
from rahdari.letters import queries as letters
from rahdari.people import actions as people
from rahdari.programs.answers import Problem
from rahdari.programs.problems import error, impossible, not_found, not_taken, problem, told
from rahdari.vault import files

from .queries import WebhookNotFound
from .serializers import stamp


@told(
    applications.ApplicationNotFound,
    applications.EndpointNotFound,
    applications.DocumentNotFound,
    applications.AddressFileNotFound,
    letters.LetterNotFound,
    RegistrationNotFound,
    NotAsked,
    WebhookNotFound,
    files.FileMissing,
    apply.UnknownDocumentRule,
)
def absent(found: Exception) -> Problem:
    return not_found()


@told(*REFUSALS)
def refused(found: Exception) -> Problem:
    code, words = next(REFUSALS[kind] for kind in type(found).__mro__ if kind in REFUSALS)
    moments = {name: stamp(getattr(found, name)) for name in ("again_at", "opens_at") if hasattr(found, name)}
    return impossible(code, words, **moments)


@told(apply.ChangedMeanwhile)
def changed(found: apply.ChangedMeanwhile) -> Problem:
    return problem("changed-meanwhile", _("Read it again, look at what is different, then send your change."))


@told(apply.FileRefused)
def file(found: apply.FileRefused) -> Problem:
    return not_taken([error("/file", str(found.reason), form_errors.file(found))])


@told(apply.TooManyDocuments)
def too_many(found: apply.TooManyDocuments) -> Problem:
    words = ngettext(
        "This application has %(count)s file already, which is the limit. Remove one first.",
        "This application has %(count)s files already, which is the limit. Remove one first.",
        found.limit,
    )
    return impossible("too_many_documents", words % {"count": found.limit})


@told(apply.TooManyDrafts)
def too_many_drafts(found: apply.TooManyDrafts) -> Problem:
    return impossible("too_many_drafts", form_errors.too_many_drafts(found.limit))


@told(apply.TooManyFiles)
def too_many_files(found: apply.TooManyFiles) -> Problem:
    return impossible("too_many_files", form_errors.too_many_files(found.limit))


@told(apply.FileTooLarge)
def rows_too_large(found: Exception) -> Problem:
    return not_taken([error("", "too_large", form_errors.rows_file(FileFault.TOO_LARGE, most_rows=0))])


@told(people.TooManyBranches)
def too_many_branches(found: people.TooManyBranches) -> Problem:
    return impossible("too_many_branches", form_errors.branches_full(found.limit))
