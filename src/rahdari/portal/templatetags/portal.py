"""The policy's words in the reader's language."""

from collections.abc import Iterable

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language

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
