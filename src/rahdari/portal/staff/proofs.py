"""The officers' list of addresses whose proof could not be repeated.

It asks for no act: an entry stays until an officer decides otherwise in the usual way.
"""

import uuid
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from rahdari.address import directory, format_block
from rahdari.people.access import officer_required
from rahdari.register import queries as register
from rahdari.register.models import Entry
from rahdari.verify import queries as proofs
from rahdari.verify import way_words
from rahdari.verify.models import Reproof

SHOWN = 200


@dataclass(frozen=True)
class Row:
    reproof: Reproof
    entry: Entry
    address: str
    operator: str
    way: str

    @property
    def is_for_another_network(self) -> bool:
        return self.reproof.occasion.startswith("reroute:")


@officer_required
@never_cache
@require_safe
def proofs_in_vain(request: HttpRequest) -> HttpResponse:
    found = list(proofs.reproofs_in_vain()[:SHOWN])
    entries = register.active_by_id(uuid.UUID(each.about.removeprefix("entry:")) for each in found)
    known = directory.current()
    rows = [
        Row(
            each,
            entry,
            format_block(entry.block),
            (known.organisation(entry.asn) if entry.asn is not None else None) or "",
            way_words.title(each.proof.method),
        )
        for each in found
        if (entry := entries.get(uuid.UUID(each.about.removeprefix("entry:")))) is not None
    ]
    return render(request, "portal/staff/proofs.html", {"rows": rows})
