"""Planned changes: an operator asks what one would cut of the registered entries of its networks, before it is made.

Invariants: what is sent goes through memory once; it is in no row, no log, no session and no file, also not one that is
there only while the request lasts. Only entries that the operator's own editions list are named.
"""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.files.uploadhandler import MemoryFileUploadHandler
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods

from rahdari.address import Endpoint, Part, Protocol
from rahdari.apply import screening
from rahdari.people import queries as people
from rahdari.people.access import operator_required, person
from rahdari.preflight import MOST_BYTES, Answer, Found, PlanError, State, Syntax
from rahdari.publish import looking_ahead
from rahdari.publish import queries as publish
from rahdari.web import errors, limits, values

from . import change_notices
from . import planned_words as words

# What is shown of each sort; the operators' interface tells all of them.
SHOWN = 200
SHOWN_LINES = 50
# A look costs about a second of the processor.
RATE, PER = 60, 3600


class OnlyInMemory(MemoryFileUploadHandler):
    """Never a file on the disk; what is beyond the bound is let go."""

    def handle_raw_input(self, input_data: Any, META: Any, content_length: int, *more: Any, **given: Any) -> None:  # noqa: N803
        self.activated = True

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        return super().receive_data_chunk(raw_data, start) if start <= MOST_BYTES else None


class ChangeForm(forms.Form):
    use_required_attribute = False
    plan = forms.FileField(
        label=gettext_lazy("File with the planned change"),
        required=False,
        allow_empty_file=True,
        help_text=gettext_lazy(
            "Prefixes, CSV, RPSL, or rules of nftables, Cisco, Junos or MikroTik. Text, up to 4 megabytes."
        ),
        widget=forms.FileInput(attrs={"class": "input drop"}),
    )
    pasted = forms.CharField(
        label=gettext_lazy("Or paste it"),
        required=False,
        strip=False,
        help_text=gettext_lazy("Up to 2 megabytes."),
        widget=forms.Textarea(attrs={"rows": 8, "dir": "ltr", "spellcheck": "false", "class": "input mono"}),
    )
    syntax = forms.ChoiceField(
        label=gettext_lazy("How it is written"),
        required=False,
        error_messages={"invalid_choice": gettext_lazy("Choose how it is written.")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        syntax = self.fields["syntax"]
        assert isinstance(syntax, forms.ChoiceField)  # noqa: S101 - as above
        syntax.choices = [("", _("Find out by reading it")), *((each.value, words.syntax(each)) for each in Syntax)]

    def content(self) -> bytes:
        given = self.cleaned_data
        content: bytes = given["plan"].read() if given.get("plan") else given.get("pasted", "").encode()
        return content


@csrf_exempt
@operator_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def planned_changes(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        # Before anything reads what was sent, so the protection of forms comes after it.
        request.upload_handlers = [OnlyInMemory(request)]
    return _looked(request)


@csrf_protect
def _looked(request: HttpRequest) -> HttpResponse:
    operator = publish.operator_by_slug(people.operator_of(person(request)) or "")
    if operator is None or not operator.active:
        # The post names an operator that is not, or no longer, in the list.
        return errors.no_access(request)
    posted = request.method == "POST"
    form = ChangeForm(*((request.POST, request.FILES) if posted else ()))
    context: dict[str, Any] = {"form": form, "operator": operator}
    if posted and form.is_valid():
        if not limits.allow(f"preflight:{operator.slug}", rate=RATE, per=PER):
            return errors.too_many(request)
        try:
            syntax = form.cleaned_data["syntax"]
            change = screening.read_change(form.content(), Syntax(syntax) if syntax else None)
            found = looking_ahead.look_ahead(operator=operator, change=change)
        except PlanError as error:
            form.add_error("plan", words.error(error))
        else:
            context |= _told(found, looking_ahead.edition_of(operator))
            return render(request, "portal/operator/planned_change.html", context)
    return render(request, "portal/operator/planned_changes.html", context, status=422 if posted else 200)


def _told(found: Answer, edition: int) -> dict[str, Any]:
    change = found.change
    cut = [each for each in found.found if each.verdict.state is State.CUT]
    affected = [each for each in found.found if each.verdict.state is State.AFFECTED]
    return {
        "found": found,
        "edition": edition,
        "heading": heading(found),
        "protocols": words.protocols(found.by_default),
        "notice": change_notices.offered(found),
        "most_in_notice": change_notices.most(),
        "syntax": words.syntax(change.syntax),
        "shares": [(words.family(version), words.share(share.touched)) for version, share in found.shares.items()],
        "cut": rows(cut[:SHOWN]),
        "affected": rows(affected[:SHOWN]),
        "more_cut": max(found.cut - min(len(cut), SHOWN), 0),
        "more_affected": max(found.affected - min(len(affected), SHOWN), 0),
        "unread": [(each, *words.trouble(each)) for each in change.unread[:SHOWN_LINES]],
        "more_unread": max(change.unread_count - SHOWN_LINES, 0),
    }


def heading(found: Answer) -> str:
    if found.denies_all_of_others:
        return _("This change cuts everybody whom it does not name")
    if found.by_default:
        some = {"protocols": words.protocols(found.by_default)}
        return _("This change cuts %(protocols)s of everybody whom it does not name") % some
    if found.denies_by_default:
        return _("This change cuts off most of all addresses")
    if found.cut:
        return ngettext(
            "%(count)s registered entry would be cut", "%(count)s registered entries would be cut", found.cut
        ) % {"count": values.figure(found.cut)}
    if found.affected:
        return ngettext(
            "%(count)s registered entry would be affected",
            "%(count)s registered entries would be affected",
            found.affected,
        ) % {"count": values.figure(found.affected)}
    if found.change.unread_count:
        return ngettext(
            "Not judged because of %(count)s line", "Not judged because of %(count)s lines", found.change.unread_count
        ) % {"count": values.figure(found.change.unread_count)}
    return _("No registered entry is named")


def rows(found: Iterable[Found]) -> list[dict[str, Any]]:
    """What a table shows of each: its address and service, its number in the feed, the lines that decide, why."""
    return [
        {
            "endpoint": Endpoint(entry.prefix, (Part(Protocol(entry.protocol), entry.port),)),
            "id": entry.id,
            "lines": ", ".join(map(values.figure, verdict.lines[:3])) + ("…" if len(verdict.lines) > 3 else ""),
            "does": words.does(verdict),
        }
        for entry, verdict in found
    ]
