"""Which errors of the rooms become which problems. Each is one reason, with the words that the pages have for it."""

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from rahdari.applicant.refusals import REFUSALS
from rahdari.applicant.registrations import RegistrationNotFound
from rahdari.applicant.representing import NotAsked
from rahdari.apply import access, bulk, drafts, form_errors, screening
from rahdari.apply import parts as apply_parts
from rahdari.apply import queries as applications
from rahdari.apply.rows import FileFault
from rahdari.complaint import queries as complaints
from rahdari.incident import queries as incidents
from rahdari.letters import queries as letters
from rahdari.people import branches
from rahdari.programs.answers import Problem
from rahdari.programs.problems import error, impossible, not_found, not_taken, problem, problem_for
from rahdari.vault import files

from .queries import WebhookNotFound
from .serializers import stamp


@problem_for(
    access.ApplicationNotFound,
    applications.EndpointNotFound,
    applications.DocumentNotFound,
    applications.AddressFileNotFound,
    complaints.ComplaintNotFound,
    incidents.IncidentNotFound,
    letters.LetterNotFound,
    RegistrationNotFound,
    NotAsked,
    WebhookNotFound,
    files.FileMissing,
    apply_parts.UnknownDocumentRule,
)
def absent(found: Exception) -> Problem:
    return not_found()


@problem_for(*REFUSALS)
def refused(found: Exception) -> Problem:
    code, words = next(REFUSALS[kind] for kind in type(found).__mro__ if kind in REFUSALS)
    moments = {name: stamp(getattr(found, name)) for name in ("again_at", "opens_at") if hasattr(found, name)}
    return impossible(code, words, **moments)


@problem_for(drafts.ChangedMeanwhile)
def changed(found: drafts.ChangedMeanwhile) -> Problem:
    return problem("changed-meanwhile", _("Read it again, look at what is different, then send your change."))


@problem_for(screening.FileRefused)
def file(found: screening.FileRefused) -> Problem:
    return not_taken([error("/file", str(found.reason), form_errors.file(found))])


@problem_for(apply_parts.TooManyDocuments)
def too_many(found: apply_parts.TooManyDocuments) -> Problem:
    words = ngettext(
        "This application has %(count)s file already, which is the limit. Remove one first.",
        "This application has %(count)s files already, which is the limit. Remove one first.",
        found.limit,
    )
    return impossible("too_many_documents", words % {"count": found.limit})


@problem_for(drafts.TooManyDrafts)
def too_many_drafts(found: drafts.TooManyDrafts) -> Problem:
    return impossible("too_many_drafts", form_errors.too_many_drafts(found.limit))


@problem_for(bulk.TooManyFiles)
def too_many_files(found: bulk.TooManyFiles) -> Problem:
    return impossible("too_many_files", form_errors.too_many_files(found.limit))


@problem_for(bulk.FileTooLarge)
def rows_too_large(found: Exception) -> Problem:
    return not_taken([error("", "too_large", form_errors.rows_file(FileFault.TOO_LARGE, most_rows=0))])


@problem_for(branches.TooManyBranches)
def too_many_branches(found: branches.TooManyBranches) -> Problem:
    return impossible("too_many_branches", form_errors.branches_full(found.limit))
