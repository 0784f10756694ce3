"""The tags and filters of every page. They are built in: no template has to load them.

Filters for values are those of `page.values`. Components that are only markup are written out on the page, as in
docs/pages.md; a tag is here where markup depends on something (a field's widget, the place on the road, a share).
"""

from typing import Any

from django import template
from django.conf import settings
from django.forms import BaseForm, BoundField, CheckboxInput, FileInput, RadioSelect, Textarea, TextInput
from django.template import loader
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _

from rahdari import optional, policy

from .. import values

register = template.Library()

for _filter in (
    values.ltr,
    values.code,
    values.name,
    values.plain_ltr,
    values.plain_name,
    values.whole,
    values.own_words,
    values.quoted,
    values.quoted_name,
    values.figure,
    values.day,
    values.month,
    values.clock_time,
    values.when,
    values.last_day,
    values.span_words,
):
    register.filter(_filter.__name__, _filter)


@register.filter
def installed(room: str) -> bool:
    """Whether this installation has an optional room."""
    return room not in optional.left_out()


@register.simple_tag
def comma() -> str:
    """Between two values that are not one sentence: each language has its own mark."""
    return pgettext("list", ", ")


@register.simple_tag
def zone() -> SafeString:
    """Of which all times are that a page or a letter shows: said once on it."""
    return format_html(_("Times are those of %(zone)s.") % {"zone": "{}"}, values.ltr(values.zone()))


@register.inclusion_tag("web/parts/unregistered.html")
def unregistered(*, paper: bool = False, folded: bool = False) -> dict[str, Any]:
    """What happens to connections that are not on the register, and whose word that is. `paper`: where somebody looks
    at a certificate, also that to have none means nothing. `folded`: for who wants to read it."""
    rule = policy.current(settings.POLICY_FILE).unregistered
    language = get_language()
    found: dict[str, Any] = {"rule": rule, "paper": paper, "folded": folded}
    if rule is not None:
        found["text"] = rule.text.in_language(language)
        if rule.instrument is not None:
            found["instrument"] = rule.instrument.short.in_language(language)
    return found


# ---------------------------------------------------------------- the road

GATES = ("apply", "prove", "decision", "register", "published")
ALSO_CALLED = {"decide": "decision", "publish": "published"}


def gate_title(key: str) -> str:
    return {
        "apply": pgettext("gate", "Apply"),
        "prove": pgettext("gate", "Prove"),
        "decision": pgettext("gate", "Decision"),
        "register": pgettext("gate", "Register"),
        "published": pgettext("gate", "Published"),
    }[key]


@register.inclusion_tag("web/parts/gates.html")
def gates(here: str) -> dict[str, Any]:
    """The gates on one road; `here` is the key of the present one, or "done"."""
    key = ALSO_CALLED.get(here, here)
    at = len(GATES) if key == "done" else GATES.index(key)
    words = {"done": _(", done"), "here": _(", you are here"), "ahead": _(", to come")}
    shown = []
    for place, gate in enumerate(GATES):
        state = "done" if place < at else "here" if place == at else "ahead"
        shown.append({"title": gate_title(gate), "state": state, "words": words[state]})
    return {"gates": shown}


@register.inclusion_tag("web/parts/clock.html")
def service_clock(
    kicker: str, big: str, by: str = "", note: str = "", share: float = 0.0, tone: str = "", id: str = "clock-h"
) -> dict[str, Any]:
    """The clock in its arch: what is waited for, how long still, until when, and what follows if it is missed.

    `share` is the part of the time that is used, 0 to 1; `tone` is "", "near" or "late".
    """
    used = round(min(max(share, 0.0), 1.0) * 100)
    return {"kicker": kicker, "big": big, "by": by, "note": note, "used": used, "tone": tone, "id": id}


@register.inclusion_tag("web/parts/copy_row.html")
def copy_row(id: str, label: str, value: Any, what: str = "", note: str = "") -> dict[str, Any]:
    """One row of `dl.copylist`: a value to copy with its button. `what` is rule with the button ("the link")."""
    return {"id": id, "label": label, "value": value, "what": what or label, "note": note}


@register.inclusion_tag("web/parts/copy_button.html")
def copy_button(id: str, what: str) -> dict[str, str]:
    """The button that copies the element of this id, where there is no room for a list of rows."""
    return {"id": id, "what": what}


# ---------------------------------------------------------------- forms


def _first_id(bound: BoundField) -> str:
    # A set of radios or ticks has no control of its own name: the first of them takes the focus.
    return f"{bound.auto_id}_0" if isinstance(bound.field.widget, RadioSelect) else bound.auto_id


@register.inclusion_tag("web/parts/error_summary.html")
def error_summary(*forms: BaseForm | None) -> dict[str, Any]:
    """All that is wrong, each line a link to its field, with the field's own words."""
    errors: list[dict[str, str]] = []
    for form in forms:
        if form is None or not form.is_bound:
            continue
        errors += [{"href": "", "text": str(text)} for text in form.non_field_errors()]
        for bound in form:
            errors += [{"href": _first_id(bound), "text": str(text)} for text in bound.errors]
    return {"errors": errors}


