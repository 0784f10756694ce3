"""One more piece of evidence after the application was sent: what counts, its form, and taking it."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.files import File

from rahdari.apply import late_evidence as apply_late_evidence
from rahdari.apply import queries
from rahdari.apply.evidence_forms import LaterText
from rahdari.apply.forms import LastDayForm
from rahdari.apply.models import Application
from rahdari.apply.step_forms import PAGES
from rahdari.checks.kinds import KINDS
from rahdari.checks.models import Check
from rahdari.decide import queries as decide
from rahdari.decide.rules import NotYet, Provisional
from rahdari.policy import DocumentRule, EvidenceKind
from rahdari.policy.sorts import SORTS, EvidenceSort

from .titles import words

# Judging files takes a processor's time; a person sends so many proofs in an hour.
PROOFS, PER_SECONDS = 12, 3600


@dataclass(frozen=True)
class EvidenceOption:
    """A kind of proof that counts now: its key, title and hint, and what it wants."""

    key: str
    title: str
    hint: str
    sort: EvidenceSort
    expires: bool = False

    @property
    def note(self) -> str:
        """What is said below the form."""
        return "" if self.sort.is_file else str(PAGES[self.sort.key].later_note)


def options_of(
    application: Application, now: dt.datetime, found: Sequence[Check] | None = None
) -> list[EvidenceOption]:
    """What can be sent now; nothing where no proof is awaited. Whoever has all its checks already gives them along."""
    if application.status not in {"submitted", "granted"} or not _is_awaited(application, now, found):
        return []
    policy = queries.frozen_policy(application)
    following = [_document(rule) for rule in queries.documents_to_follow(application, policy)]
    return following or [_evidence(kind) for kind in queries.later_kinds(application)]


def _is_awaited(application: Application, now: dt.datetime, found: Sequence[Check] | None) -> bool:
    seen = decide.assessment_of(application, now, found)
    open_ones = seen.awaited if isinstance(seen, Provisional) else seen.missing if isinstance(seen, NotYet) else ()
    return any(KINDS[fact.kind].takes_proof for fact in open_ones)


def _document(rule: DocumentRule) -> EvidenceOption:
    return EvidenceOption(rule.key, words(rule.title), words(rule.hint), SORTS["document"], rule.expires)


def _evidence(kind: EvidenceKind) -> EvidenceOption:
    return EvidenceOption(kind.key, words(kind.title), words(kind.hint), kind.sort)


def form_of(application: Application, option: EvidenceOption, given: Mapping[str, Any] | None) -> forms.Form | None:
    """What is asked for besides the files; nothing of a document that names no last day."""
    if option.sort.is_file:
        return LastDayForm(given) if option.expires else None
    form = PAGES[option.sort.key].later(given, application, queries.frozen_policy(application))
    if isinstance(form, LaterText):
        form.fields["text"].label, form.fields["text"].help_text = option.title, option.hint
    return form


def offer(
    application: Application,
    option: EvidenceOption,
    data: Mapping[str, Any],
    files: "Iterable[File[bytes]]",
    *,
    actor: str,
    now: dt.datetime,
) -> None:
    """Give what was sent to the room. Raises as `apply.late_evidence.offer_proof` does."""
    most = queries.frozen_policy(application).limits.document_bytes  # what is longer is refused, unread
    apply_late_evidence.offer_proof(
        application=application,
        kind=option.key,
        text=data.get("text", ""),
        sent=[apply_late_evidence.File(file.name or "", file.read(most + 1)) for file in files],
        valid_until=data.get("valid_until"),
        actor=actor,
        now=now,
    )
