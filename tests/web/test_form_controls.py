"""Controls of one line are written as Django's templates write them, whatever stands in them."""

from typing import Any

import pytest
from django import forms
from django.forms.renderers import DjangoTemplates
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy
from hypothesis import given
from hypothesis import strategies as st

from rahdari.web.form_controls import OF_ONE_LINE, Controls

TEXTS = st.text(max_size=8) | st.sampled_from(["<b>", "a&b", '"', "'", "&amp;", "{{ x }}", "%s", "راہداری"])
VALUES = (
    st.none()
    | TEXTS
    | TEXTS.map(mark_safe)
    | st.integers()
    | st.booleans()
    | st.just(gettext_lazy("Sign out"))
    | st.decimals(allow_nan=False, allow_infinity=False, places=2)
)


@given(value=VALUES, attrs=st.dictionaries(TEXTS, VALUES, max_size=4), name=TEXTS)
def test_are_byte_for_byte_those_of_django(value: Any, attrs: dict[str, Any], name: str) -> None:
    context = {"widget": {"type": "text", "name": name, "value": value, "attrs": attrs}}
    django = DjangoTemplates()
    for template in OF_ONE_LINE:
        assert Controls().render(template, context) == django.render(template, context)


@pytest.mark.parametrize("widget", [forms.TextInput, forms.HiddenInput, forms.EmailInput, forms.NumberInput])
def test_are_written_without_a_template(widget: type[forms.Widget], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Controls, "get_template", None)
    shown = widget(attrs={"autofocus": True, "class": "big"}).render("x", "<", renderer=Controls())
    assert shown.endswith(' name="x" value="&lt;" autofocus class="big">')
