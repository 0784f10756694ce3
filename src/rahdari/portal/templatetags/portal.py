"""The policy's words in the reader's language."""

import re
from collections.abc import Iterable

from django import template
from django.template.defaultfilters import linebreaksbr
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from rahdari.applicant.titles import words
from rahdari.policy import Provision

register = template.Library()
register.filter("in_language", words)


@register.filter
def provision(each: Provision) -> SafeString:
    """The instrument's short name and the place in it: Sample Rules, <7(2)>."""
    separator = "، " if get_language() == "ur" else ", "
    shown: SafeString = format_html('{}{}<bdi dir="ltr">{}</bdi>', each.name(get_language()), separator, each.place)
    return shown if each.place else format_html("{}", each.name(get_language()))


@register.filter
def names(found: Iterable[str]) -> SafeString:
    """Several, each with its office, in whatever script."""
    return format_html_join("; ", "<bdi>{}</bdi>", ((each,) for each in found))


ARABIC, LATIN = re.compile("[\u0600-\u06ff]"), re.compile("[A-Za-z]")


@register.filter
def own_words(text: str, more: str = "") -> SafeString:
    """What somebody wrote by hand, as it was written: on a page in the other language its language is said, once, and
    a screen reader reads it in that. `more` is what the same person wrote in another field of the form."""
    text = f"{text}\n\n{more}" if more else text
    language = "ur" if len(ARABIC.findall(text)) > len(LATIN.findall(text)) else "en"
    note = SafeString()
    if language != get_language():
        said = _("These words were written in Urdu.") if language == "ur" else _("These words were written in English.")
        note = format_html('<p class="quiet small">{}</p>', said)
    direction = "rtl" if language == "ur" else "ltr"
    return format_html('{}<p lang="{}" dir="{}">{}</p>', note, language, direction, linebreaksbr(text))
