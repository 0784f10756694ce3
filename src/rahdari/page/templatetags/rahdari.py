"""The tags and filters of every page. They are built in: no template has to load them.

Values that run left to right (addresses, codes, telephone numbers) are isolated here, in the value, so that no
translator can lose it (urdu.md, rule 21).
"""

import datetime as dt
from typing import Any

from django import template
from django.forms import BaseForm, BoundField, CheckboxInput, ClearableFileInput, FileInput, RadioSelect, Textarea
from django.template import loader
from django.template.defaultfilters import date as format_date
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

register = template.Library()

GATES = ("apply", "prove", "decision", "register", "published", "watched")


# -- values ------------------------------------------------------------------------------------------------------


@register.filter
def ltr(value: Any) -> SafeString:
    """An address, reference, code or number, kept left to right whatever surrounds it."""
    return format_html('<bdi dir="ltr">{}</bdi>', value)


@register.filter
def code(value: Any) -> SafeString:
    """The same, as something to be typed or copied."""
    return format_html('<code dir="ltr">{}</code>', value)


@register.filter
def name(value: Any) -> SafeString:
    """A name of unknown script."""
    return format_html("<bdi>{}</bdi>", value)


@register.filter
def plain_ltr(value: Any) -> str:
    """The same for plain text: titles, labels, options, subjects."""
    return f"\u2066{value}\u2069"


@register.filter
def day(value: dt.datetime | dt.date | None) -> str:
    """10 November 2026."""
    if value is None:
        return ""
    return format_date(timezone.localtime(value) if isinstance(value, dt.datetime) else value, "DATE_FORMAT")


@register.filter
def clock_time(value: dt.datetime | None, seconds: bool = False) -> str:
    """14:32, or 14:32:07."""
    return "" if value is None else timezone.localtime(value).strftime("%H:%M:%S" if seconds else "%H:%M")


@register.filter
def when(value: dt.datetime | None) -> str:
    """14:32 today; 10 November 2026, 14:32 on any other day."""
    if value is None:
        return ""
    local = timezone.localtime(value)
    if local.date() == timezone.localtime().date():
        return _("%(time)s today") % {"time": f"{local:%H:%M}"}
    return _("%(day)s, %(time)s") % {"day": day(value), "time": f"{local:%H:%M}"}


@register.filter
def span_words(value: dt.timedelta | None) -> str:
    """7 h 12 min; 3 days 4 h; 40 s. A negative span is said without its sign."""
    if value is None:
        return ""
    seconds = int(abs(value).total_seconds())
    days, hours, minutes = seconds // 86400, seconds % 86400 // 3600, seconds % 3600 // 60
    if seconds < 60:
        return ngettext("%(count)s s", "%(count)s s", seconds) % {"count": seconds}
    parts = []
    if days:
        parts.append(ngettext("%(count)s day", "%(count)s days", days) % {"count": days})
    if hours:
        parts.append(ngettext("%(count)s h", "%(count)s h", hours) % {"count": hours})
    if minutes and not days:
        parts.append(ngettext("%(count)s min", "%(count)s min", minutes) % {"count": minutes})
    return " ".join(parts)


# -- the road ----------------------------------------------------------------------------------------------------


def _gate_title(key: str) -> str:
    return {
        "apply": pgettext("gate", "Apply"),
        "prove": pgettext("gate", "Prove"),
        "decision": pgettext("gate", "Decision"),
        "register": pgettext("gate", "Register"),
        "published": pgettext("gate", "Published"),
        "watched": pgettext("gate", "Watched over"),
    }[key]


@register.inclusion_tag("page/parts/gates.html")
def gates(here: str) -> dict[str, Any]:
    """The six gates on one road; `here` is the key of the present one, or "done"."""
    at = len(GATES) if here == "done" else GATES.index(here)
    words = {"done": _(", done"), "here": _(", you are here"), "ahead": _(", to come")}
    shown = []
    for place, key in enumerate(GATES):
        state = "done" if place < at else "here" if place == at else "ahead"
        shown.append({"title": _gate_title(key), "state": state, "words": words[state]})
    return {"gates": shown}


