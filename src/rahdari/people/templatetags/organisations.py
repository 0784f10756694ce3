"""What the pages of an organisation have in common, whichever room they are of."""

from typing import Any

from django import template

from ..models import Organisation

register = template.Library()


@register.inclusion_tag("people/parts/organisation_tabs.html")
def organisation_tabs(
    organisation: Organisation, *, here: str, sees: bool, owns: bool, count: int = 0
) -> dict[str, Any]:
    """Its pages side by side; `count` belongs to the one that is `here` (members, branches or agents)."""
    return {"organisation": organisation, "here": here, "sees": sees, "owns": owns, "count": count}
