"""Which errors of the rooms become which problems. Each is one reason, with the words that the pages have for it."""

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from rahdari.applicant.registrations import RegistrationNotFound
from rahdari.applicant.representing import NotAsked
from rahdari.apply import actions as apply
from rahdari.apply import form_errors
from rahdari.apply import queries as applications
from rahdari.apply.rows import FileFault
from rahdari.control import actions as control
from rahdari.decide import actions as decide
from rahdari.fees import queries as fees
from rahdari.inquiry.kinds import NoLongerOpen
from rahdari.letters import queries as letters
from rahdari.people import actions as people
from rahdari.programs.answers import Problem
from rahdari.programs.problems import error, impossible, not_found, not_taken, problem, told
from rahdari.register import actions as register
from rahdari.share import actions as share
from rahdari.share import queries as sharing
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
    fees.InvoiceNotFound,
    files.FileMissing,
    apply.UnknownDocumentRule,
    sharing.NotFound,
)
def absent(found: Exception) -> Problem:
    return not_found()


@told(apply.ServiceNotOpen)
def not_open(found: apply.ServiceNotOpen) -> Problem:
    return impossible("service_not_open", _("This service accepts no applications at the moment."))


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


@told(decide.AlreadyAnswered)
def answered(found: Exception) -> Problem:
    return impossible("answered", _("Your first answer has already arrived, and it is the one we use."))


@told(decide.NoMoreTime)
def no_more_time(found: Exception) -> Problem:
    return impossible("no_more_time", _("More time was given already."))


@told(decide.TooLateToReopen, decide.NotPossibleNow)
def too_late(found: Exception) -> Problem:
    return impossible("too_late", _("It is too late for this answer. Apply again: it costs nothing."))


@told(register.NotValid, apply.RegistrationOver)
def not_valid(found: Exception) -> Problem:
    return impossible("not_valid", _("This registration is not valid now. Nothing was changed."))


@told(register.SharedWithOthers)
def shared(found: Exception) -> Problem:
    return impossible("shared", _("This address is shared. Add the other protocol or port, and remove this one."))


@told(share.NoName)
def no_name(found: Exception) -> Problem:
    return not_taken([error("/name", "required", _("Write the name that they will see"))])


@told(share.TooSoon)
def asked_too_soon(found: share.TooSoon) -> Problem:
    words = _("They said no, or did not answer. You may ask them again later; or ask your operator for an address.")
    return impossible("too_soon", words, again_at=stamp(found.again_at))


@told(share.CannotBeShared)
def cannot_be_shared(found: Exception) -> Problem:
    words = _("It cannot be shared: it belongs to a range of theirs, or it changes from time to time.")
    return impossible("cannot_be_shared", words)


@told(NoLongerOpen)
def no_longer_open(found: Exception) -> Problem:
    words = _("The time to answer has ended, or they no longer ask. Nothing has changed for you.")
    return impossible("not_open", words)


@told(apply.TooEarlyToRenew)
def too_early(found: apply.TooEarlyToRenew) -> Problem:
    return impossible("too_early", _("Renewal opens later."), opens_at=stamp(found.opens_at))


@told(apply.NothingAwaited, apply.ProofNotAccepted)
def not_awaited(found: Exception) -> Problem:
    return impossible("not_awaited", _("We are not waiting for anything from you. Your application shows its status."))


@told(control.TooSoonToLook)
def too_soon(found: control.TooSoonToLook) -> Problem:
    return impossible(
        "too_soon", _("We checked a moment ago. Try again a little later."), again_at=stamp(found.again_at)
    )


@told(control.TooManyLooks)
def too_many_looks(found: Exception) -> Problem:
    return impossible(
        "too_many_looks", _("We have reached the limit of checks for this method. Choose another method.")
    )


@told(control.ChallengeNotPending)
def not_pending(found: Exception) -> Problem:
    return impossible("not_pending", _("This method is closed: the address is proved, or the time for it has ended."))


@told(decide.NotYours)
def not_yours(found: decide.NotYours) -> Problem:
    return impossible("not_at_request", _("The holder did not end or suspend it. Read the letter about it."))


@told(decide.TooLate)
def too_late_to_undo(found: decide.TooLate) -> Problem:
    return impossible("too_late", _("This cannot be undone any more. You can apply again."))
