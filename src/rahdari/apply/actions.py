"""What an applicant does with an application, and what the line and a decision do to it.

Invariants: every act locks the application's row first, so two tabs act one after the other; answers change only
while it is a draft; an act done twice is done once; what was sent keeps the rules it was sent under; no answer goes
into the journal.
"""

from .again import RegistrationOver, TooEarlyToRenew, apply_again, renewal_opens_at
from .bulk import (
    Added,
    NewEndpoint,
    add_endpoints,
    add_from_file,
    delete_old_address_files,
    forget_file,
    keep_file,
    place_endpoints,
    replace_rows,
)
from .drafts import (
    ChangedMeanwhile,
    NotADraft,
    ServiceNotOpen,
    save_company,
    save_contact,
    save_evidence,
    save_person,
    save_purpose,
    start_application,
)
from .erasing import erase_documents, with_papers_due
from .later import File, NothingAwaited, ProofNotAccepted, forget_client, mark_taken_in, offer_proof
from .parts import (
    EndpointNotTaken,
    TooManyDocuments,
    UnknownDocumentRule,
    add_endpoint,
    attach_document,
    change_endpoint,
    date_documents,
    forget_subscribers,
    hear_address,
    note_subscriber,
    remove_document,
    remove_endpoint,
)
from .screening import FileFault, FileRefused
from .sending import (
    EndpointsInTrouble,
    MoveNotAllowed,
    StepsMissing,
    TermsChanged,
    close_application,
    mark_checks_opened,
    reopen_application,
    submit_application,
    withdraw_application,
)
from .tidying import delete_idle_draft

__all__ = [
    "Added",
    "ChangedMeanwhile",
    "EndpointNotTaken",
    "EndpointsInTrouble",
    "File",
    "FileFault",
    "FileRefused",
    "MoveNotAllowed",
    "NewEndpoint",
    "NotADraft",
    "NothingAwaited",
    "ProofNotAccepted",
    "RegistrationOver",
    "ServiceNotOpen",
    "StepsMissing",
    "TermsChanged",
    "TooEarlyToRenew",
    "TooManyDocuments",
    "UnknownDocumentRule",
    "add_endpoint",
    "add_endpoints",
    "add_from_file",
    "apply_again",
    "attach_document",
    "change_endpoint",
    "close_application",
    "date_documents",
    "delete_idle_draft",
    "delete_old_address_files",
    "erase_documents",
    "forget_client",
    "forget_file",
    "forget_subscribers",
    "hear_address",
    "keep_file",
    "mark_checks_opened",
    "mark_taken_in",
    "note_subscriber",
    "offer_proof",
    "place_endpoints",
    "remove_document",
    "remove_endpoint",
    "renewal_opens_at",
    "reopen_application",
    "replace_rows",
    "save_company",
    "save_contact",
    "save_evidence",
    "save_person",
    "save_purpose",
    "start_application",
    "submit_application",
    "with_papers_due",
    "withdraw_application",
]