# -- forms -------------------------------------------------------------------------------------------------------


def _first_id(field: BoundField) -> str:
    return f"{field.auto_id}_0" if isinstance(field.field.widget, RadioSelect) else field.auto_id


@register.inclusion_tag("page/parts/error_summary.html")
def error_summary(form: BaseForm | None) -> dict[str, Any]:
    """All that is wrong, each line a link to its field, with the field's own words."""
    errors = []
    if form is not None:
        errors = [{"href": "", "text": text} for text in form.non_field_errors()]
        for field in form:
            errors += [{"href": _first_id(field), "text": text} for text in field.errors]
    return {"errors": errors}


def _described(field: BoundField) -> str:
    ids = [f"{field.auto_id}-hint"] if field.help_text else []
    ids += [f"{field.auto_id}-error" + (f"-{n}" if n > 1 else "") for n in range(1, len(field.errors) + 1)]
    return " ".join(ids)


@register.inclusion_tag("page/parts/field.html")
def text_field(field: BoundField) -> dict[str, Any]:
    """One labelled control with its hint and errors. Use `field`, which chooses."""
    attributes: dict[str, Any] = {"id": field.auto_id}
    widget = field.field.widget
    given = widget.attrs.get("class", "")
    if isinstance(widget, FileInput | ClearableFileInput):
        given = f"input drop {given}"
    elif isinstance(widget, Textarea):
        given = f"input {given}"
        attributes["rows"] = widget.attrs.get("rows") or 4
    else:
        given = f"input {given}"
    attributes["class"] = given.strip()
    if described := _described(field):
        attributes["aria-describedby"] = described
    attributes["aria-invalid"] = "true" if field.errors else None
    control = field.as_widget(attrs={key: value for key, value in attributes.items() if value is not None})
    return {
        "field": field,
        "id": field.auto_id,
        "hint": field.help_text,
        "errors": field.errors,
        "control": control,
        "optional": not field.field.required,
    }


def _choice(field: BoundField, heading: bool) -> dict[str, Any]:
    hints = getattr(field.field, "hints", {})
    or_before = getattr(field.field, "or_before", ())
    options = []
    for sub in field.subwidgets:
        data = sub.data
        options.append(
            {
                "type": data["type"],
                "name": data["name"],
                "id": data["attrs"].get("id", ""),
                "value": data["value"],
                "checked": data["selected"],
                "disabled": bool(data["attrs"].get("disabled")),
                "label": data["label"],
                "hint": hints.get(str(data["value"]), ""),
                "or_before": data["value"] in or_before,
            }
        )
    return {
        "field": field,
        "id": field.auto_id,
        "hint": field.help_text,
        "errors": field.errors,
        "described": _described(field),
        "heading": heading,
        "options": options,
    }


@register.inclusion_tag("page/parts/choice.html")
def fieldset_choice(field: BoundField) -> dict[str, Any]:
    """A radio or checkbox question whose legend is the page's h1.

    The form field may carry `hints` (value -> sentence) and `or_before` (values that an "or" stands before).
    """
    return _choice(field, heading=True)


@register.simple_tag
def field(bound: BoundField) -> SafeString:
    """Any field: a set of choices, a single tick, or a labelled control."""
    widget = bound.field.widget
    if isinstance(widget, RadioSelect):
        return loader.get_template("page/parts/choice.html").render(_choice(bound, heading=False))
    if isinstance(widget, CheckboxInput):
        return loader.get_template("page/parts/tick.html").render({"field": bound, **_choice_of_tick(bound)})
    return loader.get_template("page/parts/field.html").render(text_field(bound))


def _choice_of_tick(bound: BoundField) -> dict[str, Any]:
    return {
        "id": bound.auto_id,
        "name": bound.html_name,
        "checked": bool(bound.value()),
        "hint": bound.help_text,
        "errors": bound.errors,
        "described": _described(bound),
    }
