"""The policy's words in the reader's language."""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from rahdari.policy import Provision, Text

register = template.Library()


@register.filter
def in_language(text: Text | None) -> str:
    return text.in_language(get_language()) if text else ""


@register.filter
def provision(each: Provision) -> SafeString:
    """The instrument's short name and the place in it: Sample Rules, <7(2)>."""
    separator = "، " if get_language() == "ur" else ", "
    shown: SafeString = format_html('{}{}<bdi dir="ltr">{}</bdi>', each.name(get_language()), separator, each.place)
    return shown if each.place else format_html("{}", each.name(get_language()))