def _described(bound: BoundField) -> str:
    ids = [f"{bound.auto_id}-hint"] if bound.help_text else []
    ids += [f"{bound.auto_id}-error" + (f"-{n}" if n > 1 else "") for n in range(1, len(bound.errors) + 1)]
    return " ".join(ids)


def _classes(bound: BoundField, more: str) -> str:
    given = ["input", *bound.field.widget.attrs.get("class", "").split(), *more.split()]
    if isinstance(bound.field.widget, FileInput):
        given.append("drop")
    return " ".join(dict.fromkeys(given))


def _control(bound: BoundField, attributes: dict[str, Any]) -> SafeString:
    # What is missing is rule by us, beside the field and in the reader's language, not by the browser.
    bound.form.use_required_attribute = False
    more = attributes.pop("class", "")
    shown: dict[str, Any] = {"id": bound.auto_id, "class": _classes(bound, more)}
    if isinstance(bound.field.widget, Textarea):
        shown["rows"] = bound.field.widget.attrs.get("rows") or 5
    # English in an Urdu form, or the other way round, keeps its order.
    if isinstance(bound.field.widget, (TextInput, Textarea)) and "dir" not in bound.field.widget.attrs:
        shown["dir"] = "auto"
    if described := _described(bound):
        shown["aria-describedby"] = described
    if bound.errors:
        shown["aria-invalid"] = "true"
    shown |= {key.replace("_", "-"): value for key, value in attributes.items()}
    return bound.as_widget(attrs=shown)


def _choice(bound: BoundField, *, heading: bool) -> dict[str, Any]:
    hints = getattr(bound.field, "hints", {})
    leads = getattr(bound.field, "leads", {})
    or_before = [str(value) for value in getattr(bound.field, "or_before", ())]
    groups = getattr(bound.field, "groups", {})
    chosen = groups.get(str(bound.value()))
    last: Any = None
    options: list[dict[str, Any]] = []
    for sub in bound.subwidgets:
        data = sub.data
        value = str(data["value"])
        tone, lead = leads.get(value, ("", ""))
        group = groups.get(value)
        title, group_hint = group or ("", "")
        options.append(
            {
                "type": data["type"],
                "name": data["name"],
                "id": data["attrs"].get("id", ""),
                "value": value,
                "checked": data["selected"],
                "disabled": bool(data["attrs"].get("disabled")),
                "label": data["label"],
                "hint": hints.get(value, ""),
                "tone": tone,
                "lead": lead,
                "or_before": value in or_before,
                "is_first": not options,
                "group_begins": group is not None and group != last,
                "group_title": title,
                "group_hint": group_hint,
                # What is chosen is in sight; where nothing was, and that is told, all of it is.
                "group_open": group == chosen or bool(bound.errors),
            }
        )
        last = group
    return {
        "field": bound,
        "id": bound.auto_id,
        "hint": bound.help_text,
        "errors": bound.errors,
        "described": _described(bound),
        "heading": heading,
        "options": options,
        "grouped": bool(groups),
    }


@register.inclusion_tag("web/parts/choice.html")
def fieldset_choice(bound: BoundField, *, pressed: bool = False) -> dict[str, Any]:
    """A radio or checkbox question whose legend is the page's h1. With `pressed` an answer is a button: pressing it
    goes on.

    The form field may carry `hints` (value -> sentence), `leads` (value -> (tone, words): where the choice leads),
    `or_before` (values that an "or" stands before) and `groups` (value -> (title, hint): those of one group stand
    together and are folded).
    """
    return _choice(bound, heading=True) | {"pressed": pressed}


@register.simple_tag
def field(bound: BoundField, **attributes: Any) -> str:
    """Any field: a set of choices, a single tick, a field for files, or a labelled control.

    Further arguments become attributes of the control: `{% field form.code class="code big" inputmode="numeric" %}`.
    A form field with `depends` must be filled in with some answers to another one, so it is not called optional.
    """
    widget = bound.field.widget
    if isinstance(widget, RadioSelect):
        return loader.get_template("web/parts/choice.html").render(_choice(bound, heading=False))
    facts: dict[str, Any] = {
        "field": bound,
        "id": bound.auto_id,
        "hint": bound.help_text,
        "errors": bound.errors,
    }
    if isinstance(widget, CheckboxInput):
        described = _described(bound)
        facts |= {"name": bound.html_name, "checked": bool(bound.value()), "described": described}
        return loader.get_template("web/parts/tick.html").render(facts)
    facts |= {
        "control": _control(bound, attributes),
        "optional": not (bound.field.required or getattr(bound.field, "depends", False)),
    }
    return loader.get_template("web/parts/field.html").render(facts)
