"""The controls of forms, as Django's templates have them. Those of one line are written without: each is one `input`,
and took the time of two templates.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from django.forms.renderers import DjangoTemplates
from django.http import HttpRequest
from django.utils.html import escape
from django.utils.safestring import SafeData

# Their templates hold nothing but that of `input`.
OF_ONE_LINE = frozenset(
    f"django/forms/widgets/{kind}.html" for kind in ("text", "hidden", "email", "number", "password", "tel", "search")
)


class Controls(DjangoTemplates):
    def render(self, template_name: str, context: dict[str, Any], request: HttpRequest | None = None) -> str:
        if template_name not in OF_ONE_LINE:
            found: str = super().render(template_name, context, request)
            return found
        return "".join(_input(context["widget"]))


def _input(widget: Mapping[str, Any]) -> Iterator[str]:
    yield f'<input type="{_text(widget["type"])}" name="{_text(widget["name"])}"'
    if widget["value"] is not None:
        yield f' value="{_text(widget["value"])}"'
    for name, value in widget["attrs"].items():
        if value is True:
            yield f" {_text(name)}"
        elif value is not False:
            yield f' {_text(name)}="{_text(value)}"'
    yield ">"


def _text(value: Any) -> str:
    return str(value) if isinstance(value, SafeData) else escape(str(value))
