"""The officers' list of addresses whose proof could not be repeated.

It asks for no act: an entry stays until an officer decides otherwise in the usual way. Each page is a look that its
holders read.
"""

import uuid
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from rahdari.address import directory, format_block
from rahdari.control import method_words
from rahdari.control import queries as proofs
from rahdari.control.models import Reproof
from rahdari.decide import desk, unreached_addresses
from rahdari.people.access import officer_required, person
from rahdari.register import queries as register
from rahdari.register.models import Entry

SHOWN = 200


@dataclass(frozen=True)
class ProofRow:
    reproof: Reproof
    entry: Entry
    address: str
    operator: str
    method: str

    @property
    def is_for_another_network(self) -> bool:
        return self.reproof.occasion.startswith("reroute:")


@officer_required
@never_cache
@require_safe
def proofs_in_vain(request: HttpRequest) -> HttpResponse:
    officer = person(request)
    found = {uuid.UUID(each.about.removeprefix("entry:")): each for each in proofs.reproofs_in_vain()[:SHOWN]}
    entries = register.active_by_id(found)
    listed = unreached_addresses.with_files([entries[key] for key in found if key in entries], officer=officer)
    known = directory.current()
    rows = [
        ProofRow(
            found[entry.pk],
            entry,
            format_block(entry.block),
            (known.organisation(entry.asn) if entry.asn is not None else None) or "",
            method_words.title(found[entry.pk].proof.method),
        )
        for entry, _file in listed
    ]
    desk.record_looks([file for _entry, file in listed], officer=officer, where="proofs", now=timezone.now())
    return render(request, "portal/staff/proofs.html", {"rows": rows})
