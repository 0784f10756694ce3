"""Tags whose text is the same each time, made once: words of ours by the language, addresses of pages and of files
without anything that varies. A page has fifty of them, and they were a third of its template's time.

The tags are Django's own, under their names: `i18n` and `static` are loaded from here, `url` is built in.
"""

from collections.abc import Callable, Hashable
from typing import Any

from django.conf import STATICFILES_STORAGE_ALIAS
from django.core.files.storage import storages
from django.template import Context, Library, Node, defaulttags
from django.template.base import FilterExpression, TokenType
from django.templatetags import i18n, static
from django.urls import get_script_prefix, get_urlconf
from django.utils.translation import get_language


class Kept(Node):
    """A node whose text depends on nothing but `key` of the context."""

    child_nodelists = ()

    def __init__(self, node: Node, key: Callable[[Context], Hashable]) -> None:
        self.node, self.key = node, key
        self.texts: dict[Hashable, str] = {}

    def render(self, context: Context) -> str:
        key = self.key(context)
        text = self.texts.get(key)
        if text is None:
            text = self.texts[key] = self.node.render(context)
        return text


def _is_constant(expression: FilterExpression | None) -> bool:
    if expression is None:
        return True
    var: Any = expression.var
    return not expression.filters and (isinstance(var, str) or getattr(var, "literal", None) is not None)


def _by_language(context: Context) -> Hashable:
    return get_language(), context.autoescape


def translate(parser: Any, token: Any) -> Node:
    node = i18n.do_translate(parser, token)
    constant = _is_constant(node.filter_expression) and _is_constant(node.message_context) and not node.asvar
    return Kept(node, _by_language) if constant else node


def blocktranslate(parser: Any, token: Any) -> Node:
    node = i18n.do_block_translate(parser, token)
    varies = node.plural or node.extra_context or node.asvar or not _is_constant(node.message_context)
    varies = varies or any(part.token_type is not TokenType.TEXT for part in node.singular)
    return node if varies else Kept(node, _by_language)


def _by_place(context: Context) -> Hashable:
    match = getattr(getattr(context, "request", None), "resolver_match", None)
    return get_urlconf(), get_script_prefix(), match and match.namespace, context.autoescape


def url(parser: Any, token: Any) -> Node:
    node = defaulttags.url(parser, token)
    constant = all(map(_is_constant, (node.view_name, *node.args, *node.kwargs.values()))) and not node.asvar
    return Kept(node, _by_place) if constant else node


def _by_storage(context: Context) -> Hashable:
    # Settings that change put another in its place.
    return storages[STATICFILES_STORAGE_ALIAS], context.autoescape


def static_file(parser: Any, token: Any) -> Node:
    node = static.do_static(parser, token)
    return Kept(node, _by_storage) if _is_constant(node.path) and not node.varname else node


register = Library()
register.tags |= i18n.register.tags | static.register.tags
register.filters |= i18n.register.filters
register.tags |= {"translate": translate, "trans": translate, "static": static_file, "url": url}
register.tags |= {"blocktranslate": blocktranslate, "blocktrans": blocktranslate}
