import re
from pathlib import Path

from django import forms
from django.contrib import messages
from django.contrib.messages.storage.base import Message
from django.template import engines
from django.utils import translation

import rahdari

KINDS = [("company", "A company"), ("person", "A person"), ("none", "None of these")]


class Question(forms.Form):
    kind = forms.ChoiceField(label="Who is it for?", help_text="The one that fits best.", choices=KINDS)
    address = forms.CharField(label="Address", help_text="As your router shows it.")
    files = forms.FileField(label="Letter", required=False)
    true = forms.BooleanField(label="These answers are true")
    note = forms.CharField(label="Note", widget=forms.Textarea, required=False)

    def __init__(self, *args: object, **named: object) -> None:
        super().__init__(*args, **named)  # type: ignore[arg-type]
        self.fields["kind"].widget = forms.RadioSelect(choices=KINDS)
        self.fields["kind"].hints = {"company": "With a number."}  # type: ignore[attr-defined]
        self.fields["kind"].leads = {"person": ("ok", "By rule")}  # type: ignore[attr-defined]
        self.fields["kind"].or_before = ("none",)  # type: ignore[attr-defined]


def shown(template: str, **context: object) -> str:
    return engines["django"].from_string(template).render(context)


class TestErrorSummary:
    def test_links_each_error_to_a_control_that_is_there_in_the_same_words(self) -> None:
        form = Question({})
        page = shown(
            "{% error_summary form %}{% fieldset_choice form.kind %}{% field form.address %}{% field form.true %}",
            form=form,
        )
        links = re.findall(r'<a href="#([^"]+)"><span>([^<]+)</span></a>', page)
        assert [text for _id, text in links] == [form.errors[name][0] for name in ("kind", "address", "true")]
        for id, text in links:
            assert page.count(f'id="{id}"') == 1
            assert page.count(text) >= 2
        assert re.search(r'<div class="errors" role="alert" tabindex="-1" autofocus>', page)

    def test_is_nothing_while_there_is_none(self) -> None:
        assert shown("{% error_summary form %}{% error_summary nothing %}", form=Question(), nothing=None).strip() == ""

    def test_lists_what_belongs_to_no_field(self) -> None:
        form = Question({})
        form.add_error(None, "Two tabs were open")
        assert "<li>Two tabs were open</li>" in shown("{% error_summary form %}", form=form)


class TestField:
    def test_is_described_by_its_hint_and_its_error(self) -> None:
        page = shown('{% field form.address class="code big" inputmode="text" %}', form=Question({}))
        control = re.search(r"<input[^>]*>", page)
        assert control
        assert 'class="input code big"' in control[0]
        assert 'aria-describedby="id_address-hint id_address-error"' in control[0]
        assert 'aria-invalid="true"' in control[0] and 'inputmode="text"' in control[0]
        assert "required" not in control[0]
        for part in ('<label class="label" for="id_address">', 'id="id_address-hint"', 'id="id_address-error"'):
            assert part in page

    def test_takes_a_drop_when_it_is_for_files_and_says_when_it_may_stay_empty(self) -> None:
        page = shown("{% field form.files %}{% field form.note %}", form=Question())
        assert 'class="input drop"' in page
        assert page.count("(optional)") == 2

    def test_alone_says_it_so_no_label_says_it_again(self) -> None:
        rooms = Path(rahdari.__file__).parent
        again = [
            str(path.relative_to(rooms))
            for path in rooms.rglob("*.py")
            if re.search(r'label=\w+\([^)]*\(optional\)"', path.read_text())
        ]
        assert again == []

    def test_lets_what_is_typed_run_in_its_own_direction(self) -> None:
        form = Question()
        assert all('dir="auto"' in shown("{% field field %}", field=form[name]) for name in ("address", "note"))
        form.fields["address"].widget.attrs["dir"] = "ltr"
        assert re.findall(r'dir="\w+"', shown("{% field form.address %}", form=form)) == ['dir="ltr"']

    def test_escapes_what_was_typed(self) -> None:
        page = shown("{% field form.address %}", form=Question({"address": '"><script>alert(1)</script>'}))
        assert "<script>" not in page


class TestFieldsetChoice:
    def test_is_a_question_whose_legend_is_the_heading(self) -> None:
        page = shown("{% fieldset_choice form.kind %}", form=Question({"kind": "person"}))
        assert "<legend><h1>Who is it for?</h1></legend>" in page
        assert '<fieldset aria-describedby="id_kind-hint">' in page
        assert re.findall(r'value="(\w+)" checked', page) == ["person"]
        assert '<span class="hint">With a number.</span>' in page
        assert '<span class="g ok">By rule</span>' in page
        assert page.index('<p class="or">') < page.index('value="none"')


class TestGates:
    def test_say_in_words_what_the_shapes_show(self) -> None:
        page = shown('{% gates here="prove" %}')
        assert re.findall(r'<li class="(\w+)"', page) == ["done", "here", *["ahead"] * 3]
        assert page.count('aria-current="step"') == 1
        assert page.count(", to come") == 3
        assert re.findall(r'<li class="(\w+)"', shown('{% gates here="done" %}')) == ["done"] * 5


class TestServiceClock:
    def test_fills_its_arch_by_the_share_that_is_used(self) -> None:
        for share, dashes in ((0.3, "30 100"), (-1.0, "0 100"), (2.5, "100 100")):
            page = shown('{% service_clock "Due in" "7 h" share=share tone="near" %}', share=share)
            assert f'stroke-dasharray="{dashes}"' in page
            assert "style=" not in page


class TestMessages:
    def test_have_the_colours_of_the_stylesheet(self) -> None:
        sheet = (Path(rahdari.__file__).parent / "web/static/web/rahdari.css").read_text()
        for level in (messages.SUCCESS, messages.INFO, messages.WARNING, messages.ERROR):
            shown_as = Message(level, "Done").tags
            assert f"\n  .{shown_as} {{ --glyph:" in sheet, shown_as


class TestComma:
    def test_is_the_mark_of_the_language_and_no_template_writes_its_own(self) -> None:
        assert shown("{{ a }}{% comma %}{{ b }}", a=1, b=2) == "1, 2"
        with translation.override("ur"):
            assert shown("{{ a }}{% comma %}{{ b }}", a=1, b=2) == "1، 2"
        found = [
            f"{path.name}: {match}"
            for path in Path(rahdari.__file__).parent.glob("*/templates/**/*.html")
            if not path.name.endswith(".en.html")
            for match in re.findall(
                r"\}, ?(?:\{\{|\{%|<).{0,30}",
                re.sub(r"\{% blocktrans.*?endblocktrans\w* %\}", "{}", path.read_text(), flags=re.DOTALL),
            )
        ]
        assert found == []


class TestHeadOfATable:
    def test_has_no_link_since_a_phone_hides_it(self) -> None:
        """Where rows become cards the head is for screen readers alone: the focus would go to a place that is not
        seen."""
        rooms = Path(rahdari.__file__).parent
        hidden = [
            str(path.relative_to(rooms))
            for path in rooms.rglob("*.html")
            if any("<a " in head for head in re.findall(r"<thead.*?</thead>", path.read_text(), re.DOTALL))
        ]
        assert hidden == []
