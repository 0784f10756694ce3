"""Tags that are the same each time are made once, and say what Django's own say in each language and place."""

from collections.abc import Iterator

import pytest
from django.template import Context, Engine, Template
from django.test import override_settings
from django.urls import set_script_prefix
from django.utils import translation

from rahdari.web.constant_tags import Kept

PLAIN = Engine(libraries={"i18n": "django.templatetags.i18n", "static": "django.templatetags.static"})
CONSTANT = (
    '{% translate "Sign out" %}',
    '{% trans "Applications" noop %}',
    '{% translate "Apply" context "gate" %}',
    "{% blocktranslate %}Sign out{% endblocktranslate %}",
    "{% url 'portal:start' %}",
    '{% url "web:language" code="en" %}',
    '{% static "web/rahdari.css" %}',
)
VARYING = (
    "{% translate word %}",
    '{% translate "Sign out"|upper %}',
    '{% translate "Sign out" as out %}{{ out }}',
    "{% blocktranslate with word=word %}Sign out {{ word }}{% endblocktranslate %}",
    '{% url "web:language" code=word %}',
    "{% static word %}",
)


@pytest.fixture
def at_the_root() -> Iterator[None]:
    yield
    set_script_prefix("/")


def made(text: str) -> Template:
    return Template("{% load i18n static %}" + text)


def kept(template: Template) -> list[Kept]:
    return list(template.nodelist.get_nodes_by_type(Kept))


def said(template: Template, word: str = "en") -> str:
    return template.render(Context({"word": word}))


class TestKept:
    @pytest.mark.parametrize("text", CONSTANT)
    def test_says_the_same_as_django_in_each_language(self, text: str) -> None:
        template = made(text)
        djangos = PLAIN.from_string("{% load i18n static %}" + text)
        assert len(kept(template)) == 1 and kept(djangos) == []
        for language in ("en", "ur", "en"):
            with translation.override(language):
                assert said(template) == said(djangos) != ""

    @pytest.mark.parametrize("text", VARYING)
    def test_keeps_nothing_that_varies(self, text: str) -> None:
        template = made(text)
        assert kept(template) == []
        assert said(template, "ur") != said(template, "en") or "word" not in text

    def test_makes_each_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        template = made(CONSTANT[0])
        [node] = kept(template)
        rendered = []
        render = node.node.render
        monkeypatch.setattr(node.node, "render", lambda context: rendered.append(1) or render(context))  # type: ignore[func-returns-value]
        for language in ("en", "ur", "en", "ur"):
            with translation.override(language):
                said(template)
        assert len(rendered) == 2

    def test_an_address_is_that_of_the_place_where_the_site_is_served(self, at_the_root: None) -> None:
        template = made("{% url 'portal:start' %}")
        before = said(template)
        set_script_prefix("/below/")
        assert said(template) == f"/below{before}"

    def test_a_file_is_where_the_settings_put_it(self) -> None:
        template = made('{% static "web/rahdari.css" %}')
        before = said(template)
        with override_settings(STATIC_URL="elsewhere/"):
            assert "elsewhere/" in said(template)
        assert said(template) == before
