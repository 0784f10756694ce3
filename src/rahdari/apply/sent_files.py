"""Files that came with a form: each is kept or answered with a sentence, and none holds up the others."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from rahdari.people.access import person
from rahdari.policy import Policy
from rahdari.web import limits

from . import drafts, form_errors, late_evidence, parts, rules, screening

MOST_AT_ONCE = 10
# After so many seconds no other file of the form is begun: a proxy waits a minute for the page, and others wait, too.
SECONDS_OF_A_FORM = 20


@dataclass(frozen=True)
class Refused:
    """A file that was not kept: its name, what is wrong in a sentence, and the id that the summary links to."""

    id: str
    name: str
    size: str
    problem: str


def accepted(policy: Policy) -> str:
    kinds = policy.limits.document_types
    return ",".join(f".{ending}" for kind in kinds for ending in screening.EXTENSIONS.get(kind, ()))


def take_in(
    request: HttpRequest, policy: Policy, keep: Callable[[str, bytes], object], *, owner: str = ""
) -> tuple[int, list[Refused]]:
    """Give each file that came with the form to `keep` (its name, its bytes); one that cannot be kept does not hold up
    the others. How many were sent, and which were refused, each with a sentence. `owner`: by whom they are counted,
    where nobody is signed in."""
    owner = owner or str(person(request).pk)
    chosen = request.FILES.getlist("file")
    refused = []
    began = time.monotonic()
    for number, file in enumerate(chosen, start=1):
        name, size = screening.shown_name(file.name or ""), file.size or 0
        problem = ""
        if number > MOST_AT_ONCE:
            problem = ngettext(
                "Send %(count)s file at a time at most.", "Send %(count)s files at a time at most.", MOST_AT_ONCE
            ) % {"count": MOST_AT_ONCE}
        elif size > policy.limits.document_bytes:  # not read into memory at all
            problem = form_errors.file(
                screening.FileRefused(screening.FileFault.TOO_BIG, name, limit=policy.limits.document_bytes)
            )
        elif time.monotonic() - began > SECONDS_OF_A_FORM:
            problem = _("The files before this one took too long. Send this one again.")
        elif not (taken := limits.take(f"apply.upload:{owner}", rate=rules.FILES, per=rules.PER_SECONDS)).allowed:
            problem = form_errors.files_too_often(taken.wait)
        else:
            problem = _problem_with(keep, file.name or "", file.read())
        if problem:
            refused.append(Refused(f"f{number}", name, form_errors.megabytes(size), problem))
    return len(chosen), refused


def _problem_with(keep: Callable[[str, bytes], object], name: str, content: bytes) -> str:
    try:
        keep(name, content)
    except screening.FileRefused as error:
        return form_errors.file(error)
    except parts.TooManyDocuments as error:
        return ngettext(
            "%(count)s file is here already, which is the limit. Remove it first.",
            "%(count)s files are here already, which is the limit. Remove one first.",
            error.limit,
        ) % {"count": error.limit}
    except drafts.NotADraft:
        return _("This application was sent, so its answers stay as they are.")
    except late_evidence.NothingAwaited:
        return _("This application has ended, so you can no longer add files to it.")
    return ""
