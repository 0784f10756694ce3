"""Sphinx: every page of this folder, in Markdown; a warning is an error. `refusals.md` is made from the code first."""

import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.docs import refusals  # noqa: E402 - a module of this tree

refusals.write()

project = "Rahdari"
release = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
author = "The Rahdari contributors"
copyright = f"{author}. EUPL-1.2"

extensions = ["myst_parser"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]

html_theme = "furo"
html_title = f"Rahdari {release}"
html_static_path: list[str] = []
