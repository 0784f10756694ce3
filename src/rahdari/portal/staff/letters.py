"""Every letter and every short note as they would go out, with made-up facts: for whoever answers for their words."""

from dataclasses import dataclass

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from rahdari.letters import previews, writing
from rahdari.people.access import staff_required
from rahdari.portal.letter_body import body_of


@dataclass(frozen=True)
class Shown:
    """A letter in one language, in the parts that its page has."""

    one: previews.InOneLanguage
    header: SafeString
    body: SafeString
    footer: SafeString

    @property
    def direction(self) -> str:
        return "rtl" if self.one.language == "ur" else "ltr"


@staff_required
@require_safe
def letter_previews(request: HttpRequest) -> HttpResponse:
    shown = {"letters": previews.letters(), "notes": previews.notes(), "wide": True}
    return render(request, "portal/staff/letters.html", shown)


@staff_required
@require_safe
def letter_preview(request: HttpRequest, template: str) -> HttpResponse:
    try:
        preview = previews.letter(template)
    except writing.UnknownLetter:
        raise Http404 from None
    both = [
        Shown(one, *(body_of(one.written.html, part) for part in ("header", "body", "footer"))) for one in preview.both
    ]
    shown = {"preview": preview, "both": both, "letters": previews.letters(), "wide": True}
    return render(request, "portal/staff/letter.html", shown)
