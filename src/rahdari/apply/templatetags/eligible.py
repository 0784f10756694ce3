"""Where the questions before an application lead, on pages of other rooms: the facts are those of `apply.needed`."""

from collections.abc import Mapping
from typing import Any

from django import template

register = template.Library()


@register.inclusion_tag("apply/parts/have_ready.html")
def have_ready(facts: Mapping[str, Any], *, flat: bool = False) -> dict[str, Any]:
    """What to have ready, with what everybody needs. `flat`: for paper, where nothing folds."""
    return {**facts, "all": True, "flat": flat}


@register.inclusion_tag("apply/parts/instead.html")
def instead(facts: Mapping[str, Any]) -> dict[str, Any]:
    """What to do in the place of an application."""
    return {**facts}


@register.inclusion_tag("apply/parts/instead_title.html")
def instead_title(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Its heading, for the title of the page."""
    return {**facts}
