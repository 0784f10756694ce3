"""Which engine renders the pages: Django's, or the one in Rust where RAHDARI_TEMPLATES asks for it (ADR 0034).
Without Django, for the process that only starts those that serve the pages."""

import os
from collections.abc import Mapping
from importlib import import_module
from typing import Any

DJANGO = ("django.template.backends.django.DjangoTemplates", "rahdari.web.form_controls.Controls")
RUST = ("django_rust_templates.RustTemplates", "django_rust_templates.forms.RustFormRenderer")
CONSTANT = "rahdari.web.constant_tags"
KNOWN = {"django": DJANGO, "rust": RUST}


def _asked(environment: Mapping[str, str]) -> str:
    name = environment.get("RAHDARI_TEMPLATES", "") or "django"
    if name not in KNOWN:
        raise ValueError(f"RAHDARI_TEMPLATES is {name}. Set it to {' or '.join(KNOWN)}.")
    return name


def fault(environment: Mapping[str, str] = os.environ) -> str:
    """Why Django's engine renders the pages though the other is asked for, and what to do; else "". Raises ValueError
    where an engine is asked for that nobody knows."""
    if _asked(environment) == "rust":
        try:
            import_module("django_rust_templates")
        except ImportError as error:
            return (
                f"RAHDARI_TEMPLATES is rust, and that engine does not load ({error}): Django's renders the pages. "
                "Run: pip install 'rahdari[templates]'. Where none exists for this machine, unset RAHDARI_TEMPLATES."
            )
    return ""


def classes() -> tuple[str, str]:
    """The class for the pages and the one for the controls of forms, as Django's settings name them. Raises
    ValueError."""
    return DJANGO if fault() else KNOWN[_asked(os.environ)]


def tags(engine: str, ours: str) -> dict[str, Any]:
    """The libraries of tags, as the engine's options name them. The other engine has the constant ones in Rust."""
    if engine != DJANGO[0]:
        return {"builtins": [ours]}
    return {"builtins": [ours, CONSTANT], "libraries": {"i18n": CONSTANT, "static": CONSTANT}}
